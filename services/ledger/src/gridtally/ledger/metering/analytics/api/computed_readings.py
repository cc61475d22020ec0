"""`/v1/meters/{id}/readings`: the readings of a meter; those of a derived one are computed."""

from datetime import datetime
from uuid import UUID

from gridtally.contracts.metering import ActiveFlow
from gridtally.database import snapshot
from gridtally.http.context import Db, Now
from gridtally.http.json_bodies import Router
from gridtally.http.paging import Page, Paging
from gridtally.http.windows import OptionalFrom, OptionalTo, known_instant_of
from gridtally.kernel.errors import NotFound
from gridtally.ledger.callers import Reader, named_filters
from gridtally.ledger.metering.analytics.domain.consumption import EnergySource, Value
from gridtally.ledger.metering.analytics.handlers.computed_readings import fetch_values_of_sum
from gridtally.ledger.metering.analytics.schemas.computed_readings import ReadingOfMeter
from gridtally.ledger.metering.readings.api.readings import Sort, page_of_readings, position_after
from gridtally.ledger.metering.readings.schemas.readings import AsOf
from gridtally.ledger.metering.readings.store.readings import Selection
from gridtally.ledger.registry.handlers.meters import unknown_meter
from gridtally.ledger.registry.handlers.properties import fetch_property
from gridtally.ledger.registry.store.meters import fetch_meters

router = Router(prefix="/v1", tags=["readings"])


@router.get("/meters/{meter_id}/readings")
async def list_readings_of_meter(
    meter_id: UUID,
    db: Db,
    caller: Reader,
    paging: Paging,
    now: Now,
    flow: ActiveFlow | None = None,
    from_at: OptionalFrom = None,
    to_at: OptionalTo = None,
    as_of: AsOf = None,
    sort: Sort = "read_at",
) -> Page[ReadingOfMeter]:
    """A meter's readings, in the order they were taken. Those of a derived meter are computed: its
    value at each moment at which an input was read and all are known, up to now."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        known = await fetch_meters(read, caller.tenant_id, [meter_id])
        if meter_id not in known:
            raise unknown_meter()
        meter = known[meter_id].resource
        property_, _ = await fetch_property(read, caller.tenant_id, meter.property_id)
        window = (
            known_instant_of(from_at, property_.zone),
            known_instant_of(to_at, property_.zone),
        )
        if meter.is_derived:
            if flow is not None:
                raise NotFound("register_unknown", "a derived meter has no registers")
            source = EnergySource(meter, None)
            values = await fetch_values_of_sum(read, caller.tenant_id, source, window, as_of, now)
    if not meter.is_derived:
        selection = Selection(named_filters(meter_id=meter_id, flow=flow), *window, as_of)
        return await page_of_readings(
            db, caller.tenant_id, paging, selection, sort, ReadingOfMeter.of
        )
    after = position_after(paging, sort)

    def is_left(moment: datetime) -> bool:
        return after is None or (moment < after[0] if sort == "-read_at" else moment > after[0])

    left = [timed for timed in values if is_left(timed[0])]
    if sort == "-read_at":
        left.reverse()

    def computed(timed: tuple[datetime, Value]) -> ReadingOfMeter:
        return ReadingOfMeter.computed(meter, *timed)

    return paging.cut(
        left[: paging.rows], item=computed, position=lambda timed: (sort, timed[0], meter_id)
    )
