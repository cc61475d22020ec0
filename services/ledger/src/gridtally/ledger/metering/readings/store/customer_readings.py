"""The registers of a customer's meters, with the newest readings of its own time of each, and which
entries the customer has sent."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import groupby
from uuid import UUID

from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.rows import Row, from_row, insert_rows
from gridtally.kernel.periods import Period, local_date, midnight_utc
from gridtally.ledger.metering.readings.domain.customer_readings import OwnRegister, SentOfDay
from gridtally.ledger.metering.readings.domain.tenures import (
    AgreedDays,
    AskedDays,
    newest_within,
    tenures_of,
)
from gridtally.ledger.metering.readings.store.readings import entry_of
from gridtally.ledger.metering.readings.tables import customer_reading
from gridtally.ledger.registry.store.registers import register_of

REGISTERS_MAX = 200
"""So many registers are shown to a customer, and taken from one at once."""
CANDIDATES_MAX = 2 * REGISTERS_MAX
"""So many are looked at: of some it turns out that they are the customer's on no day asked for."""
READINGS_MAX = 14
"""Of each register: more than a year of monthly ones."""

# Meters that may be the customer's on some of the days [$3, $4): with an agreement of the
# customer's, and those at its properties that are not in somebody else's all the time.
_OWN_METERS = """
SELECT a.meter_id AS id FROM meter_agreement a
 WHERE a.tenant_id = $1 AND a.customer_id = $2
   AND a.start_on < $4 AND (a.end_on IS NULL OR a.end_on > $3)
UNION
SELECT m.id FROM property p JOIN meter m ON m.tenant_id = p.tenant_id AND m.property_id = p.id
 WHERE p.tenant_id = $1 AND p.customer_id = $2
   AND NOT EXISTS (
       SELECT FROM meter_agreement b
        WHERE b.tenant_id = $1 AND b.meter_id = m.id AND b.customer_id IS DISTINCT FROM $2
          AND b.start_on <= $3 AND (b.end_on IS NULL OR b.end_on >= $4))
"""
# When a property came to the customer whom it names now, after somebody else had it.
_SINCE = """
SELECT min(n.updated_at) FROM property_version n
 WHERE n.tenant_id = $1 AND n.property_id = p.id AND n.created_at = p.created_at
   AND n.version > (SELECT max(v.version) FROM property_version v
                     WHERE v.tenant_id = $1 AND v.property_id = p.id
                       AND v.created_at = p.created_at AND v.customer_id <> $2)
"""
# Whoever is measured by intervals reads no register, unless somebody did before. With $5 only
# these meters are looked at.
_REGISTERS = f"""
SELECT m.id AS meter_id, m.name AS meter_name, p.name AS property_name, p.zone,
       r.flow, r.digits, r.decimals, r.multiplier, r.rollover_kwh,
       p.customer_id IS NOT DISTINCT FROM $2 AS is_at_own, ({_SINCE}) AS since_at
  FROM ({_OWN_METERS}) own
  JOIN meter m ON m.tenant_id = $1 AND m.id = own.id
  JOIN property p ON p.tenant_id = $1 AND p.id = m.property_id
  JOIN register r ON r.tenant_id = $1 AND r.meter_id = m.id
 WHERE ($5::uuid[] IS NULL OR m.id = ANY($5))
   AND (NOT EXISTS (
       SELECT FROM channel c WHERE c.tenant_id = $1 AND c.meter_id = m.id AND c.flow = r.flow)
    OR EXISTS (
       SELECT FROM reading_known_at('infinity') e
        WHERE e.tenant_id = $1 AND e.meter_id = m.id AND e.flow = r.flow))
 ORDER BY p.name, m.name, m.id, r.flow LIMIT $6
"""  # noqa: S608 - the query is ours
_AGREEMENTS = """
SELECT meter_id, customer_id IS NOT DISTINCT FROM $2 AS is_own, start_on, end_on
  FROM meter_agreement WHERE tenant_id = $1 AND meter_id = ANY($3::uuid[])
"""
# The newest of each register within its bounds, from the end of its index.
_RECENT = """
SELECT wanted.n, e.*, EXISTS (
       SELECT FROM customer_reading c
        WHERE c.tenant_id = $1 AND c.entry_id = e.id AND c.customer_id = $8) AS is_sent
  FROM unnest($2::integer[], $3::uuid[], $4::text[], $5::timestamptz[], $6::timestamptz[])
       AS wanted (n, meter_id, flow, from_at, to_at)
 CROSS JOIN LATERAL (
       SELECT * FROM reading_known_at('infinity') e
        WHERE e.tenant_id = $1 AND e.meter_id = wanted.meter_id AND e.flow = wanted.flow
          AND e.read_at >= wanted.from_at AND e.read_at < wanted.to_at
        ORDER BY e.read_at DESC, e.kind = 'exchange_initial' DESC LIMIT $7) e
 ORDER BY wanted.n, e.read_at DESC, e.kind = 'exchange_initial' DESC
"""


