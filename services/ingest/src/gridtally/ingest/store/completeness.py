"""What is there of many channels, by day."""

from collections.abc import Sequence
from uuid import UUID

from gridtally.database import ReadConnection
from gridtally.ingest.domain.completeness import PresentDay
from gridtally.kernel.periods import Period

# Per row the letters of one quality are what is left when those of the others are taken out.
_DAYS = """
SELECT meter_id, flow, minutes, day, present, length(translate(quality, 'AS-', '')) AS estimated,
       length(translate(quality, 'AE-', '')) AS substituted, coalesce(flagged, 0) AS flagged
  FROM channel_day
  LEFT JOIN (SELECT meter_id, flow, minutes, day, count(*)::int AS flagged FROM verdict
              WHERE tenant_id = $1 AND meter_id = ANY($2::uuid[]) AND day >= $3 AND day < $4
                AND cleared_at IS NULL
              GROUP BY meter_id, flow, minutes, day) AS v USING (meter_id, flow, minutes, day)
 WHERE tenant_id = $1 AND meter_id = ANY($2::uuid[]) AND day >= $3 AND day < $4
"""


async def fetch_present_days(
    read: ReadConnection, tenant_id: str, meter_ids: Sequence[UUID], window: Period
) -> list[PresentDay]:
    """The channel-days of these meters that have anything."""
    rows = await read.raw.fetch(_DAYS, tenant_id, meter_ids, window.start_on, window.end_on)
    return [PresentDay(*row) for row in rows]
