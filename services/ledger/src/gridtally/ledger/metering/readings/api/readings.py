"""`/v1/readings`, and the readings of meters and properties: entered, corrected, withdrawn.

Underneath nothing is changed: a correction is another entry, and `as_of` shows what was known.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Annotated, Literal, TypeVar
from uuid import UUID

from fastapi import Query, Response
from pydantic import BaseModel

from gridtally.contracts.metering import ActiveFlow, Quality, ReadingKind
from gridtally.database import WriteConnection, snapshot, transaction
from gridtally.http.context import Db, Now
from gridtally.http.etags import OptionalMatch, etag, tag
from gridtally.http.grouped_posts import GroupedPosts
from gridtally.http.idempotency import Answer, Idempotent, IdempotentRequest
from gridtally.http.json_bodies import Router
from gridtally.http.paging import Page, PageRequest, Paging
from gridtally.http.problems import to_errors
from gridtally.http.windows import OptionalFrom, OptionalTo, known_instant_of
from gridtally.kernel.errors import Fault, Rejected
from gridtally.kernel.resources import Cause
from gridtally.ledger.callers import Reader, WriteCause, instant, named_filters
from gridtally.ledger.metering.readings.domain.readings import RecordedEntry
from gridtally.ledger.metering.readings.handlers import readings
from gridtally.ledger.metering.readings.handlers.readings import AcceptedReading, ReadingRequest
from gridtally.ledger.metering.readings.schemas.readings import (
    AsOf,
    EnteredReading,
    ItemResult,
    ItemResults,
    NewReading,
    NewReadingOfMeter,
    NewReadings,
    Note,
    Reading,
    ReadingReplacement,
)
from gridtally.ledger.metering.readings.store import readings as store
from gridtally.ledger.metering.readings.store.readings import Selection
from gridtally.ledger.refused_items import at_item, require_doable
from gridtally.ledger.registry.domain.meters import Meter
from gridtally.ledger.registry.handlers.properties import fetch_property

router = Router(prefix="/v1", tags=["readings"])
T = TypeVar("T", bound=BaseModel)
Sort = Literal["read_at", "-read_at"]


@router.post("/meters/{meter_id}/readings", status_code=201, response_model=EnteredReading)
async def record_reading(
    meter_id: UUID, new: NewReading, db: Db, cause: WriteCause, request: Idempotent, now: Now
) -> Response:
    """Enter a reading of a meter; the same again answers 200 with what exists.

    Refused for a derived meter, a moment that lies in the future and a negative value. Warnings in
    the answer report a reading earlier than the last one, a value lower than that of the reading
    before it in time, and one higher than that after it.
    """
    requested = ReadingRequest(meter_id, new.flow, new.to_domain(now))
    return await _SINGLES.answer(db, cause.tenant_id, meter_id, request, (requested, cause, now))


async def _record_singles(
    tx: WriteConnection,
    tenant_id: str,
    singles: Sequence[tuple[ReadingRequest, Cause, datetime]],
) -> list[Answer | Rejected]:
    """Enter readings of different meters, each asked for by itself."""
    now = max(asked_at for _, _, asked_at in singles)
    caused = [(requested, cause) for requested, cause, _ in singles]
    outcomes = await readings.record_caused_readings(tx, tenant_id, caused, now)
    return [own if isinstance(own, Rejected) else _answer(own) for own in outcomes]


_SINGLES = GroupedPosts(_record_singles, store.GROWING)


def _answer(accepted: AcceptedReading) -> Answer:
    body = EnteredReading.of_accepted(accepted)
    return Answer(201 if accepted.created else 200, body, {"ETag": etag(body.version)})


@router.post("/readings/batch", status_code=201, response_model=ItemResults)
async def record_readings_of_meters(
    new: NewReadings, db: Db, cause: WriteCause, request: Idempotent, now: Now
) -> Response:
    """Enter readings of meters of any properties, named by `meter_id`: all or nothing, or item by
    item.

    201 where something was entered, 200 where all existed already, 422 where nothing could be.
    """
    async with transaction(db, tenant=cause.tenant_id) as tx:
        if (stored_answer := await request.fetch_answer(tx)) is not None:
            return stored_answer
        requested = [_request_by_id(item, now) for item in new.items]
        return await _record(tx, cause, request, new, requested, now)


@router.post("/properties/{property_id}/readings", status_code=201, response_model=ItemResults)
async def record_readings(
    property_id: UUID, new: NewReadings, db: Db, cause: WriteCause, request: Idempotent, now: Now
) -> Response:
    """Enter readings of several meters of a property: all or nothing, or item by item.

    201 where something was entered, 200 where all existed already, 422 where nothing could be.
    """
    async with transaction(db, tenant=cause.tenant_id) as tx:
        if (stored_answer := await request.fetch_answer(tx)) is not None:
            return stored_answer
        _, meters = await fetch_property(tx, cause.tenant_id, property_id)
        requested = [_request_of(item, meters, now) for item in new.items]
        return await _record(tx, cause, request, new, requested, now)


async def _record(
    tx: WriteConnection,
    cause: Cause,
    request: IdempotentRequest,
    new: NewReadings,
    requested: list[ReadingRequest | Rejected],
    now: datetime,
) -> Response:
    """Enter what can be entered, and answer what became of each item."""
    possible = [item for item in requested if isinstance(item, ReadingRequest)]
    recorded = iter(await readings.record_readings(tx, cause, possible, now))
    outcomes = [next(recorded) if isinstance(item, ReadingRequest) else item for item in requested]
    refused = require_doable(outcomes, "readings", new.mode)
    results = [_item_result(index, outcome) for index, outcome in enumerate(outcomes)]
    accepted = sum(result.status == "accepted" for result in results)
    unchanged = len(results) - refused - accepted
    body = ItemResults(accepted=accepted, unchanged=unchanged, refused=refused, items=results)
    return await request.store_answer(tx, 201 if accepted else 200, body)


def _request_by_id(item: NewReadingOfMeter, now: datetime) -> ReadingRequest | Rejected:
    """The reading of the meter that is named by its id alone."""
    if item.meter_id is None or item.meter_type is not None:
        fault = Fault("/meter_id", "must be given, and `meter_type` left out")
        return Rejected("meter_unnamed", "a reading names its meter by id", (fault,))
    return ReadingRequest(item.meter_id, item.flow, item.to_domain(now))


def _request_of(
    item: NewReadingOfMeter, meters: list[Meter], now: datetime
) -> ReadingRequest | Rejected:
    """The reading with its meter, which must be the property's."""
    if (item.meter_id is None) == (item.meter_type is None):
        fault = Fault("/meter_id", "must be given, or `meter_type` instead")
        return Rejected("meter_unnamed", "a reading names its meter by id or by type", (fault,))
    named = [
        meter.id
        for meter in meters
        if meter.id == item.meter_id or meter.meter_type == item.meter_type
    ]
    if len(named) != 1:
        path = "/meter_type" if item.meter_id is None else "/meter_id"
        fault = Fault(path, "must name one meter of this property")
        return Rejected("foreign_meter", "the property has no such meter, or several", (fault,))
    return ReadingRequest(named[0], item.flow, item.to_domain(now))


