"""`/v1/meters/{id}/stats`: figures about a meter's values."""

from uuid import UUID

from gridtally.contracts.metering import ActiveFlow
from gridtally.database import snapshot
from gridtally.http.context import Db, Now
from gridtally.http.json_bodies import Router
from gridtally.http.windows import OptionalFrom, OptionalTo, known_instant_of
from gridtally.ledger.callers import Reader
from gridtally.ledger.metering.analytics.handlers.consumption import fetch_source
from gridtally.ledger.metering.analytics.handlers.statistics import fetch_statistics
from gridtally.ledger.metering.analytics.schemas.statistics import Statistics
from gridtally.ledger.metering.readings.schemas.readings import AsOf

router = Router(prefix="/v1", tags=["analytics"])


@router.get("/meters/{meter_id}/stats")
async def get_stats(
    meter_id: UUID,
    db: Db,
    caller: Reader,
    now: Now,
    flow: ActiveFlow | None = None,
    from_at: OptionalFrom = None,
    to_at: OptionalTo = None,
    as_of: AsOf = None,
) -> Statistics:
    """Count, least, greatest, mean, first and last of a meter's values. For a derived meter, of its
    values at each moment at which an input was read and all are known."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        source, property_ = await fetch_source(read, caller.tenant_id, meter_id, flow)
        begin = known_instant_of(from_at, property_.zone)
        end = known_instant_of(to_at, property_.zone)
        figures = await fetch_statistics(read, caller.tenant_id, source, (begin, end), as_of, now)
    return Statistics.of(meter_id, source.flow, figures)
