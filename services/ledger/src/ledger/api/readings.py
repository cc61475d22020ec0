"""`/v1/readings`, and the readings of meters and properties: entered, corrected, looked back at.

Underneath nothing is changed: a correction is another entry, and `as_of` shows what was known.
"""

from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response

from contracts.metering import Flow, ReadingKind
from contracts.metering import Quality as Entered
from contracts.model import Instant
from database import snapshot, transaction
from kernel.errors import Fault, Rejected
from ledger.api.models import Reader, WriteCause, given, instant
from ledger.api.registers import (
    AsOf,
    EnteredReading,
    Exchange,
    NewExchange,
    NewReading,
    NewReadingOfMeter,
    NewReadings,
    Note,
    Outcome,
    Outcomes,
    Reading,
    WholeReading,
)
from ledger.api.registers import Fault as ShownFault
from ledger.domain.readings import Wanted, register_of
from ledger.domain.registry import Meter
from ledger.handlers import energy, readings, registry
from ledger.handlers.readings import Accepted, Asked
from ledger.store import meters
from ledger.store import readings as store
from ledger.store.readings import Selection
from serving.context import Db
from serving.etags import OptionalMatch, etag, tag
from serving.idempotency import Idempotent
from serving.paging import Page, PageRequest, Paging
from serving.problems import shown_faults

router = APIRouter(prefix="/v1", tags=["readings"])
From = Annotated[Instant | None, Query(alias="from", description="Taken then or later")]
To = Annotated[Instant | None, Query(alias="to", description="Taken before then")]
Sort = Literal["read_at", "-read_at"]


@router.post("/meters/{meter_id}/readings", status_code=201, response_model=EnteredReading)
async def record_reading(
    meter_id: UUID, new: NewReading, db: Db, cause: WriteCause, once: Idempotent
) -> Response:
    """Enter a reading of a meter; the same again answers 200 with what exists.

    Refused for a derived meter, a moment that lies in the future and a negative value. Warnings in
    the answer tell of a reading earlier than the last one, and of a value lower than the last.
    """
    now = datetime.now(UTC)
    async with transaction(db, tenant=cause.tenant_id) as tx:
        if (told := await once.recall(tx)) is not None:
            return told
        asked = Asked(meter_id, new.flow, new.wanted(now))
        [answer] = await readings.record_readings(tx, cause, [asked], now)
        if isinstance(answer, Rejected):
            raise answer
        shown = EnteredReading.accepted(answer)
        headers = {"ETag": etag(shown.version)}
        return await once.keep(tx, 201 if answer.created else 200, shown, headers)


@router.post("/properties/{property_id}/readings", status_code=201, response_model=Outcomes)
async def record_readings(
    property_id: UUID, new: NewReadings, db: Db, cause: WriteCause, once: Idempotent
) -> Response:
    """Enter readings of several meters of a property: all or nothing, or item by item.

    201 where something was entered, 200 where all was there already, 422 where nothing could be.
    """
    now = datetime.now(UTC)
    async with transaction(db, tenant=cause.tenant_id) as tx:
        if (told := await once.recall(tx)) is not None:
            return told
        _, own = await energy.fetch_place(tx, cause.tenant_id, property_id)
        asked = [_asked(one, own, now) for one in new.items]
        known = [one for one in asked if isinstance(one, Asked)]
        answered = iter(await readings.record_readings(tx, cause, known, now))
        answers = [one if isinstance(one, Rejected) else next(answered) for one in asked]
        outcomes = [_outcome(n, answer) for n, answer in enumerate(answers)]
        refused = sum(one.status == "refused" for one in outcomes)
        accepted = sum(one.status == "accepted" for one in outcomes)
        if refused == len(outcomes) or (refused and new.mode == "all_or_nothing"):
            raise _refused(outcomes, new.mode)
        unchanged = len(outcomes) - refused - accepted
        shown = Outcomes(accepted=accepted, unchanged=unchanged, refused=refused, items=outcomes)
        return await once.keep(tx, 201 if accepted else 200, shown)


def _asked(one: NewReadingOfMeter, own: list[Meter], now: datetime) -> Asked | Rejected:
    """The reading with its meter, which must be the property's."""
    if (one.meter_id is None) == (one.type is None):
        fault = Fault("/meter_id", "must be given, or `type` instead")
        return Rejected("meter_unnamed", "a reading names its meter by id or by type", (fault,))
    fitting = [meter.id for meter in own if one.meter_id == meter.id or one.type == meter.type]
    if len(fitting) != 1:
        where = "/type" if one.meter_id is None else "/meter_id"
        fault = Fault(where, "must name one meter of this property")
        return Rejected("foreign_meter", "the property has no such meter, or several", (fault,))
    return Asked(fitting[0], one.flow, one.wanted(now))


def _outcome(n: int, answer: Accepted | Rejected) -> Outcome:
    if isinstance(answer, Rejected):
        own = answer.faults or (Fault("", answer.detail),)
        shown_here = shown_faults([Fault(f"/items/{n}{each.path}", each.detail) for each in own])
        faults = [ShownFault(path=each.path, detail=each.detail) for each in shown_here]
        return Outcome(
            index=n, status="refused", code=answer.code, detail=answer.detail, faults=faults
        )
    shown = EnteredReading.accepted(answer)
    return Outcome(index=n, status="accepted" if answer.created else "unchanged", reading=shown)


