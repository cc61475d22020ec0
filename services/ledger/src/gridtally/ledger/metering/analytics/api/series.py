"""`/v1/meters/{id}/value` and `…/series`: a meter at a moment, and through a time."""

from uuid import UUID

from gridtally.contracts.metering import ActiveFlow
from gridtally.contracts.model import Instant
from gridtally.database import snapshot
from gridtally.http.context import Db, Now
from gridtally.http.json_bodies import Router
from gridtally.http.windows import From, To
from gridtally.ledger.callers import Reader
from gridtally.ledger.metering.analytics.domain.series import By, pieces
from gridtally.ledger.metering.analytics.handlers.consumption import (
    count,
    fetch_register_data,
    fetch_source,
    show,
)
from gridtally.ledger.metering.analytics.schemas.series import Series, SeriesRow, Value
from gridtally.ledger.metering.analytics.schemas.windows import window_of
from gridtally.ledger.metering.readings.schemas.readings import AsOf

router = Router(prefix="/v1", tags=["analytics"])
SERIES_ROWS_MAX = 20_000
"""The most rows of a series in one answer."""


@router.get("/meters/{meter_id}/value")
async def get_value(
    meter_id: UUID,
    db: Db,
    caller: Reader,
    now: Now,
    at: Instant | None = None,
    flow: ActiveFlow | None = None,
    as_of: AsOf = None,
) -> Value:
    """What a meter shows at a moment (now, where it is left out), times its multiplier; a derived
    one, the sum of its inputs. Between two readings it lies on a straight line, and the quality
    says so; before the first and after the last nothing is known."""
    moment = at or now
    async with snapshot(db, tenant=caller.tenant_id) as read:
        source, _ = await fetch_source(read, caller.tenant_id, meter_id, flow)
        window = (moment, moment)
        data = await fetch_register_data(read, caller.tenant_id, [source], window, as_of)
    value = data.value(source, moment)
    return Value(
        meter_id=meter_id,
        at=moment,
        value=value.kwh,
        quality=value.quality,
        missing=list(value.missing),
    )


@router.get("/meters/{meter_id}/series")
async def get_series(
    meter_id: UUID,
    db: Db,
    caller: Reader,
    from_at: From,
    to_at: To,
    by: By = "day",
    flow: ActiveFlow | None = None,
    as_of: AsOf = None,
) -> Series:
    """A meter, read or derived, through a time: what it counted in each piece, which add up to
    exactly what it counted in all, and what it shows at each piece's end."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        source, property_ = await fetch_source(read, caller.tenant_id, meter_id, flow)
        window = window_of(from_at, to_at, property_.zone)
        windows = pieces(by, property_.zone, window, SERIES_ROWS_MAX)
        data = await fetch_register_data(read, caller.tenant_id, [source], window, as_of)
    counted = await count(data, [source], windows)
    shown = await show(data, source, [end_at for _, end_at in windows])
    items = [SeriesRow.of(part, kwh) for part, kwh in zip(counted, shown, strict=True)]
    return Series(meter_id=meter_id, by=by, zone=property_.zone, items=items)
