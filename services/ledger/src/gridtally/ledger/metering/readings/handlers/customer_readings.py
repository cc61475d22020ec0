"""A customer sends readings of its own registers.

A reading of a day that the customer sends again replaces the first: another entry supersedes it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from gridtally.database import WriteConnection
from gridtally.kernel.errors import Fault, NotFound, Rejected
from gridtally.kernel.resources import Cause
from gridtally.ledger.metering.readings.domain.customer_readings import (
    NOTE,
    Doubt,
    OwnRegister,
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
from gridtally.ledger.metering.readings.store.customer_readings import fetch_own_registers
from gridtally.ledger.metering.readings.store.readings import lock_meters
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
    register twice, a day to come or too long ago, and for doubtful values that are not confirmed.
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
    if not submission.confirmed:
        _require_undoubtful(registers, contents)
    return [
        await _enter(tx, cause, register, content, now)
        for register, content in zip(registers, contents, strict=True)
    ]


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


def _others(register: OwnRegister, replaced: Entry | None) -> list[Entry]:
    """The newest readings but the one that this day's replaces."""
    return [entry for entry in register.recent if entry is not replaced]


def _require_undoubtful(
    registers: Sequence[OwnRegister], contents: Sequence[ReadingContent]
) -> None:
    """Rejected where a value is doubtful."""
    faults = []
    for index, (register, content) in enumerate(zip(registers, contents, strict=True)):
        others = _others(register, register.own_reading_at(content.read_at))
        doubt = doubt_about(content.value, content.read_at, others)
        if doubt is not None:
            detail = _DOUBTS[doubt].format(last=f"{others[0].value:f}")
            faults.append(Fault(f"/items/{index}/value", detail))
    if faults:
        raise Rejected(
            "reading_unconfirmed",
            "a reading is doubtful: look at it again, and send it as `confirmed` if it is right",
            tuple(faults),
        )


async def _enter(
    tx: WriteConnection,
    cause: Cause,
    register: OwnRegister,
    content: ReadingContent,
    now: datetime,
) -> AcceptedReading:
    """Enter a reading, or replace that of the same day; the same value again changes nothing."""
    before = register.own_reading_at(content.read_at)
    if before is None:
        request = ReadingRequest(register.meter_id, register.register.flow, content)
        [outcome] = await record_readings(tx, cause, [request], now)
        if isinstance(outcome, Rejected):
            raise outcome
        return outcome
    if before.value == content.value:
        current = await fetch_reading(tx, cause.tenant_id, before.reading_id, None)
        return AcceptedReading(current, created=False)
    return await change_reading(
        tx, cause, before.reading_id, content, now, check=lambda _version: None
    )
