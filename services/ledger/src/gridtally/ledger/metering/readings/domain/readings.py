"""The ledger of register readings: entries that supersede one another, and what is refused.

Owns which reading can be entered, changed and withdrawn, and what is warned of. Nothing here
changes an entry: a change is the next version of the reading, a withdrawal the last.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal, Self, get_args
from uuid import UUID

from gridtally.kernel.errors import Conflict, Fault, Rejected
from gridtally.ledger.moments import EARLIEST_AT
from gridtally.ledger.registry.domain.meters import Meter, Register

Kind = Literal["reading", "exchange_final", "exchange_initial", "withdrawn"]
Quality = Literal["actual", "estimated", "substituted"]
WarningCode = Literal["earlier_than_last", "lower_than_last", "higher_than_next"]
"""Taken before the register's last reading; lower than the one taken just before it; higher than
the one taken just after it."""
KINDS: tuple[Kind, ...] = get_args(Kind)
CLOCKS_APART_MAX = timedelta(seconds=5)
"""A reader's clock may be ahead of ours by so much."""
EXCHANGE_KINDS = ("exchange_final", "exchange_initial")


@dataclass(frozen=True, slots=True)
class ReadingContent:
    """What somebody enters for a register."""

    value: Decimal
    read_at: datetime
    quality: Quality = "actual"
    note: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a reading: what a register showed, in kWh before its multiplier.

    `register` is what it was when read, so that an entry explains itself after an exchange.
    `version` counts the entries of the reading from 1.
    """

    id: UUID
    reading_id: UUID
    version: int
    supersedes_id: UUID | None
    meter_id: UUID
    property_id: UUID
    register: Register
    kind: Kind
    exchange_id: UUID | None
    value: Decimal
    quality: Quality
    note: str
    read_at: datetime

    @classmethod
    def first(cls, id_: UUID, meter: Meter, register: Register, content: ReadingContent) -> Self:
        """The first entry of a new reading, which has the same id as the reading."""
        return cls(
            id=id_,
            reading_id=id_,
            version=1,
            supersedes_id=None,
            meter_id=meter.id,
            property_id=meter.property_id,
            register=register,
            kind="reading",
            exchange_id=None,
            value=as_shown(content.value, register),
            quality=content.quality,
            note=content.note,
            read_at=content.read_at,
        )

    def superseded(self, id_: UUID, content: ReadingContent, register: Register) -> Self:
        """The next entry of the same reading, with other content."""
        return replace(
            self,
            register=register,
            id=id_,
            version=self.version + 1,
            supersedes_id=self.id,
            value=as_shown(content.value, register),
            read_at=content.read_at,
            quality=content.quality,
            note=content.note,
        )

    def withdrawn(self, id_: UUID, note: str) -> Self:
        """The entry that ends the reading; it repeats the content that it withdraws."""
        return replace(
            self,
            id=id_,
            version=self.version + 1,
            supersedes_id=self.id,
            kind="withdrawn",
            note=note,
        )

    def has(self, content: ReadingContent) -> bool:
        """Whether this is what the entry says."""
        return content == ReadingContent(self.value, self.read_at, self.quality, self.note)

    @property
    def position(self) -> tuple[datetime, bool]:
        """Where it stands among the entries of its register: at an exchange, the closing reading
        comes before the opening one."""
        return self.read_at, self.kind == "exchange_initial"


@dataclass(frozen=True, slots=True)
class RecordedEntry:
    """An entry and when it was recorded, by the database's clock."""

    entry: Entry
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ReadingWarning:
    """Something doubtful about a reading that was accepted."""

    code: WarningCode
    detail: str


@dataclass(frozen=True, slots=True)
class Neighbours:
    """What a register already has around a new reading: its last one of all, and those taken just
    before and just after it."""

    last: Entry | None = None
    before: Entry | None = None
    after: Entry | None = None

    def beside(self, others: Sequence[Entry], read_at: datetime) -> Self:
        """The same where `others` of the register, in their order, are there too, none of them
        taken at that moment."""
        index = bisect_left(others, (read_at, False), key=position_of)
        return replace(
            self,
            last=max([*others[-1:], *_present(self.last)], key=position_of, default=None),
            before=max(
                [*others[:index][-1:], *_present(self.before)], key=position_of, default=None
            ),
            after=min([*others[index:][:1], *_present(self.after)], key=position_of, default=None),
        )


