"""Many channels' series at once: one array for each, and its sums at a coarser resolution.

A channel is an array from its first local midnight to its last; nothing here is a loop over
intervals. A sum with a missing part is missing: who reads many channels is not told how much of
each sum is there, as the reader of a single one is (`series`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from typing import Literal
from uuid import UUID

import numpy as np
import numpy.typing as npt

from gridtally.ingest.domain.local_days import slots_per_day
from gridtally.ingest.domain.merge import MISSING, NO_CHANNEL, Qualities, Wh
from gridtally.ingest.domain.meters import Channel, Flow, Meter
from gridtally.ingest.domain.series import StoredDays, day_values, within_channel
from gridtally.kernel.errors import Rejected
from gridtally.kernel.periods import Period

BulkResolution = Literal["native", "15", "30", "60", "1440"]
"""The interval length of the answer in minutes; `1440` is a local day, however long it is."""
BATCH_VALUES_MAX = 500_000
"""So many intervals are encoded at once, and as many are read meanwhile, whatever is asked for."""
AS_KNOWN_VALUES_MAX = 25_000
"""So many where each day is made again of its blocks, so that something arrives every few
seconds."""
_LETTERS = b"NASE-"
"""The qualities from best to worst; a sum has the worst of its parts."""
_RANK = np.full(256, len(_LETTERS), np.uint8)
_RANK[list(_LETTERS)] = range(len(_LETTERS))
_LETTER_OF_RANK = np.frombuffer(_LETTERS + b"-", np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class ChannelSeries:
    """A channel's energy per interval in Wh (varh), `MISSING` where there is none, and the quality
    of each, from the local midnight of `window.start_on` to that of `window.end_on`."""

    meter_id: UUID
    flow: Flow
    zone: str
    minutes: int
    window: Period
    values: npt.NDArray[np.int32] | npt.NDArray[np.int64] = field(repr=False)
    quality: Qualities = field(repr=False)


@dataclass(frozen=True, slots=True)
class StoredChannel:
    """What is stored of a channel within a window: the values of all `days`, one day after another,
    how many each of them has, and the letters of all."""

    days: Sequence[date]
    values: Wh
    lengths: Sequence[int]
    quality: bytes

    def by_day(self) -> StoredDays:
        """The same, by local day."""
        letters = np.frombuffer(self.quality, np.uint8)
        cuts = np.cumsum(self.lengths)[:-1]
        parts = zip(np.split(self.values, cuts), np.split(letters, cuts), strict=True)
        return dict(zip(self.days, parts, strict=True))


NOTHING_STORED = StoredChannel((), np.empty(0, np.int32), (), b"")


def whole_series(
    meter: Meter, channel: Channel, window: Period, stored: StoredChannel
) -> ChannelSeries:
    """A channel's series over the whole window. Days of which nothing is stored are missing; what
    the channel cannot have measured has the quality `N`."""
    if len(stored.days) == window.days and not channel.is_bounded:
        values, letters = stored.values, np.frombuffer(stored.quality, np.uint8)
    else:
        days = stored.by_day() if stored.days else {}
        bounds = (window.start_on, window.end_on)
        if channel.is_bounded:
            days = within_channel(meter.zone, channel, days, bounds)
        parts = [day_values(meter.zone, channel.minutes, days, day) for day in window.dates()]
        values, letters = (np.concatenate(part) for part in zip(*parts, strict=True))
    return ChannelSeries(
        meter.meter_id, channel.flow, meter.zone, channel.minutes, window, values, letters
    )


def at_resolution(series: ChannelSeries, resolution: BulkResolution) -> ChannelSeries:
    """The series with the sums of whole intervals of `resolution`, each within its local day.

    A sum is missing where a part of it is; parts that were not measured (`N`) count as nothing.
    The channel's own intervals must make such a one (`check_resolution`).
    """
    if resolution == "native" or int(resolution) == series.minutes:
        return series
    minutes = int(resolution)
    begins = _begins(series.zone, series.minutes, series.window, minutes)
    worst = np.maximum.reduceat(_RANK[series.quality], begins)
    absent = (series.values == MISSING) & (series.quality != NO_CHANNEL)
    is_missing = np.logical_or.reduceat(absent, begins) | (worst == _RANK[NO_CHANNEL])
    sums = np.add.reduceat(np.maximum(series.values, 0), begins, dtype=np.int64)
    return replace(
        series,
        minutes=minutes,
        values=np.where(is_missing, MISSING, sums),
        quality=_LETTER_OF_RANK[worst],
    )


def check_resolution(
    meters: Sequence[Meter], flows: Sequence[Flow], resolution: BulkResolution
) -> None:
    """Rejected where a channel's intervals do not make one of this resolution."""
    if resolution == "native":
        return
    for meter in meters:
        for channel in chosen(meter, flows):
            if int(resolution) % channel.minutes:
                raise Rejected(
                    "resolution_too_fine",
                    f"intervals of {channel.minutes} min do not make {resolution} min: "
                    f"{channel.flow} of meter {meter.meter_id}",
                )


@lru_cache(maxsize=1024)
def _begins(zone: str, minutes: int, window: Period, sum_minutes: int) -> npt.NDArray[np.int64]:
    """The index at which each sum begins; the last of a day may be shorter."""
    per_sum = sum_minutes // minutes
    begins: list[int] = []
    first = 0
    for slots in slots_per_day(zone, minutes, window):
        per_day = slots if sum_minutes == 1440 else per_sum
        begins += range(first, first + slots, per_day)
        first += slots
    return np.array(begins, np.int64)


def batches(
    meters: Sequence[Meter], flows: Sequence[Flow], days: int, values_max: int
) -> Iterator[list[Meter]]:
    """The meters in batches with `values_max` intervals each at the most, one meter at least."""
    batch: list[Meter] = []
    values_left = values_max
    for meter in meters:
        per_day = sum(1500 // channel.minutes for channel in chosen(meter, flows))
        values_left -= per_day * days
        if batch and values_left < 0:
            yield batch
            batch, values_left = [], values_max - per_day * days
        batch.append(meter)
    if batch:
        yield batch


def chosen(meter: Meter, flows: Sequence[Flow]) -> list[Channel]:
    """The channels of a meter that are of these flows."""
    return [channel for channel in meter.channels if channel.flow in flows]
