"""Readings of one register, and what it counted from each of them to the next.

Between two readings energy is taken to flow evenly. Running totals are integers, in parts of a Wh,
and are cut down to whole units (a Wh, or the register's last decimal) where they are read off; the
pieces of any division are differences of such totals, so they add up to the difference of the two
readings exactly. This is the only place where a register is interpolated.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from math import gcd
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gridtally.kernel.money import EXACT
from gridtally.metering.registers import DECIMALS_MAX, register_difference, register_range

ReadingKind = Literal["reading", "exchange_final", "exchange_initial"]
ReadingQuality = Literal["actual", "estimated", "substituted"]
DifferenceKind = Literal["rise", "rollover", "decrease", "exchange"]
ExceptionReason = Literal["decrease", "register_mismatch", "too_old"]
PARTS_PER_WH = 10**12
"""Registers and multipliers have six decimals each, in kWh: totals are exact in 10⁻¹² Wh."""
PARTS_EXPONENT = 15
"""The same parts of a kWh, as an exponent of ten."""
INT64_MAX = 2**63 - 1
_MOMENTS_MIN = 4
"""Two of them have a step between them that counts."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_ORDER_AT_A_MOMENT = {"exchange_final": 0, "reading": 1, "exchange_initial": 2}


@dataclass(frozen=True, slots=True)
class RegisterReading:
    """What a register showed at `read_at`: `value` in kWh before its `multiplier`.

    `digits` stand before the decimal point and `decimals` after it; the register begins again at
    zero after its last digit, or at `rollover_kwh`. Where a meter is exchanged,
    `exchange_final` closes the old register and `exchange_initial` opens the new one at the same
    moment.
    """

    read_at: datetime
    recorded_at: datetime
    kind: ReadingKind
    value: Decimal
    digits: int
    multiplier: Decimal
    decimals: int = DECIMALS_MAX
    quality: ReadingQuality = "actual"
    rollover_kwh: Decimal | None = None

    @property
    def range_kwh(self) -> Decimal:
        """The total at which its register begins again at zero."""
        return register_range(self.digits, self.rollover_kwh)


@dataclass(frozen=True, slots=True)
class CountedEnergy:
    """What a register counted from one reading to the next, which is a straight line.

    `total` is the running total at the start and `energy` what was added until the end, both in
    parts of a Wh; moments are microseconds since 1970.
    """

    start_us: int
    end_us: int
    total: int
    energy: int

    @classmethod
    def between(
        cls, before: RegisterReading, after: RegisterReading, kwh: Decimal
    ) -> "CountedEnergy":
        """The line between two readings that are `kwh` apart, through the multiplier."""
        total = parts(EXACT.multiply(before.value, before.multiplier))
        return cls(microseconds(before.read_at), microseconds(after.read_at), total, parts(kwh))

    def whole_wh(self, at_us: int) -> int:
        """The running total at a moment from start to end, cut down to whole Wh."""
        elapsed_us, length_us = at_us - self.start_us, self.end_us - self.start_us
        return whole_units(self.total, self.energy, elapsed_us, length_us, PARTS_PER_WH)

    def whole_wh_at(self, moments_us: NDArray[np.int64]) -> NDArray[Any]:
        """The running totals at rising moments from start to end, cut down to whole Wh."""
        length_us = self.end_us - self.start_us
        return whole_units_at(
            self.total, self.energy, moments_us - self.start_us, length_us, PARTS_PER_WH
        )


def whole_units(total: int, added: int, elapsed: int, length: int, unit: int = 1) -> int:
    """A running total `elapsed` of `length` after it was `total`, cut down to whole units.

    It rises evenly by `added` over the length; `total`, `added` and `unit` are in the same parts.
    The one interpolation of registers: exact, for all of it is integers.
    """
    return (total * length + added * elapsed) // (length * unit)


def whole_units_at(
    total: int, added: int, elapsed: NDArray[np.int64], length: int, unit: int = 1
) -> NDArray[Any]:
    """`whole_units` at many moments that rise, of 64 bits; of Python's integers where those do not
    hold a total.

    Most moments are some steps of one length apart. What such a step adds is taken apart into whole
    units and a remainder, and the fraction of the remainder is reduced, so that 64 bits hold the
    products; the first and the last moment, which may lie anywhere, do not count for the step.
    """
    if elapsed.size < _MOMENTS_MIN:
        return _one_by_one(total, added, elapsed, length, unit)
    inner = elapsed[1:-1]
    begin, step = int(inner[0]), int(np.gcd.reduce(np.diff(inner)))
    steps = (inner - begin) // step
    parts = length * unit
    first, rest = divmod(total * length + added * begin, parts)
    whole, remainder = divmod(added * step, parts)
    common = gcd(remainder, parts)
    rest, remainder, parts = rest // common, remainder // common, parts // common
    count = int(steps[-1])
    if max(first + whole * count, rest + remainder * count, parts) > INT64_MAX:
        return _one_by_one(total, added, elapsed, length, unit)
    ends = _one_by_one(total, added, elapsed[[0, -1]], length, unit)
    between = first + whole * steps + (rest + remainder * steps) // parts
    return np.concatenate([ends[:1], between, ends[1:]])


