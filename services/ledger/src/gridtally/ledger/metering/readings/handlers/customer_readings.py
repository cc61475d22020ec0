"""A customer sends readings of its own registers.

A reading of a day that the customer sends again replaces the first: another entry supersedes it,
unless somebody else has changed it since.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from gridtally.database import WriteConnection
from gridtally.kernel.errors import Conflict, Fault, NotFound, Rejected
from gridtally.kernel.periods import local_date
from gridtally.kernel.resources import Cause
from gridtally.ledger.metering.readings.domain.customer_readings import (
    NOTE,
    Doubt,
    OwnRegister,
    SentOfDay,
    check_between,
    check_day_anywhere,
    doubt_about,
    moment_of,
)
from gridtally.ledger.metering.readings.domain.readings import (
    Entry,
    ReadingContent,
    check_value,
)
from gridtally.ledger.metering.readings.domain.tenures import AskedDays
from gridtally.ledger.metering.readings.handlers.readings import (
    AcceptedReading,
    ReadingRequest,
    change_reading,
    fetch_reading,
    record_readings,
)
from gridtally.ledger.metering.readings.store.customer_readings import (
    fetch_own_registers,
    fetch_sent_of_days,
    insert_customer_readings,
)
from gridtally.ledger.metering.readings.store.readings import fetch_surroundings, lock_meters
from gridtally.ledger.refused_items import at_item
from gridtally.ledger.registry.domain.meters import ActiveFlow

_DOUBTS: dict[Doubt, str] = {
    "lower_than_last": "is lower than the last reading, {last}",
    "earlier_than_last": "was taken before the last reading, {last}",
    "higher_than_expected": "is much higher than expected after the last reading, {last}",
}


@dataclass(frozen=True, slots=True)
class CustomerReading:
    """What a customer says that a register showed."""

    meter_id: UUID
    flow: ActiveFlow | None
    value: Decimal


@dataclass(frozen=True, slots=True)
class NewEntry:
    """What is to be entered of a register, and what was sent of that day."""

    own: OwnRegister
    content: ReadingContent
    sent: SentOfDay

    @property
    def others(self) -> list[Entry]:
        """The newest readings but the one that this replaces."""
        replaced = None if self.sent.own is None else self.sent.own.id
        return [entry for entry in self.own.recent if entry.id != replaced]


@dataclass(frozen=True, slots=True)
class Submission:
    """Whose readings, of which local day, today without one; `confirmed` where the doubtful ones
    are meant so."""

    customer_id: UUID
    read_on: date | None
    readings: Sequence[CustomerReading]
    confirmed: bool


async def submit_readings(
    tx: WriteConnection, cause: Cause, submission: Submission, now: datetime
) -> list[AcceptedReading]:
    """Enter all of a customer's readings, or none.

    Locks their meters. NotFound for a meter that is not the customer's on the day, as for one that
    is not there; Rejected, with the items that are to blame, for what a register cannot show, a
    register twice, a day to come or too long ago, what contradicts the readings around it, what was
    sent too often, and for doubtful values that are not confirmed.
    """
    tenant_id = cause.tenant_id
    if submission.read_on is not None:
        check_day_anywhere(submission.read_on, now)
    asked = AskedDays(now, submission.read_on)
    ids = sorted({reading.meter_id for reading in submission.readings})
    own = await fetch_own_registers(tx, tenant_id, submission.customer_id, asked, ids)
    _require_own_meters(own, submission)
    await lock_meters(tx, tenant_id, ids)
    # Once more behind the locks: what others entered meanwhile is compared with, too.
    own = await fetch_own_registers(tx, tenant_id, submission.customer_id, asked, ids)
    _require_own_meters(own, submission)
    registers = [_register_of(own, index, item) for index, item in enumerate(submission.readings)]
    contents = _contents(submission, registers, now)
    sent = await _fetch_sent(tx, cause, submission, registers, contents)
    entries = [
        NewEntry(register, content, of_day)
        for register, content, of_day in zip(registers, contents, sent, strict=True)
    ]
    await _check(tx, tenant_id, entries, is_confirmed=submission.confirmed)
    accepted = [await _enter(tx, cause, index, new, now) for index, new in enumerate(entries)]
    sent_ids = [reading.recorded.entry.id for reading in accepted if reading.created]
    await insert_customer_readings(tx, tenant_id, submission.customer_id, sent_ids)
    return accepted


def _require_own_meters(own: Sequence[OwnRegister], submission: Submission) -> None:
    """NotFound, with the items that are to blame, for meters that are not the customer's."""
    own_ids = {register.meter_id for register in own}
    faults = tuple(
        Fault(f"/items/{index}/meter_id", "must be a meter of the customer's on this day")
        for index, reading in enumerate(submission.readings)
        if reading.meter_id not in own_ids
    )
    if faults:
        raise NotFound("meter_unknown", "the customer has no such meter on this day", faults)


