"""Intervals as they stand in a file, in any order → a channel of whole Wh.

Owns what every format has in common: no interval twice with two values, none that begins before
the one before it has ended, and fractions of a Wh carried within a day.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from gridtally.kernel.periods import RESOLUTIONS_MIN
from gridtally.meter_files.amounts import REACTIVE_UNITS, Unit, whole_wh
from gridtally.meter_files.channels import REACTIVE, FileChannel, FileError, Flow, Qualities
from gridtally.meter_files.local_clock import Instants, instant

Number = tuple[int, int] | None
"""Digits and decimals; None where the file says that there is no value."""


@dataclass(frozen=True, slots=True, eq=False)
class Intervals:
    """The intervals of one channel in the order of the file; `days` numbers the file's own days."""

    name: str
    flow: Flow | None
    unit: Unit
    minutes: int
    factor: Fraction
    starts: Instants
    days: NDArray[np.int64]
    numbers: Sequence[Number]
    quality: Qualities


class Notes:
    """What was done to understand a file, counted over its channels."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def add(self, sentence: str, count: int = 1) -> None:
        """Count what a sentence says of so many intervals."""
        if count:
            self._counts[sentence] = self._counts.get(sentence, 0) + count

    def sentences(self) -> tuple[str, ...]:
        """Each with how often it holds."""
        return tuple(
            f"{sentence} ({count} times)" if count > 1 else sentence
            for sentence, count in self._counts.items()
        )


CARRIED = "values have fractions of a Wh: these are carried into the next interval of the day"
REPEATED = "an interval is there again, with the same value"


def assemble(intervals: Intervals, notes: Notes) -> FileChannel:
    """The channel; FileError where an interval has two values, or the length is none that is
    metered."""
    name, minutes = intervals.name, intervals.minutes
    if minutes not in RESOLUTIONS_MIN:
        lengths = ", ".join(map(str, RESOLUTIONS_MIN))
        raise FileError(
            f"{name}: intervals of {minutes} minutes; those of {lengths} minutes are read"
        )
    order = np.argsort(intervals.starts, kind="stable")
    again = np.diff(intervals.starts[order], prepend=intervals.starts.min(initial=0) - 1) == 0
    for position in np.flatnonzero(again).tolist():
        _check_same(intervals, int(order[position - 1]), int(order[position]))
    notes.add(REPEATED, int(again.sum()))
    order = order[~again]
    starts = intervals.starts[order]
    overlaps = np.diff(starts) < minutes
    if overlaps.any():
        at = _written(int(starts[int(overlaps.argmax()) + 1]))
        raise FileError(
            f"{name}: an interval starts at {at}, before the one of {minutes} minutes before it "
            "has ended: is the length of the intervals right?"
        )
    numbers = [intervals.numbers[index] for index in order.tolist()]
    values, has_fractions = whole_wh(numbers, intervals.factor, intervals.days[order])
    notes.add(CARRIED, int(has_fractions))
    quality = intervals.quality[order]
    is_reactive = intervals.unit in REACTIVE_UNITS
    flow = _flow(intervals, notes, is_reactive=is_reactive)
    return FileChannel(name, flow, minutes, starts, values, quality, is_reactive)


def _flow(intervals: Intervals, notes: Notes, *, is_reactive: bool) -> Flow | None:
    """The flow that the file says; None, with a note, where it is not measured in the unit."""
    flow = intervals.flow
    if flow is None or (flow in REACTIVE) == is_reactive:
        return flow
    notes.add(
        f"{intervals.name}: the file says {flow}, and {intervals.unit} for its unit: map it to "
        "what it is, or leave it out"
    )
    return None


def _check_same(intervals: Intervals, first: int, second: int) -> None:
    """FileError where two rows of one interval have different values."""
    values = [intervals.numbers[index] for index in (first, second)]
    if values[0] != values[1]:
        shown = " and ".join("none" if value is None else _number(value) for value in values)
        raise FileError(
            f"{intervals.name}: the interval at {_written(int(intervals.starts[second]))} is there "
            f"with two values, {shown}: keep one of them"
        )


def _number(value: tuple[int, int]) -> str:
    digits, decimals = value
    return f"{digits / 10**decimals:.{decimals}f}"


def _written(minute: int) -> str:
    return f"{instant(minute):%Y-%m-%dT%H:%MZ}"