def _one_by_one(
    total: int, added: int, elapsed: NDArray[np.int64], length: int, unit: int
) -> NDArray[Any]:
    totals = [whole_units(total, added, at, length, unit) for at in elapsed.tolist()]
    fits = max(totals, default=0) <= INT64_MAX
    return np.array(totals, np.int64 if fits else object)


@dataclass(frozen=True, slots=True)
class RegisterException:
    """The time between two readings that make no energy; values are what the register showed.

    `decrease`: the drop is too small for a rollover, so one of the two readings is wrong.
    `register_mismatch`: the readings are not of one register, so half of an exchange is missing, or
    a value has more digits than the register. `too_old`: the first is from before what is stored.
    """

    start_at: datetime
    end_at: datetime
    reason: ExceptionReason
    start_value: Decimal
    end_value: Decimal


def parts(kwh: Decimal) -> int:
    """A number of kWh in parts of a Wh."""
    return int(kwh.scaleb(PARTS_EXPONENT, EXACT))


def microseconds(at: datetime) -> int:
    """An instant as microseconds since 1970."""
    return (at - _EPOCH) // _MICROSECOND


def instant(at_us: int) -> datetime:
    """The instant, in UTC, so many microseconds after 1970 began."""
    return _EPOCH + timedelta(microseconds=at_us)


def in_order(readings: Sequence[RegisterReading]) -> list[RegisterReading]:
    """The readings by moment; of two of the same moment and kind, the one recorded last.

    An exchange's closing reading comes before its opening one.
    """
    latest: dict[tuple[datetime, int], RegisterReading] = {}
    for reading in sorted(readings, key=lambda reading: reading.recorded_at):
        latest[reading.read_at, _ORDER_AT_A_MOMENT[reading.kind]] = reading
    return [latest[key] for key in sorted(latest)]


def difference_between(
    before: RegisterReading, after: RegisterReading
) -> tuple[Decimal, DifferenceKind]:
    """kWh that were counted between two readings that follow each other, and how.

    The difference times the multiplier; nothing is counted by an `exchange`. ValueError where
    `before`'s register cannot show a value.
    """
    if after.kind == "exchange_initial":
        return Decimal(0), "exchange"
    difference = register_difference(before.value, after.value, before.digits, before.rollover_kwh)
    return EXACT.multiply(difference.amount, before.multiplier), difference.kind


def differences(
    readings: Sequence[RegisterReading], oldest_at: datetime
) -> Iterator[CountedEnergy | RegisterException]:
    """What lies between readings of one register that follow each other, in order of time.

    The readings come in any order; what begins before `oldest_at` is an exception.
    """
    for before, after in pairwise(in_order(readings)):
        if before.read_at == after.read_at:  # the meter was exchanged
            continue
        reason = mismatch(before, after, oldest_at)
        if reason is None:
            kwh, kind = difference_between(before, after)
            if kind != "decrease":
                yield CountedEnergy.between(before, after, kwh)
                continue
            reason = "decrease"
        yield RegisterException(before.read_at, after.read_at, reason, before.value, after.value)


def mismatch(
    before: RegisterReading, after: RegisterReading, oldest_at: datetime
) -> ExceptionReason | None:
    """Why two readings cannot be subtracted at all; None where they can."""
    if before.read_at < oldest_at:
        return "too_old"
    size = before.range_kwh
    exchanged = before.kind == "exchange_final" or after.kind == "exchange_initial"
    return "register_mismatch" if exchanged or max(before.value, after.value) >= size else None


def counted_energy(readings: Sequence[RegisterReading], oldest_at: datetime) -> list[CountedEnergy]:
    """What was counted between readings of one register, in any order; exceptions are left out."""
    return [
        difference
        for difference in differences(readings, oldest_at)
        if isinstance(difference, CountedEnergy)
    ]


def exceptions(readings: Sequence[RegisterReading], oldest_at: datetime) -> list[RegisterException]:
    """The exceptions between readings of one register, in any order."""
    return [
        difference
        for difference in differences(readings, oldest_at)
        if isinstance(difference, RegisterException)
    ]
