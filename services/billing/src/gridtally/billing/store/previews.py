"""What previews read beside reference data and usage; nothing is written."""

from datetime import date
from uuid import UUID

from gridtally.billing.domain.previews import Carried
from gridtally.database import ReadConnection
from gridtally.rating.state import read_state

# The index of the primary key, read backwards; a period whose newest revision has no invoice yet
# is passed over, since what it carries forward is not known.
_LAST_INVOICED = """
SELECT end_on, state FROM billed_period
 WHERE tenant_id = $1 AND agreement_id = $2 AND end_on <= $3 AND start_on < $3
   AND (invoiced_revision = revision OR unbilled IS NOT NULL)
 ORDER BY start_on DESC LIMIT 1
"""


async def fetch_last_invoiced(
    read: ReadConnection, tenant_id: str, agreement_id: UUID, before_on: date
) -> Carried | None:
    """The last period of the agreement that ended by a day and has its invoice."""
    row = await read.raw.fetchrow(_LAST_INVOICED, tenant_id, agreement_id, before_on)
    return None if row is None else Carried(row["end_on"], read_state(row["state"]))


UTC_ZONE = "UTC"
"""Whose date is today's of a meter of which nothing was ever recorded."""
_ZONE = """
SELECT zone FROM daily_usage WHERE tenant_id = $1 AND meter_id = $2 ORDER BY day DESC LIMIT 1
"""


async def fetch_zone(read: ReadConnection, tenant_id: str, meter_id: UUID) -> str | None:
    """The zone of the meter's last day with usage."""
    zone: str | None = await read.raw.fetchval(_ZONE, tenant_id, meter_id)
    return zone
