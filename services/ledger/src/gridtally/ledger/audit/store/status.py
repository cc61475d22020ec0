"""The state of sealing, counted: how many entries there are, are sealed, and wait."""

from dataclasses import dataclass
from datetime import datetime

from gridtally.database import ReadConnection
from gridtally.ledger.audit.domain.seals import SEALED_WITHIN_S

UNSEALED_COUNTED_MAX = 100_000


@dataclass(frozen=True, slots=True)
class Counts:
    """How many entries there are of each kind, sealed ones, and ones that wait for their seal.

    unrecorded      properties and meters that the registry has and no version records
    unsealed_since  when the oldest of the entries that wait came
    in_time         whether none has waited for more than `SEALED_WITHIN_S`
    """

    transactions: int
    readings: int
    definitions: int
    meter_ends: int
    void_notes: int
    properties: int
    property_ends: int
    meters: int
    erasures: int
    unrecorded: int
    sealed: int
    unsealed: int
    unsealed_since: datetime | None
    in_time: bool

    @property
    def whole(self) -> bool:
        """Whether every entry is either sealed or waits for its seal, and the registry has no
        more than there are entries of."""
        entries = self.transactions + self.readings + self.definitions
        entries += self.meter_ends + self.void_notes
        entries += self.properties + self.property_ends + self.meters + self.erasures
        return entries == self.sealed + self.unsealed and not self.unrecorded


# Every table of entries is counted itself, never taken from a stored number: an entry that somebody
# put in or took out past the triggers makes the sums differ.
_COUNTS = """
SELECT (SELECT count(*) FROM transaction WHERE tenant_id = $1) AS transactions,
       (SELECT count(*) FROM reading_entry WHERE tenant_id = $1) AS readings,
       (SELECT count(*) FROM definition WHERE tenant_id = $1) AS definitions,
       (SELECT count(*) FROM removed_meter WHERE tenant_id = $1) AS meter_ends,
       (SELECT count(*) FROM invoice_note WHERE tenant_id = $1) AS void_notes,
       (SELECT count(*) FROM property_version WHERE tenant_id = $1) AS properties,
       (SELECT count(*) FROM removed_property WHERE tenant_id = $1) AS property_ends,
       (SELECT count(*) FROM meter_version WHERE tenant_id = $1) AS meters,
       (SELECT count(*) FROM erased_entry WHERE tenant_id = $1) AS erasures,
       (SELECT count(*) FROM property p WHERE tenant_id = $1 AND NOT EXISTS
               (SELECT FROM property_version v
                 WHERE (v.tenant_id, v.property_id, v.created_at, v.version)
                     = (p.tenant_id, p.id, p.created_at, p.version)))
       + (SELECT count(*) FROM meter m WHERE tenant_id = $1 AND NOT EXISTS
                 (SELECT FROM meter_version v
                   WHERE (v.tenant_id, v.meter_id, v.created_at, v.version)
                       = (m.tenant_id, m.id, m.created_at, m.version))) AS unrecorded,
       (SELECT count(*) FROM seal WHERE tenant_id = $1) AS sealed,
       queue.unsealed, queue.unsealed_since,
       coalesce(queue.unsealed_since >= clock_timestamp() - make_interval(secs => $2), true)
           AS in_time
  FROM (SELECT count(*) AS unsealed, min(queued_at) AS unsealed_since
          FROM entry_queue WHERE tenant_id = $1) AS queue
"""


async def fetch_counts(read: ReadConnection, tenant_id: str) -> Counts:
    """The state of a tenant's chain, recounted."""
    [row] = await read.raw.fetch(_COUNTS, tenant_id, SEALED_WITHIN_S)
    return Counts(**row)


# A limit, because a count of a long queue would take as long as the queue.
_UNSEALED = "SELECT count(*) FROM (SELECT FROM entry_queue LIMIT $1) AS queue"


async def count_unsealed(read: ReadConnection) -> int:
    """How many entries of all tenants wait for their seal, up to `UNSEALED_COUNTED_MAX`."""
    return int(await read.raw.fetchval(_UNSEALED, UNSEALED_COUNTED_MAX))


_LATE = """
SELECT (SELECT count(*) FROM (SELECT FROM entry_queue
                               WHERE queued_at < clock_timestamp() - make_interval(secs => $1)
                               LIMIT $2) AS queue) AS late,
       (SELECT coalesce(sum(size), 0)::bigint FROM chain_head) AS sealed
"""


async def count_late(read: ReadConnection) -> tuple[int, int]:
    """How many entries of all tenants have waited for their seal for too long, up to
    `UNSEALED_COUNTED_MAX`, and how many are sealed."""
    [row] = await read.raw.fetch(_LATE, SEALED_WITHIN_S, UNSEALED_COUNTED_MAX)
    return row["late"], row["sealed"]