def _refused(outcomes: list[Outcome], mode: str) -> Rejected:
    """The answer where nothing is entered; it has the code that all refused items share."""
    refused = [one for one in outcomes if one.status == "refused"]
    codes = {one.code for one in refused}
    faults = tuple(Fault(each.path, each.detail) for one in refused for each in one.faults)
    code = str(codes.pop()) if len(codes) == 1 else "readings_refused"
    why = "nothing is entered" if mode == "all_or_nothing" else "none could be entered"
    return Rejected(code, f"{len(refused)} of {len(outcomes)} readings are refused: {why}", faults)


@router.post("/meters/{meter_id}/exchanges", status_code=201, response_model=Exchange)
async def exchange_meter(
    meter_id: UUID, new: NewExchange, db: Db, cause: WriteCause, once: Idempotent
) -> Response:
    """Replace a meter: the old one's closing read and the new one's opening read, in one step.

    What is counted goes on from one to the other; nothing was used between the two.
    """
    now = datetime.now(UTC)
    at = new.read_at or now
    async with transaction(db, tenant=cause.tenant_id) as tx:
        if (told := await once.recall(tx)) is not None:
            return told
        held, _ = await registry.lock_meter(tx, cause.tenant_id, meter_id)
        dial = new.dial.after(register_of(held.thing, new.flow))
        final, initial = await readings.exchange_meter(
            tx,
            cause,
            Asked(meter_id, new.flow, Wanted(new.final_value, at, note=new.note)),
            Wanted(new.initial_value, at, note=new.note),
            dial,
            now,
        )
        shown = Exchange.model_validate(
            {
                "exchange_id": final.entry.exchange_id,
                "final": Reading.of(final),
                "initial": Reading.of(initial),
            }
        )
        return await once.keep(tx, 201, shown)


@router.get("/readings")
async def list_readings(
    db: Db,
    caller: Reader,
    paging: Paging,
    meter_id: UUID | None = None,
    property_id: UUID | None = None,
    flow: Flow | None = None,
    kind: ReadingKind | None = None,
    quality: Entered | None = None,
    from_at: From = None,
    to_at: To = None,
    as_of: AsOf = None,
    sort: Sort = "read_at",
) -> Page[Reading]:
    """Readings that count, in the order they were taken, now or as known at `as_of`."""
    filters = given(
        meter_id=meter_id, property_id=property_id, flow=flow, kind=kind, quality=quality
    )
    selection = Selection(filters, from_at, to_at, as_of)
    return await _page(db, caller.tenant_id, paging, selection, sort)


@router.get("/meters/{meter_id}/readings")
async def list_readings_of_meter(
    meter_id: UUID,
    db: Db,
    caller: Reader,
    paging: Paging,
    flow: Flow | None = None,
    from_at: From = None,
    to_at: To = None,
    as_of: AsOf = None,
    sort: Sort = "read_at",
) -> Page[Reading]:
    """A meter's readings, in the order they were taken; a derived meter has none."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        if not await meters.fetch_meters(read, caller.tenant_id, [meter_id]):
            raise registry.unknown_meter()
    selection = Selection(given(meter_id=meter_id, flow=flow), from_at, to_at, as_of)
    return await _page(db, caller.tenant_id, paging, selection, sort)


async def _page(
    db: Db, tenant_id: str, paging: PageRequest, selection: Selection, sort: Sort
) -> Page[Reading]:
    def same(name: str) -> str:
        if name != sort:
            raise ValueError("a cursor of another order")
        return name

    found = paging.after(same, instant, UUID)
    after = (found[1], found[2]) if found is not None else None
    async with snapshot(db, tenant=tenant_id) as read:
        rows = await store.list_readings(
            read, tenant_id, selection, after, paging.rows, descending=sort == "-read_at"
        )
    return paging.cut(
        rows,
        item=Reading.of,
        position=lambda one: (sort, one.entry.read_at, one.entry.reading_id),
    )


@router.get("/readings/{reading_id}")
async def get_reading(
    reading_id: UUID, db: Db, caller: Reader, response: Response, as_of: AsOf = None
) -> Reading:
    """A reading as it counts, now or as known at `as_of`; 404 once it was withdrawn."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        found = await readings.fetch_reading(read, caller.tenant_id, reading_id, as_of)
    tag(response, found.entry.version)
    return Reading.of(found)


@router.get("/readings/{reading_id}/history")
async def get_history(
    reading_id: UUID, db: Db, caller: Reader, as_of: AsOf = None
) -> list[Reading]:
    """Every entry of a reading, oldest first, also of one that was withdrawn or whose meter is
    gone."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        found = await readings.fetch_history(read, caller.tenant_id, reading_id, as_of)
    return [Reading.of(one) for one in found]


@router.put("/readings/{reading_id}")
async def change_reading(
    reading_id: UUID,
    whole: WholeReading,
    db: Db,
    cause: WriteCause,
    if_match: OptionalMatch,
    response: Response,
) -> EnteredReading:
    """Correct a reading: another entry supersedes the last one, which stays in its history."""
    now = datetime.now(UTC)
    async with transaction(db, tenant=cause.tenant_id) as tx:
        answer = await readings.change_reading(
            tx, cause, reading_id, whole.wanted(), now, check=if_match.check
        )
    tag(response, answer.recorded.entry.version)
    return EnteredReading.accepted(answer)


@router.delete("/readings/{reading_id}", status_code=204)
async def withdraw_reading(
    reading_id: UUID,
    db: Db,
    cause: WriteCause,
    if_match: OptionalMatch,
    note: Annotated[Note, Query(description="Why it is withdrawn")] = "",
) -> None:
    """Withdraw a reading, which then counts no more and stays in its history; of an exchange, both
    halves."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        await readings.withdraw_reading(tx, cause, reading_id, note, check=if_match.check)
