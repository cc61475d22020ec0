"""The ledger of register readings: entries that supersede one another, and what is refused.

Owns which reading can be entered, changed and withdrawn, and what is said about a doubtful one.
Nothing here changes an entry: a change is the next version of the reading, a removal the last.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal, Self, get_args
from uuid import UUID

from kernel.errors import Conflict, Fault, Rejected
from ledger.domain.moments import EARLIEST_AT
from ledger.domain.registry import Meter, Register

Kind = Literal["reading", "exchange_final", "exchange_initial", "withdrawn"]
Quality = Literal["actual", "estimated", "substituted"]
KINDS: tuple[Kind, ...] = get_args(Kind)
CLOCKS_APART_MAX = timedelta(seconds=5)
"""A reader's clock may be ahead of ours by so much."""
EXCHANGE_KINDS = ("exchange_final", "exchange_initial")


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

    def superseded(self, id_: UUID, wanted: "Wanted", register: Register) -> Self:
        """The next entry of the same reading, with other content."""
        return replace(
            self,
            register=register,
            id=id_,
            version=self.version + 1,
            supersedes_id=self.id,
            value=wanted.value,
            read_at=wanted.read_at,
            quality=wanted.quality,
            note=wanted.note,
        )

    def withdrawn(self, id_: UUID, note: str) -> Self:
        """The entry that ends the reading; it keeps the content that it takes back."""
        return replace(
            self,
            id=id_,
            version=self.version + 1,
            supersedes_id=self.id,
            kind="withdrawn",
            note=note,
        )

    @property
    def place(self) -> tuple[datetime, bool]:
        """Its place among the entries of its register: an exchange ends before it begins."""
        return self.read_at, self.kind == "exchange_initial"


@dataclass(frozen=True, slots=True)
class Recorded:
    """An entry and when it was recorded, by the database's clock."""

    entry: Entry
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody enters for a register."""

    value: Decimal
    read_at: datetime
    quality: Quality = "actual"
    note: str = ""


@dataclass(frozen=True, slots=True)
class Caution:
    """Something doubtful about a reading that was accepted."""

    code: Literal["earlier_than_last", "lower_than_last"]
    detail: str


def register_of(meter: Meter, flow: str | None) -> Register:
    """The meter's register that is meant; Rejected for a derived meter, or where none fits."""
    if meter.derived:
        raise Rejected(
            "derived_meter", "a derived meter is computed from others and never read",
            (Fault("/meter_id", "must not be derived"),),
        )  # fmt: skip
    if flow is None and len(meter.registers) == 1:
        return meter.registers[0]
    for register in meter.registers:
        if register.flow == flow:
            return register
    has = ", ".join(register.flow for register in meter.registers) or "none"
    raise Rejected(
        "register_unknown", f"the meter's registers are: {has}",
        (Fault("/flow", f"must be one of: {has}"),),
    )  # fmt: skip


def check_moment(read_at: datetime, now: datetime) -> None:
    """Rejected for a reading of the future, or from before there were meters."""
    if read_at > now + CLOCKS_APART_MAX:
        raise _refused("future_reading", "/read_at", "must not lie in the future")
    if read_at < EARLIEST_AT:
        raise _refused("too_early", "/read_at", f"must not lie before {EARLIEST_AT.date()}")


def check_value(value: Decimal, register: Register) -> None:
    """Rejected for a value that the register cannot show."""
    if value < 0:
        raise _refused("negative_value", "/value", "must not be negative")
    exponent = value.normalize().as_tuple().exponent
    if isinstance(exponent, int) and -exponent > register.decimals:
        raise _refused(
            "too_many_decimals", "/value", f"must have at most {register.decimals} decimals"
        )
    if value >= Decimal(1).scaleb(register.digits):
        raise _refused(
            "beyond_register", "/value",
            f"must have at most {register.digits} digits before the decimal point",
        )  # fmt: skip


def _refused(code: str, path: str, expected: str) -> Rejected:
    return Rejected(code, f"{path.removeprefix('/')} {expected}", (Fault(path, expected),))


def shown(value: Decimal, register: Register) -> Decimal:
    """The value with as many decimals as it came with, but no more than the register has."""
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or exponent > 0:
        return value.quantize(Decimal(1))
    if -exponent > register.decimals:
        return value.quantize(Decimal(1).scaleb(-register.decimals))
    return value


def cautions(wanted: Wanted, last: Entry | None) -> tuple[Caution, ...]:
    """What is doubtful beside the register's last reading (LED-2)."""
    if last is None:
        return ()
    found = []
    if wanted.read_at < last.read_at:
        told = f"the last reading was taken at {last.read_at.isoformat()}"
        found.append(Caution("earlier_than_last", told))
    if wanted.value < last.value:
        found.append(Caution("lower_than_last", f"the last reading was {last.value:f}"))
    return tuple(found)


def register_then(current: Register, closing: Recorded | None) -> Register:
    """What a register was at some moment: that of the closing read of the next exchange, or what
    it is now, where none followed."""
    return closing.entry.register if closing is not None else current


def same_content(entry: Entry, wanted: Wanted) -> bool:
    """Whether an entry says just that."""
    return wanted == Wanted(entry.value, entry.read_at, entry.quality, entry.note)


def taken(known: Entry) -> Conflict:
    """There is another reading of this register at that moment."""
    return Conflict(
        "reading_exists",
        f"reading {known.reading_id} of this register was taken at that moment; change that one",
    )
