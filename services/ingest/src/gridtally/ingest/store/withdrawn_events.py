"""Events that were withdrawn: their blocks stay stored, and count no more from then on."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.rows import insert_rows
from gridtally.ingest.domain.readings import DayKey, ReceivedBlocks
from gridtally.ingest.domain.submissions import Submission
from gridtally.ingest.tables import withdrawn_event as table


async def insert_withdrawn(
    tx: WriteConnection, tenant_id: str, submissions: Sequence[Submission], now: datetime
) -> None:
    """Withdraw the events of submissions, whether they have come back from the broker or not."""
    rows = [
        {
            "tenant_id": tenant_id,
            "meter_id": submission.block.meter_id,
            "flow": submission.block.flow,
            "event_id": submission.event_id,
            "withdrawn_at": now,
        }
        for submission in submissions
    ]
    await insert_rows(tx, table, rows, "ON CONFLICT DO NOTHING")


_WITHDRAWN = """
SELECT k.n
  FROM unnest($1::text[], $2::uuid[], $3::text[], $4::uuid[])
       WITH ORDINALITY AS k (tenant_id, meter_id, flow, event_id, n)
  JOIN withdrawn_event w USING (tenant_id, meter_id, flow, event_id)
"""


async def fetch_withdrawn(
    read: ReadConnection, received: ReceivedBlocks, indexes: Sequence[int]
) -> list[int]:
    """Those of the blocks at `indexes` whose events were withdrawn before they came."""
    rows = await read.raw.fetch(
        _WITHDRAWN,
        [received.tenants[index] for index in indexes],
        [received.blocks[index].meter_id for index in indexes],
        [received.blocks[index].flow for index in indexes],
        [received.event_ids[index] for index in indexes],
    )
    return [indexes[row["n"] - 1] for row in rows]


# A block lies in the local days around its instants, whatever the zone.
_DAYS = """
SELECT DISTINCT b.meter_id, b.flow, b.minutes, b.day
  FROM unnest($2::uuid[], $3::text[], $4::uuid[], $5::date[], $6::date[])
       AS k (meter_id, flow, event_id, from_on, to_on)
 CROSS JOIN LATERAL (
       SELECT * FROM reading_block r
        WHERE r.tenant_id = $1 AND r.meter_id = k.meter_id AND r.flow = k.flow
          AND r.event_id = k.event_id AND r.day BETWEEN k.from_on - 1 AND k.to_on + 1
       OFFSET 0) AS b
 ORDER BY 1, 2, 3, 4
"""


async def fetch_days_of(
    read: ReadConnection, tenant_id: str, submissions: Sequence[Submission]
) -> list[DayKey]:
    """The channel-days that have blocks of these submissions."""
    blocks = [submission.block for submission in submissions]
    event_ids: list[UUID | None] = [submission.event_id for submission in submissions]
    rows = await read.raw.fetch(
        _DAYS,
        tenant_id,
        [block.meter_id for block in blocks],
        [block.flow for block in blocks],
        event_ids,
        [block.start_at.date() for block in blocks],
        [block.end_at.date() for block in blocks],
    )
    return [
        DayKey(tenant_id, row["meter_id"], row["flow"], row["minutes"], row["day"]) for row in rows
    ]
