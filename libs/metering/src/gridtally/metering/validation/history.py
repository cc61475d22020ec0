"""What is remembered of a channel: its last 28 whole days, the shape of weekdays and rest days.

Of a fixed length and plain numbers, so that those of a thousand channels are one array and are
read and written as bytes. It can always be made again from the days.
"""

import numpy as np
import numpy.typing as npt

from gridtally.metering.validation.batch import (
    HOURS,
    ChannelDays,
    Floats,
    Index,
    Measures,
    Timeline,
)

WINDOW_DAYS = 28
HISTORY_FORM = 1
"""Of the bytes; those of another form are begun again."""
HISTORY = np.dtype(
    [
        ("form", "<i4"),
        ("last_value", "<i4"),
        ("last_run", "<i4"),
        ("ordinals", "<i4", WINDOW_DAYS),
        ("totals", "<f4", WINDOW_DAYS),
        ("peaks", "<f4", WINDOW_DAYS),
        ("late", "<f4", WINDOW_DAYS),
        ("early", "<f4", WINDOW_DAYS),
        ("weights", "<f4", 2),
        ("shapes", "<f4", (2, HOURS)),
    ]
)
"""A channel. `ordinals` are the days that are remembered, oldest first, 0 where there is none;
`totals` and `peaks` their energy and highest interval; `late` and `early` how much better each
fits the usual shape an hour later or earlier. `shapes` are the shares of a day's hours on weekdays
and on rest days, each the mean of `weights` days. `last_run` is in how many intervals in a row the
last day ended with `last_value`."""
Histories = npt.NDArray[np.void]


def empty_histories(count: int) -> Histories:
    """Those of channels of which nothing is remembered."""
    histories = np.zeros(count, HISTORY)
    histories["form"] = HISTORY_FORM
    return histories


def read_histories(stored: list[bytes]) -> Histories:
    """Histories as they were written, each by itself; one of another form or length is empty."""
    is_known = [
        len(payload) == HISTORY.itemsize and payload[0] == HISTORY_FORM for payload in stored
    ]
    blank = empty_histories(1).tobytes()
    payloads = [
        payload if known else blank for payload, known in zip(stored, is_known, strict=True)
    ]
    return np.frombuffer(b"".join(payloads), HISTORY)


def write_histories(histories: Histories) -> list[bytes]:
    """Each history's bytes."""
    payload, size = histories.tobytes(), HISTORY.itemsize
    return [payload[begin : begin + size] for begin in range(0, len(payload), size)]


def grow(
    histories: Histories,
    days: ChannelDays,
    measures: Measures,
    timeline: Timeline,
    shifts: tuple[Floats, Floats],
    runs: Index,
) -> Histories:
    """The histories of the channels of `days` with their whole days that are later than the last.

    Days are remembered whatever was said of them: medians of 28 days bear some wrong ones, and a
    change that stays is usual after two weeks. `shifts` (`late` and `early`) and `runs` (in how
    many intervals the value at the end of the day has been there) have one entry per day.
    """
    channels = int(days.channels[-1]) + 1
    grown = histories[:channels].copy()
    taken = np.flatnonzero(measures.is_taken)
    if not taken.size:
        return grown
    window = timeline.last_window
    grown["ordinals"] = timeline.ordinals[window]
    grown["totals"] = timeline.totals[window]
    grown["peaks"] = timeline.peaks[window]
    for name, of_days in zip(("late", "early"), shifts, strict=True):
        remembered = np.concatenate((histories[name][:channels].ravel(), of_days[taken]))
        grown[name] = remembered[timeline.sources[window]]
    _mix_shapes(grown, days, measures, taken)
    last = np.zeros(channels, np.int64)
    last[days.channels[taken]] = taken
    has_grown = np.zeros(channels, np.bool_)
    has_grown[days.channels[taken]] = True
    ends = days.begins[last] + days.slots[last] - 1
    grown["last_value"] = np.where(has_grown, days.values[ends], grown["last_value"])
    grown["last_run"] = np.where(has_grown, runs[last], grown["last_run"])
    return grown


def _mix_shapes(grown: Histories, days: ChannelDays, measures: Measures, taken: Index) -> None:
    """The running mean of shapes, in which no more than 28 days weigh."""
    with_energy = taken[(measures.total[taken] > 0) & measures.has_hours[taken]]
    if not with_energy.size:
        return
    kinds = days.channels[with_energy] * 2 + days.is_rest[with_energy]
    count = np.bincount(kinds, minlength=grown.size * 2).reshape(grown.size, 2)
    flat_sums = np.zeros((grown.size * 2, HOURS))
    np.add.at(flat_sums, kinds, measures.shape[with_energy])
    sums = flat_sums.reshape(grown.size, 2, HOURS)
    weights = np.minimum(grown["weights"] + count, WINDOW_DAYS)
    share = np.where(count > 0, np.minimum(count / np.maximum(weights, 1), 1.0), 0.0)[:, :, None]
    mean = sums / np.maximum(count, 1)[:, :, None]
    grown["shapes"] += (mean - grown["shapes"]) * share
    grown["weights"] = weights