def _item_result(index: int, outcome: AcceptedReading | Rejected) -> ItemResult:
    if isinstance(outcome, Rejected):
        return ItemResult(
            index=index,
            status="refused",
            code=outcome.code,
            detail=outcome.detail,
            errors=to_errors(at_item(outcome, index).faults),
        )
    return ItemResult(
        index=index,
        status="accepted" if outcome.created else "unchanged",
        reading=EnteredReading.of_accepted(outcome),
    )


@router.get("/readings")
async def list_readings(
    db: Db,
    caller: Reader,
    paging: Paging,
    meter_id: UUID | None = None,
    property_id: UUID | None = None,
    flow: ActiveFlow | None = None,
    kind: ReadingKind | None = None,
    quality: Quality | None = None,
    from_at: OptionalFrom = None,
    to_at: OptionalTo = None,
    as_of: AsOf = None,
    sort: Sort = "read_at",
) -> Page[Reading]:
    """Readings that count, in the order they were taken, now or as known at `as_of`.

    A day begins where the property or meter is that is named, else at midnight of the tenant's
    zone.
    """
    filters = named_filters(
        meter_id=meter_id, property_id=property_id, flow=flow, kind=kind, quality=quality
    )
    window = await window_at(db, caller.tenant_id, (from_at, to_at), meter_id, property_id)
    selection = Selection(filters, *window, as_of)
    return await page_of_readings(db, caller.tenant_id, paging, selection, sort, Reading.of)


