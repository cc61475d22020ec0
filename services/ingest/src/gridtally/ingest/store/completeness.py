"""What is there of many channels, by day."""

from collections.abc import Sequence
from uuid import UUID

from gridtally.database import ReadConnection
from gridtally.ingest.domain.completeness import PresentDay
from gridtally.ingest.store.archive.archive import ALL_FLOWS, Archive
from gridtally.ingest.store.series import count_of
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


_FLAGGED = """
SELECT meter_id, flow, minutes, day, count(*)::int AS flagged FROM verdict
 WHERE tenant_id = $1 AND meter_id = ANY($2::uuid[]) AND day >= $3 AND day < $4
   AND cleared_at IS NULL
 GROUP BY meter_id, flow, minutes, day
"""


async def fetch_present_days(
    read: ReadConnection,
    archive: Archive,
    tenant_id: str,
    meter_ids: Sequence[UUID],
    window: Period,
) -> list[PresentDay]:
    """The channel-days of these meters that have anything."""
    bounds = (window.start_on, window.end_on)
    rows = await read.raw.fetch(_DAYS, tenant_id, meter_ids, *bounds)
    present = [PresentDay(*row) for row in rows]
    archived = await archive.fetch_channels(
        read, tenant_id, meter_ids, ALL_FLOWS, window, with_facts=True
    )
    if archived:
        verdicts = await read.raw.fetch(_FLAGGED, tenant_id, meter_ids, *bounds)
        flagged = {tuple(row)[:4]: row["flagged"] for row in verdicts}
        for part in archived:
            name = (part.meter_id, part.flow, part.minutes)
            days = part.stored.by_day().items()
            present += [
                PresentDay(
                    *name, day, facts.present, count_of(letters, "E"), count_of(letters, "S"),
                    flagged.get((*name, day), 0),
                )
                for (day, (_, letters)), facts in zip(days, part.facts, strict=True)
            ]  # fmt: skip
    return present
