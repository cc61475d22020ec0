"""Figures about the values of one register or sum."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from gridtally.kernel.money import EXACT, Rounding

MEAN = Rounding("half_even", 6)


@dataclass(frozen=True, slots=True)
class TimedValue:
    """A value at a moment; that of a derived meter is no reading."""

    value: Decimal
    at: datetime
    reading_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Statistics:
    """Figures about the values in a time, before the multiplier; None where there are none."""

    count: int
    min: Decimal | None
    max: Decimal | None
    mean: Decimal | None
    first: TimedValue | None
    last: TimedValue | None


def statistics_of(values: Sequence[TimedValue]) -> Statistics:
    """Figures about values, which are in order of time."""
    if not values:
        return Statistics(0, None, None, None, None, None)
    numbers = [timed.value for timed in values]
    total = Decimal(0)
    for number in numbers:
        total = EXACT.add(total, number)
    mean = mean_of(total, len(numbers))
    return Statistics(len(numbers), min(numbers), max(numbers), mean, values[0], values[-1])


def mean_of(total: Decimal | None, count: int) -> Decimal | None:
    """The mean with six decimals; None where there is no total."""
    return MEAN.round(EXACT.divide(total, Decimal(count))) if total is not None else None
