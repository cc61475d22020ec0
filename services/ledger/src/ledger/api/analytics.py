"""What meters counted and show: current readings, consumption, series, statistics, balances.

Times are [from, to). Either end is an instant with its zone, or a day, which begins at midnight
where the property is.
"""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BeforeValidator, Field

from contracts.metering import Flow
from contracts.model import READ_EXACTLY, Instant
from database import snapshot, transaction
from kernel.errors import Fault, Rejected
from kernel.periods import midnight_utc
from ledger.api import energy as bodies
from ledger.api.energy import (
    Conservation,
    ConsumptionTable,
    CurrentReading,
    CurrentReadings,
    Definition,
    NewDefinition,
    PropertyConsumption,
    Series,
    SeriesRow,
    Stats,
    Taken,
    Value,
)
from ledger.api.models import Reader, WriteCause
from ledger.api.registers import AsOf
from ledger.domain.moments import EARLIEST_ON, LATEST_ON
from ledger.domain.tables import By, pieces
from ledger.handlers import energy, statistics
from ledger.handlers.energy import Counted, Window
from serving.context import Db
from serving.idempotency import Idempotent

router = APIRouter(prefix="/v1", tags=["analytics"])
TABLE_ROWS_MAX = 20_000
"""The most rows of a table or series in one answer."""
LOSS_PERCENT_MAX = Decimal(10)
"""What a grid may lose, unless the caller says otherwise."""


def _only_a_day(text: object) -> object:
    """Pydantic would take a midnight without a zone for a day."""
    if isinstance(text, str) and len(text) != len("2025-04-01"):
        raise ValueError("must be a day, or an instant with its zone")
    return text


LocalDay = Annotated[date, Field(ge=EARLIEST_ON, le=LATEST_ON), BeforeValidator(_only_a_day)]
From = Annotated[Instant | LocalDay, Query(alias="from", description="An instant or a local day")]
To = Annotated[Instant | LocalDay, Query(alias="to", description="An instant or a local day")]


def window_of(from_at: datetime | date, to_at: datetime | date, zone: str) -> Window:
    """The instants that are meant; Rejected for a time that ends before it begins."""
    window = (_instant(from_at, zone), _instant(to_at, zone))
    if window[0] >= window[1]:
        fault = Fault("/query/to", "must lie after `from`")
        raise Rejected("empty_window", "`from` must lie before `to`", (fault,))
    return window


def _instant(at: datetime | date, zone: str) -> datetime:
    return at if isinstance(at, datetime) else midnight_utc(zone, at)


@router.get("/properties/{property_id}/current-readings")
async def get_current_readings(
    property_id: UUID, db: Db, caller: Reader, as_of: AsOf = None
) -> CurrentReadings:
    """The last reading of each of a property's meters, with the derived ones computed."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        _, own = await energy.fetch_place(read, caller.tenant_id, property_id)
        upto = as_of or datetime.now(UTC)
        found = await energy.fetch_current(read, caller.tenant_id, own, upto, as_of)
    items = [
        CurrentReading(
            meter_id=one.counter.meter.id,
            type=one.counter.meter.type,
            name=one.counter.meter.name,
            flow=one.counter.flow,
            derived=one.counter.meter.derived,
            value=one.value,
            multiplier=one.multiplier,
            quality=one.quality,
            read_at=one.read_at,
            reading_id=one.reading_id,
            aligned=one.aligned,
            missing=list(one.missing),
        )
        for one in found
    ]
    return CurrentReadings(property_id=property_id, as_of=as_of, items=items)


@router.get("/properties/{property_id}/consumption")
async def get_consumption(
    property_id: UUID, db: Db, caller: Reader, from_at: From, to_at: To, as_of: AsOf = None
) -> PropertyConsumption:
    """What each meter of a property counted in a time, over rollovers and exchanges. Between two
    readings it is a straight line, and the quality says so."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        place, own = await energy.fetch_place(read, caller.tenant_id, property_id)
        window = window_of(from_at, to_at, place.zone)
        counters = energy.counters_of(own)
        known = await energy.fetch_known(read, caller.tenant_id, counters, window, as_of)
    found = await energy.count(known, counters, [window])
    return PropertyConsumption(
        property_id=property_id,
        zone=place.zone,
        from_at=window[0],
        to_at=window[1],
        as_of=as_of,
        items=[shown_consumption(one) for one in found],
    )


