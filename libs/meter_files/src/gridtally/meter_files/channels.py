"""What a file of readings becomes, whatever its format: channels of whole Wh by UTC minute.

Owns how a channel is cut into runs of consecutive intervals. Refuses to know which of our meters a
channel is: its name is the file's.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gridtally.meter_files.local_clock import Instants

Flow = Literal["import", "export", "load", "generation", "reactive_import", "reactive_export"]
REACTIVE: tuple[Flow, ...] = ("reactive_import", "reactive_export")
Wh = NDArray[np.int64]
Qualities = NDArray[np.uint8]
ABSENT = np.iinfo(np.int64).min
"""Stands for a value that the file says is missing."""
ACTUAL, ESTIMATED, SUBSTITUTED = (ord(letter) for letter in "AES")


class FileError(ValueError):
    """Why a file cannot be read, and what to do, in the words of whoever sent it."""


@dataclass(frozen=True, slots=True, eq=False)
class FileChannel:
    """The intervals of one channel of a file, in order of time.

    `name` is what the file calls it: a column, a meter and its suffix. `flow` is None where the
    file does not say. `values` are whole Wh, or varh where it `is_reactive`, that start at
    `starts`, UTC minutes from 1970; ABSENT where the file says that there is none.
    """

    name: str
    flow: Flow | None
    minutes: int
    starts: Instants
    values: Wh
    quality: Qualities
    is_reactive: bool = False

    @property
    def present(self) -> int:
        """How many intervals have a value."""
        return int(np.count_nonzero(self.values != ABSENT))

    @property
    def energy_wh(self) -> int:
        """The sum of all values."""
        return int(self.values[self.values != ABSENT].sum(dtype=np.int64))


@dataclass(frozen=True, slots=True, eq=False)
class MeterFile:
    """The channels of a file, and what its reader did to understand it, a sentence each."""

    channels: tuple[FileChannel, ...]
    notes: tuple[str, ...] = ()


class Run(NamedTuple):
    """Consecutive intervals of one quality, each with a value."""

    start: int
    values: list[int]
    quality: int


def runs(channel: FileChannel, values_max: int) -> Iterator[Run]:
    """The values of a channel as runs of at most `values_max`, cut where one is missing or where
    the quality changes; in order of time."""
    present = channel.values != ABSENT
    starts, values, quality = (
        column[present] for column in (channel.starts, channel.values, channel.quality)
    )
    if not len(starts):
        return
    cut = (np.diff(starts) != channel.minutes) | (np.diff(quality) != 0)
    edges = [0, *(np.flatnonzero(cut) + 1).tolist(), len(starts)]
    for first, end in pairwise(edges):
        for begin in range(first, end, values_max):
            part = values[begin : min(end, begin + values_max)].tolist()
            yield Run(int(starts[begin]), part, int(quality[begin]))


def check_names(channels: Iterable[FileChannel]) -> None:
    """FileError where two channels have one name."""
    names: set[str] = set()
    for channel in channels:
        if channel.name in names:
            raise FileError(f"the file has two channels called {channel.name}")
        names.add(channel.name)


def listed(texts: Sequence[str], shown_max: int = 5) -> str:
    """The first texts, for a sentence."""
    shown = ", ".join(texts[:shown_max])
    return f"{shown}, …" if len(texts) > shown_max else shown