async def fetch_own_registers(
    read: ReadConnection,
    tenant_id: str,
    customer_id: UUID,
    asked: AskedDays,
    meter_ids: Sequence[UUID] | None = None,
) -> list[OwnRegister]:
    """The registers of the meters, of `meter_ids` where they are named, that are a customer's on
    one of the local days that are asked for, by property and name."""
    days = asked.anywhere
    wanted = None if meter_ids is None else list(meter_ids)
    rows = await read.raw.fetch(
        _REGISTERS, tenant_id, customer_id, days.start_on, days.end_on, wanted, CANDIDATES_MAX
    )
    agreements: defaultdict[UUID, list[AgreedDays]] = defaultdict(list)
    ids = list({row["meter_id"] for row in rows})
    for agreed in await read.raw.fetch(_AGREEMENTS, tenant_id, customer_id, ids):
        agreements[agreed["meter_id"]].append(from_row(AgreedDays, agreed))
    own = []
    for row in rows:
        tenures = tenures_of(
            agreements[row["meter_id"]], is_at_own=row["is_at_own"], since_on=_since(row)
        )
        tenure = newest_within(tenures, asked.within(row["zone"]))
        if tenure is not None:
            own.append((row, tenure))
    return await _with_recent(read, tenant_id, customer_id, own[:REGISTERS_MAX])


# By an account, by name, or by what is theirs: each may be heard of before the others.
_IS_KNOWN = """
SELECT EXISTS (SELECT FROM customer WHERE tenant_id = $1 AND id = $2)
    OR EXISTS (SELECT FROM known_customer WHERE tenant_id = $1 AND id = $2)
    OR EXISTS (SELECT FROM addressee WHERE tenant_id = $1 AND customer_id = $2)
    OR EXISTS (SELECT FROM meter_agreement WHERE tenant_id = $1 AND customer_id = $2)
    OR EXISTS (SELECT FROM property WHERE tenant_id = $1 AND customer_id = $2)
"""


async def is_customer_known(read: ReadConnection, tenant_id: str, customer_id: UUID) -> bool:
    """Whether there is such a customer, as far as the ledger has heard."""
    return bool(await read.raw.fetchval(_IS_KNOWN, tenant_id, customer_id))


def _since(row: Row) -> date | None:
    """The first local day of who has the property now; None where nobody else had it."""
    since_at = row["since_at"]
    return None if since_at is None else local_date(row["zone"], since_at)


async def _with_recent(
    read: ReadConnection, tenant_id: str, customer_id: UUID, own: Sequence[tuple[Row, Period]]
) -> list[OwnRegister]:
    recent = await read.raw.fetch(
        _RECENT,
        tenant_id,
        list(range(len(own))),
        [row["meter_id"] for row, _ in own],
        [row["flow"] for row, _ in own],
        [midnight_utc(row["zone"], tenure.start_on) for row, tenure in own],
        [midnight_utc(row["zone"], tenure.end_on) for row, tenure in own],
        READINGS_MAX,
        customer_id,
    )
    by_index = {index: list(of_one) for index, of_one in groupby(recent, lambda row: row["n"])}
    return [
        _own_register(row, tenure, by_index.get(index, []))
        for index, (row, tenure) in enumerate(own)
    ]


def _own_register(row: Row, tenure: Period, recent: list[Row]) -> OwnRegister:
    return OwnRegister(
        meter_id=row["meter_id"],
        meter_name=row["meter_name"],
        property_name=row["property_name"],
        zone=row["zone"],
        register=register_of(row),
        tenure=tenure,
        recent=[entry_of(entry) for entry in recent],
        sent_ids=frozenset(entry["id"] for entry in recent if entry["is_sent"]),
    )


# Of each register and local day the newest reading whose entry that counts the customer has sent,
# and how many entries of that day customers have sent in all.
_SENT_OF_DAY = """
SELECT (SELECT count(*) FROM reading_entry s
          JOIN customer_reading c ON c.tenant_id = s.tenant_id AND c.entry_id = s.id
         WHERE s.tenant_id = $1 AND s.meter_id = wanted.meter_id AND s.flow = wanted.flow
           AND s.read_at >= wanted.from_at AND s.read_at < wanted.to_at) AS sent,
       own.*
  FROM unnest($3::integer[], $4::uuid[], $5::text[], $6::timestamptz[], $7::timestamptz[])
       AS wanted (n, meter_id, flow, from_at, to_at)
  LEFT JOIN LATERAL (
       SELECT e.* FROM reading_known_at('infinity') e
         JOIN customer_reading c ON c.tenant_id = e.tenant_id AND c.entry_id = e.id
        WHERE c.customer_id = $2 AND e.tenant_id = $1 AND e.kind = 'reading'
          AND e.meter_id = wanted.meter_id AND e.flow = wanted.flow
          AND e.read_at >= wanted.from_at AND e.read_at < wanted.to_at
        ORDER BY e.read_at DESC LIMIT 1) own ON true
 ORDER BY wanted.n
"""


async def fetch_sent_of_days(
    read: ReadConnection,
    tenant_id: str,
    customer_id: UUID,
    days: Sequence[tuple[OwnRegister, date]],
) -> list[SentOfDay]:
    """What was sent of each register and local day."""
    rows = await read.raw.fetch(
        _SENT_OF_DAY,
        tenant_id,
        customer_id,
        list(range(len(days))),
        [own.meter_id for own, _ in days],
        [own.register.flow for own, _ in days],
        [midnight_utc(own.zone, day) for own, day in days],
        [midnight_utc(own.zone, day + timedelta(days=1)) for own, day in days],
    )
    return [SentOfDay(None if row["id"] is None else entry_of(row), row["sent"]) for row in rows]


async def insert_customer_readings(
    tx: WriteConnection, tenant_id: str, customer_id: UUID, entry_ids: Sequence[UUID]
) -> None:
    """Record that the customer has sent these entries."""
    rows = [
        {"tenant_id": tenant_id, "entry_id": id_, "customer_id": customer_id} for id_ in entry_ids
    ]
    await insert_rows(tx, customer_reading, rows)