@router.get("/properties/{property_id}/consumption/table")
async def get_consumption_table(
    property_id: UUID,
    db: Db,
    caller: Reader,
    from_at: From,
    to_at: To,
    by: Literal["day", "month"] = "month",
    as_of: AsOf = None,
) -> ConsumptionTable:
    """What each meter of a property counted on each local day, or in each month."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        place, own = await energy.fetch_place(read, caller.tenant_id, property_id)
        window = window_of(from_at, to_at, place.zone)
        counters = energy.counters_of(own)
        rows = pieces(by, place.zone, *window, TABLE_ROWS_MAX // max(len(counters), 1))
        known = await energy.fetch_known(read, caller.tenant_id, counters, window, as_of)
    found = await energy.count(known, counters, rows)
    return ConsumptionTable(
        property_id=property_id,
        zone=place.zone,
        from_at=window[0],
        to_at=window[1],
        as_of=as_of,
        by=by,
        items=[shown_consumption(one) for one in found],
    )


def shown_consumption(one: Counted) -> bodies.Consumption:
    """What was counted as the API shows it."""
    meter, found = one.counter.meter, one.consumption
    return bodies.Consumption(
        meter_id=meter.id,
        type=meter.type,
        name=meter.name,
        flow=one.counter.flow,
        derived=meter.derived,
        start_at=one.window[0],
        end_at=one.window[1],
        kwh=found.kwh,
        quality=found.quality,
        complete=found.complete,
        known_from=found.begin_at,
        known_to=found.end_at,
        rollovers=found.events.rollovers,
        exchanges=found.events.exchanges,
        falls=found.events.falls,
    )


@router.get("/properties/{property_id}/conservation")
async def check_conservation(
    property_id: UUID,
    db: Db,
    caller: Reader,
    from_at: From,
    to_at: To,
    loss_percent_max: Annotated[
        Decimal, Query(ge=0, le=100, max_digits=50, decimal_places=34), READ_EXACTLY
    ] = LOSS_PERCENT_MAX,
    as_of: AsOf = None,
) -> Conservation:
    """Whether what a property was supplied went through the meters below it: main = subs + losses.

    Supplied is what its main meters count (where there is none, `total`) and what solar meters
    generate; metered are its sub meters and the main meters of the properties under it.
    """
    async with snapshot(db, tenant=caller.tenant_id) as read:
        place, _ = await energy.fetch_place(read, caller.tenant_id, property_id)
        window = window_of(from_at, to_at, place.zone)
        found = await statistics.check_conservation(
            read, caller.tenant_id, property_id, window, as_of
        )
    sides: dict[str, list[bodies.Part]] = {"supplied": [], "metered": []}
    for share, each in found.parts:
        sides[share.side].append(
            bodies.Part(
                meter_id=share.meter.id,
                property_id=share.meter.property_id,
                type=share.meter.type,
                name=share.meter.name,
                flow=share.flow,
                sign=share.sign,
                kwh=each.kwh,
                quality=each.quality,
                complete=each.complete,
            )
        )
    sums = found.balance
    return Conservation(
        property_id=property_id,
        from_at=window[0],
        to_at=window[1],
        supplied=sides["supplied"],
        metered=sides["metered"],
        supplied_kwh=sums.supplied_kwh,
        metered_kwh=sums.metered_kwh,
        unaccounted_kwh=sums.unaccounted_kwh,
        unaccounted_percent=sums.unaccounted_percent,
        quality=sums.quality,
        ok=sums.ok(loss_percent_max),
    )


@router.get("/meters/{meter_id}/stats")
async def get_stats(
    meter_id: UUID,
    db: Db,
    caller: Reader,
    flow: Flow | None = None,
    from_at: Annotated[Instant | LocalDay | None, Query(alias="from")] = None,
    to_at: Annotated[Instant | LocalDay | None, Query(alias="to")] = None,
    as_of: AsOf = None,
) -> Stats:
    """Count, least, greatest, mean, first and last of a meter's values. For a derived meter, of its
    values at each moment at which an input was read and all are known."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        counter, place = await energy.fetch_counter(read, caller.tenant_id, meter_id, flow)
        begin = None if from_at is None else _instant(from_at, place.zone)
        end = None if to_at is None else _instant(to_at, place.zone)
        found = await statistics.fetch_stats(
            read, caller.tenant_id, counter, (begin, end), as_of, datetime.now(UTC)
        )
    ends = {
        name: each and Taken(value=each.value, read_at=each.at, reading_id=each.reading_id)
        for name, each in (("first", found.first), ("last", found.last))
    }
    return Stats(
        meter_id=meter_id,
        flow=counter.flow,
        count=found.count,
        min=found.min,
        max=found.max,
        mean=found.mean,
        **ends,
    )


