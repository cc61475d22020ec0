"""A register through time: its readings, joined by straight lines.

Owns what a register has counted up to any moment, over rollovers and exchanges of the meter, and of
what quality that is. A decrease is counted with its sign. Before the first and after the last
reading nothing is known, and nothing is made up.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, localcontext
from itertools import pairwise
from typing import Literal, get_args

from gridtally.kernel.money import EXACT
from gridtally.metering.readings import (
    DifferenceKind,
    RegisterReading,
    difference_between,
    whole_units,
)

Quality = Literal["actual", "interpolated", "estimated", "substituted", "missing"]
QUALITIES: tuple[Quality, ...] = get_args(Quality)
"""From the best to the worst."""
MICROSECOND = timedelta(microseconds=1)


def worst(qualities: Iterable[Quality]) -> Quality:
    """The worst of them, for nothing is better than what it was made from."""
    return max(qualities, key=QUALITIES.index, default="missing")


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """A register at a moment: what it shows times its multiplier, and how much it has counted
    since its first reading, both in kWh."""

    shown_kwh: Decimal
    counted_kwh: Decimal
    quality: Quality


@dataclass(frozen=True, slots=True)
class RegisterEvents:
    """How often something happened to a register between two moments."""

    rollovers: int = 0
    exchanges: int = 0
    decreases: int = 0

    def __add__(self, other: "RegisterEvents") -> "RegisterEvents":
        return RegisterEvents(
            self.rollovers + other.rollovers,
            self.exchanges + other.exchanges,
            self.decreases + other.decreases,
        )


@dataclass(frozen=True, slots=True)
class RegisterCurve:
    """The readings of one register, oldest first, and what it had counted at each, in kWh."""

    readings: tuple[RegisterReading, ...]
    counted_kwh: tuple[Decimal, ...]
    moments: tuple[datetime, ...]
    kinds: tuple[DifferenceKind | Literal["first"], ...]
    """How the register came to each reading."""

    @property
    def begin_at(self) -> datetime | None:
        """The first reading's moment."""
        return self.moments[0] if self.moments else None

    @property
    def end_at(self) -> datetime | None:
        """The last reading's moment."""
        return self.moments[-1] if self.moments else None

    def at(self, moment: datetime) -> CurvePoint | None:
        """The register at that moment; None before its first and after its last reading.

        Between two readings it has counted whole steps of its last decimal.
        """
        index = bisect_right(self.moments, moment) - 1
        if index < 0 or (index == len(self.moments) - 1 and moment > self.moments[index]):
            return None
        before, counted_kwh = self.readings[index], self.counted_kwh[index]
        if moment == before.read_at:
            shown_kwh = EXACT.multiply(before.value, before.multiplier)
            return CurvePoint(shown_kwh, counted_kwh, before.quality)
        after = self.readings[index + 1]
        with localcontext(EXACT):
            decimals = max(before.decimals, after.decimals)
            step_kwh = before.multiplier.scaleb(-decimals)
            steps_between = int((self.counted_kwh[index + 1] - counted_kwh) / step_kwh)
            elapsed_us = (moment - before.read_at) // MICROSECOND
            length_us = (after.read_at - before.read_at) // MICROSECOND
            steps = whole_units(0, steps_between, elapsed_us, length_us)
            value = before.value + Decimal(steps).scaleb(-decimals)
            value %= before.range_kwh
            quality = worst(("interpolated", before.quality, after.quality))
            return CurvePoint(value * before.multiplier, counted_kwh + steps * step_kwh, quality)

    def events(self, after: datetime, upto: datetime) -> RegisterEvents:
        """What happened after one moment, up to and at another."""
        first, end = bisect_right(self.moments, after), bisect_right(self.moments, upto)
        kinds = self.kinds[first:end]
        return RegisterEvents(
            kinds.count("rollover"), kinds.count("exchange"), kinds.count("decrease")
        )


def register_curve(readings: Sequence[RegisterReading]) -> RegisterCurve:
    """The curve of a register's readings, which must be in order (see `readings.in_order`).

    ValueError where a register cannot show its value.
    """
    counted_kwh = [Decimal(0)] if readings else []
    kinds: list[DifferenceKind | Literal["first"]] = ["first"] if readings else []
    with localcontext(EXACT):
        for before, after in pairwise(readings):
            kwh, kind = difference_between(before, after)
            counted_kwh.append(counted_kwh[-1] + kwh)
            kinds.append(kind)
    moments = tuple(reading.read_at for reading in readings)
    return RegisterCurve(tuple(readings), tuple(counted_kwh), moments, tuple(kinds))