def position_of(entry: Entry) -> tuple[datetime, bool]:
    """Where an entry stands among those of its register."""
    return entry.position


def _present(entry: Entry | None) -> list[Entry]:
    return [] if entry is None else [entry]


def register_of(meter: Meter, flow: str | None) -> Register:
    """The meter's register for a flow, or its only one where the flow is None.

    Rejected for a derived meter, or where no register fits.
    """
    if meter.is_derived:
        raise Rejected(
            "derived_meter", "a derived meter is computed from others and never read",
            (Fault("/meter_id", "must not be derived"),),
        )  # fmt: skip
    if flow is None and len(meter.registers) == 1:
        return meter.registers[0]
    for register in meter.registers:
        if register.flow == flow:
            return register
    flows = ", ".join(register.flow for register in meter.registers) or "none"
    raise Rejected(
        "register_unknown", f"the meter's registers are: {flows}",
        (Fault("/flow", f"must be one of: {flows}"),),
    )  # fmt: skip


def check_moment(read_at: datetime, now: datetime) -> None:
    """Rejected for a reading of the future, or from before there were meters."""
    if read_at > now + CLOCKS_APART_MAX:
        raise Rejected("future_reading", *_reason("/read_at", "must not lie in the future"))
    if read_at < EARLIEST_AT:
        expected = f"must not lie before {EARLIEST_AT.date()}"
        raise Rejected("too_early", *_reason("/read_at", expected))


def check_value(value: Decimal, register: Register) -> None:
    """Rejected for a value that the register cannot show."""
    if value < 0:
        raise Rejected("negative_value", *_reason("/value", "must not be negative"))
    exponent = value.normalize().as_tuple().exponent
    if isinstance(exponent, int) and -exponent > register.decimals:
        expected = f"must have at most {register.decimals} decimals"
        raise Rejected("too_many_decimals", *_reason("/value", expected))
    if register.rollover_kwh is not None and value >= register.rollover_kwh:
        expected = f"must be below {register.rollover_kwh} kWh, where the register begins again"
        raise Rejected("beyond_register", *_reason("/value", expected))
    if value >= register.range_kwh:
        expected = f"must have at most {register.digits} digits before the decimal point"
        raise Rejected("beyond_register", *_reason("/value", expected))


def _reason(path: str, expected: str) -> tuple[str, tuple[Fault, ...]]:
    """The detail and the faults of a refusal for one field."""
    return f"{path.removeprefix('/')} {expected}", (Fault(path, expected),)


def as_shown(value: Decimal, register: Register) -> Decimal:
    """The value with as many decimals as it came with, but no more than the register has."""
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or exponent > 0:
        return value.quantize(Decimal(1))
    if -exponent > register.decimals:
        return value.quantize(Decimal(1).scaleb(-register.decimals))
    return value


def warnings_about(content: ReadingContent, around: Neighbours) -> tuple[ReadingWarning, ...]:
    """What is doubtful beside the register's last reading, and those just before and after it in
    time (LED-2)."""
    warnings = []
    if around.last is not None and content.read_at < around.last.read_at:
        detail = f"the last reading was taken at {around.last.read_at.isoformat()}"
        warnings.append(ReadingWarning("earlier_than_last", detail))
    if around.before is not None and content.value < around.before.value:
        detail = f"the reading before it in time was {around.before.value:f}"
        warnings.append(ReadingWarning("lower_than_last", detail))
    if around.after is not None and content.value > around.after.value:
        detail = f"the reading after it in time was {around.after.value:f}"
        warnings.append(ReadingWarning("higher_than_next", detail))
    return tuple(warnings)


def register_then(current: Register, closing: RecordedEntry | None) -> Register:
    """What a register was at some moment: that of the closing reading of the next exchange, or
    what it is now, where no exchange followed."""
    return closing.entry.register if closing is not None else current


def reading_exists(existing: Entry) -> Conflict:
    """There is another reading of this register at that moment."""
    return Conflict(
        "reading_exists",
        f"reading {existing.reading_id} of this register was taken at that moment; change that one",
    )
