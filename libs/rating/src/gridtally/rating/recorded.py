"""Recorded series: values and letters of quality as they are stored, and as rating takes them."""

from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gridtally.rating.quality import ACTUAL, NO_CHANNEL, Doubtful, DoubtfulFlows
from gridtally.rating.usage import MISSING, Flow


class RecordedSeries(Protocol):
    """A flow's whole Wh (varh) for each interval of `minutes`, None where there is none, and a
    letter of quality for each."""

    @property
    def flow(self) -> Flow:
        """Which energy it is."""

    @property
    def minutes(self) -> int:
        """The length of its intervals."""

    @property
    def values(self) -> Sequence[int | None]:
        """The energy of each interval."""

    @property
    def quality(self) -> str:
        """The letter of each interval."""


def energy_of(values: Sequence[int | None]) -> NDArray[np.int32]:
    """Whole Wh per interval, `MISSING` for None; OverflowError for what no interval can carry."""
    if None in values:
        values = [MISSING if value is None else value for value in values]
    return np.array(values, dtype=np.int32)


def metered(series: RecordedSeries) -> NDArray[np.int32]:
    """Whole Wh per interval: none where the meter had no channel, `MISSING` where a value lacks.

    OverflowError for what no interval can carry.
    """
    energy = energy_of(series.values)
    if chr(NO_CHANNEL) in series.quality:
        energy[(_letters(series) == NO_CHANNEL) & (energy == MISSING)] = 0
    return energy


def doubtful_flows(recorded: Iterable[RecordedSeries]) -> DoubtfulFlows:
    """The flows that are not actual throughout, with the quality of each interval.

    Most periods have none, so that a period costs a look at its letters. OverflowError for what no
    interval can carry.
    """
    return {
        series.flow: Doubtful(series.minutes, energy_of(series.values), _letters(series))
        for series in recorded
        if series.quality.strip(chr(ACTUAL))
    }


def _letters(series: RecordedSeries) -> NDArray[np.uint8]:
    return np.frombuffer(series.quality.encode(), np.uint8)