async def window_at(
    db: Db,
    tenant_id: str,
    ends: tuple[datetime | date | None, datetime | date | None],
    meter_id: UUID | None,
    property_id: UUID | None,
) -> tuple[datetime | None, datetime | None]:
    """The instants that are meant by `from` and `to`: a day begins where the meter or property is
    that is named, else in the tenant's zone. Where none is a day, nothing is looked up."""
    zone = "UTC"
    if any(end is not None and not isinstance(end, datetime) for end in ends):
        async with snapshot(db, tenant=tenant_id) as read:
            zone = await readings.fetch_zone(read, tenant_id, meter_id, property_id)
    return known_instant_of(ends[0], zone), known_instant_of(ends[1], zone)


async def page_of_readings(
    db: Db,
    tenant_id: str,
    paging: PageRequest,
    selection: Selection,
    sort: Sort,
    item: Callable[[RecordedEntry], T],
) -> Page[T]:
    """A page of the readings that count, each as `item` shows it."""
    after = position_after(paging, sort)
    async with snapshot(db, tenant=tenant_id) as read:
        rows = await store.list_readings(
            read, tenant_id, selection, after, paging.rows, descending=sort == "-read_at"
        )
    return paging.cut(
        rows,
        item=item,
        position=lambda recorded: (sort, recorded.entry.read_at, recorded.entry.reading_id),
    )


def position_after(paging: PageRequest, sort: Sort) -> store.Position | None:
    """Where a page begins; Rejected for the cursor of another order."""

    def same_sort(name: str) -> str:
        if name != sort:
            raise ValueError("the cursor is of another order")
        return name

    position = paging.after(same_sort, instant, UUID)
    return (position[1], position[2]) if position is not None else None


@router.get("/readings/{reading_id}")
async def get_reading(
    reading_id: UUID, db: Db, caller: Reader, response: Response, as_of: AsOf = None
) -> Reading:
    """A reading as it counts, now or as known at `as_of`; 404 once it was withdrawn."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        recorded = await readings.fetch_reading(read, caller.tenant_id, reading_id, as_of)
    tag(response, recorded.entry.version)
    return Reading.of(recorded)


@router.get("/readings/{reading_id}/history")
async def get_history(
    reading_id: UUID, db: Db, caller: Reader, as_of: AsOf = None
) -> list[Reading]:
    """Every entry of a reading, oldest first, also of one that was withdrawn or whose meter was
    removed."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        history = await readings.fetch_history(read, caller.tenant_id, reading_id, as_of)
    return [Reading.of(recorded) for recorded in history]


@router.put("/readings/{reading_id}")
async def change_reading(
    reading_id: UUID,
    replacement: ReadingReplacement,
    db: Db,
    cause: WriteCause,
    if_match: OptionalMatch,
    response: Response,
    now: Now,
) -> EnteredReading:
    """Correct a reading: another entry supersedes the last one, which stays in its history."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        accepted = await readings.change_reading(
            tx, cause, reading_id, replacement.to_domain(), now, check=if_match.check
        )
    tag(response, accepted.recorded.entry.version)
    return EnteredReading.of_accepted(accepted)


@router.delete("/readings/{reading_id}", status_code=204)
async def withdraw_reading(
    reading_id: UUID,
    db: Db,
    cause: WriteCause,
    if_match: OptionalMatch,
    note: Annotated[Note, Query(description="Why it is withdrawn")] = "",
) -> None:
    """Withdraw a reading, which then counts no more and stays in its history; of an exchange, both
    readings."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        await readings.withdraw_reading(tx, cause, reading_id, note, check=if_match.check)
