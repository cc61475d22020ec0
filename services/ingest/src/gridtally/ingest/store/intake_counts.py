"""Intake counts: events by outcome and values by effect, per tenant and partition.

They are added to in the transaction that decides the outcome, so they always agree with the tables.
"""

from collections import Counter
from collections.abc import Collection, Sequence

from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.rows import insert_rows
from gridtally.ingest.domain.readings import OWN_STORE, Origin, Outcome, ReceivedBlocks
from gridtally.ingest.tables import intake_count

COLUMNS = (
    "received", "stored", "duplicates", "quarantined", "pending", "dropped",
    "readings_new", "readings_corrected", "readings_unchanged",
)  # fmt: skip
_ADD = "ON CONFLICT (tenant_id, partition) DO UPDATE SET " + ", ".join(
    f"{column} = intake_count.{column} + excluded.{column}" for column in COLUMNS
)


class IntakeCounts:
    """Counts of one transaction, by tenant and partition."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, int, str]] = Counter()

    def add_events(
        self, received: ReceivedBlocks, origin: Origin, outcomes: Sequence[Outcome]
    ) -> None:
        """Each block has become its outcome; what was quarantined or pending is so no more."""
        step = 1 if origin == "received" else -1
        became = Counter(zip(received.tenants, received.partitions, outcomes, strict=True))
        for (tenant_id, partition, outcome), count in became.items():
            self._counts[tenant_id, partition, origin] += step * count
            self._counts[tenant_id, partition, outcome] += count

    def add_values(self, tenant_id: str, partition: int, counts: Sequence[int]) -> None:
        """So many values were new, corrected and unchanged."""
        for effect, count in zip(("new", "corrected", "unchanged"), counts, strict=True):
            self._counts[tenant_id, partition, f"readings_{effect}"] += count

    def add_expired(self, tenant_id: str, count: int) -> None:
        """So many pending blocks were pending for too long, and are dropped."""
        self._counts[tenant_id, OWN_STORE, "pending"] -= count
        self._counts[tenant_id, OWN_STORE, "dropped"] += count

    async def save(self, tx: WriteConnection) -> None:
        """Add them to the stored ones, in one statement."""
        keys = sorted({key[:2] for key in self._counts})
        rows = [
            {"tenant_id": tenant_id, "partition": partition}
            | {column: self._counts[tenant_id, partition, column] for column in COLUMNS}
            for tenant_id, partition in keys
        ]
        await insert_rows(tx, intake_count, rows, _ADD)


# Some rows of each tenant, instead of all its pending blocks.
_PENDING = """
SELECT tenant_id, sum(pending)::bigint AS pending FROM intake_count
 WHERE tenant_id = ANY($1::text[]) GROUP BY tenant_id
"""


async def fetch_pending(read: ReadConnection, tenants: Collection[str]) -> dict[str, int]:
    """How many blocks of these tenants are pending, as far as any ever was."""
    rows = await read.raw.fetch(_PENDING, list(tenants))
    return {row["tenant_id"]: row["pending"] for row in rows}


async def fetch_dropped(read: ReadConnection) -> int:
    """How many events were dropped, of all tenants together."""
    dropped: int = await read.raw.fetchval(
        "SELECT coalesce(sum(dropped), 0)::bigint FROM intake_count"
    )
    return dropped