def _register_of(own: Sequence[OwnRegister], index: int, reading: CustomerReading) -> OwnRegister:
    """The register that is read; Rejected where the meter has none of the flow, or several."""
    of_meter = [register for register in own if register.meter_id == reading.meter_id]
    fitting = [
        register
        for register in of_meter
        if register.register.flow == reading.flow or (reading.flow is None and len(of_meter) == 1)
    ]
    if len(fitting) != 1:
        flows = ", ".join(register.register.flow for register in of_meter) or "none"
        fault = Fault("/flow", f"must be one of: {flows}")
        raise at_item(
            Rejected("register_unknown", f"the meter's registers are: {flows}", (fault,)), index
        )
    return fitting[0]


def _contents(
    submission: Submission, registers: Sequence[OwnRegister], now: datetime
) -> list[ReadingContent]:
    """What is entered of each register; Rejected with every value that cannot be."""
    refused = []
    contents = []
    seen = set()
    for index, (register, reading) in enumerate(zip(registers, submission.readings, strict=True)):
        read_at = moment_of(submission.read_on, register.zone, now)
        key = (register.meter_id, register.register.flow)
        if key in seen:
            fault = Fault("/meter_id", "must name each register once")
            raise at_item(Rejected("register_repeated", "a register comes twice", (fault,)), index)
        seen.add(key)
        try:
            check_value(reading.value, register.register)
        except Rejected as wrong:
            refused.append(at_item(wrong, index))
        contents.append(ReadingContent(reading.value, read_at, note=NOTE))
    if refused:
        faults = tuple(fault for wrong in refused for fault in wrong.faults)
        raise Rejected(refused[0].code, "a register cannot show this", faults)
    return contents


async def _fetch_sent(
    tx: WriteConnection,
    cause: Cause,
    submission: Submission,
    registers: Sequence[OwnRegister],
    contents: Sequence[ReadingContent],
) -> list[SentOfDay]:
    days = [
        (register, local_date(register.zone, content.read_at))
        for register, content in zip(registers, contents, strict=True)
    ]
    return await fetch_sent_of_days(tx, cause.tenant_id, submission.customer_id, days)


async def _check(
    tx: WriteConnection, tenant_id: str, entries: Sequence[NewEntry], *, is_confirmed: bool
) -> None:
    """Rejected for what contradicts readings around it, or was sent too often, and for what is
    doubtful, unless it is confirmed. What was sent before is not looked at again."""
    around = await fetch_surroundings(
        tx,
        tenant_id,
        [(new.own.meter_id, new.own.register.flow, new.content) for new in entries],
        but=[None if new.sent.own is None else new.sent.own.reading_id for new in entries],
    )
    doubts = []
    for index, (new, surroundings) in enumerate(zip(entries, around, strict=True)):
        if new.sent.is_repeated(new.content.value):
            continue
        near = surroundings.neighbours
        before, after = new.own.in_own_time(near.before), new.own.in_own_time(near.after)
        try:
            new.sent.check_count()
            check_between(new.content.value, before, after)
        except Rejected as refused:
            raise at_item(refused, index) from None
        doubt = doubt_about(new.content.value, new.content.read_at, new.others)
        if doubt is not None:
            detail = _DOUBTS[doubt].format(last=f"{new.others[0].value:f}")
            doubts.append(Fault(f"/items/{index}/value", detail))
    if doubts and not is_confirmed:
        raise Rejected(
            "reading_unconfirmed",
            "a reading is doubtful: look at it again, and send it as `confirmed` if it is right",
            tuple(doubts),
        )


async def _enter(
    tx: WriteConnection, cause: Cause, index: int, new: NewEntry, now: datetime
) -> AcceptedReading:
    """Enter a reading, or replace the customer's of the same day; the same value again changes
    nothing."""
    before = new.sent.own
    if before is not None and before.value == new.content.value:
        current = await fetch_reading(tx, cause.tenant_id, before.reading_id, None)
        return AcceptedReading(current, created=False)
    try:
        if before is not None:
            return await change_reading(
                tx, cause, before.reading_id, new.content, now, check=lambda _version: None
            )
        request = ReadingRequest(new.own.meter_id, new.own.register.flow, new.content)
        [outcome] = await record_readings(tx, cause, [request], now)
        if isinstance(outcome, Rejected):
            raise outcome
    except Rejected as refused:
        raise _of_item(refused, index) from None
    return outcome


def _of_item(refused: Rejected, index: int) -> Rejected:
    """A refusal by whoever enters readings, in the words of the request."""
    if refused.code == "reading_exists":
        detail = "the supplier has another reading of that moment: ask the supplier to correct it"
        return Conflict(refused.code, detail, (Fault(f"/items/{index}/value", detail),))
    if any(fault.path == "/read_at" for fault in refused.faults):
        return refused.relocated("/read_at", "/read_on")
    return at_item(refused, index)