@router.get("/meters/{meter_id}/value")
async def get_value(
    meter_id: UUID,
    db: Db,
    caller: Reader,
    at: Instant | None = None,
    flow: Flow | None = None,
    as_of: AsOf = None,
) -> Value:
    """What a meter shows at a moment (now, where it is left out), times its multiplier; a derived
    one, the sum of its inputs. Between two readings it lies on a straight line, and the quality
    says so; before the first and after the last nothing is known."""
    moment = at or datetime.now(UTC)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        counter, _ = await energy.fetch_counter(read, caller.tenant_id, meter_id, flow)
        known = await energy.fetch_known(read, caller.tenant_id, [counter], (moment, moment), as_of)
    found = known.value(counter, moment)
    return Value(
        meter_id=meter_id,
        at=moment,
        value=found.kwh,
        quality=found.quality,
        missing=list(found.missing),
    )


@router.get("/meters/{meter_id}/series")
async def get_series(
    meter_id: UUID,
    db: Db,
    caller: Reader,
    from_at: From,
    to_at: To,
    by: By = "day",
    flow: Flow | None = None,
    as_of: AsOf = None,
) -> Series:
    """A meter, read or derived, through a time: what it counted in each piece, which add up to
    exactly what it counted in all, and what it shows at each piece's end."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        counter, place = await energy.fetch_counter(read, caller.tenant_id, meter_id, flow)
        window = window_of(from_at, to_at, place.zone)
        rows = pieces(by, place.zone, *window, TABLE_ROWS_MAX)
        known = await energy.fetch_known(read, caller.tenant_id, [counter], window, as_of)
    found = await energy.count(known, [counter], rows)
    shown = await energy.show(known, counter, [one.window[1] for one in found])
    items = [
        SeriesRow(
            start_at=one.window[0],
            end_at=one.window[1],
            kwh=one.consumption.kwh,
            value=value,
            quality=one.consumption.quality,
            complete=one.consumption.complete,
        )
        for one, value in zip(found, shown, strict=True)
    ]
    return Series(meter_id=meter_id, by=by, zone=place.zone, items=items)


@router.post("/meters/{meter_id}/definitions", status_code=201, response_model=Definition)
async def define_meter(
    meter_id: UUID, new: NewDefinition, db: Db, cause: WriteCause, once: Idempotent
) -> Response:
    """Say what a derived meter is the sum of, from a local day on. Earlier days keep what they had;
    of two versions from one day the later one counts. A circle is refused."""
    terms = [term.to_domain() for term in new.terms]
    async with transaction(db, tenant=cause.tenant_id) as tx:
        if (told := await once.recall(tx)) is not None:
            return told
        made = await energy.define_meter(tx, cause, meter_id, new.from_on, terms)
        return await once.keep(tx, 201, Definition.of(made))


@router.get("/meters/{meter_id}/definitions")
async def list_definitions(
    meter_id: UUID, db: Db, caller: Reader, as_of: AsOf = None
) -> list[Definition]:
    """The versions of a derived meter's definition, oldest first."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        found = await energy.fetch_definitions(read, caller.tenant_id, meter_id, as_of)
    return [Definition.of(one) for one in found]
