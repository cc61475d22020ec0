"""Registers: what of a change in their readings becomes intervals, when, and in which blocks.

The arithmetic is `gridtally.metering`'s. What an interval has follows from the readings around it
alone, so only the time from the reading before a change to the one after it is converted again. Two
readings that cannot be subtracted make no energy: the time between them is an exception, and no
interval has any of it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

import numpy as np

from gridtally.ingest.domain.local_days import OLDEST_AT
from gridtally.metering.intervals import MISSING, Edges, Energy, edges_around
from gridtally.metering.readings import instant, microseconds

RUN_VALUES_MAX = 3_000
"""As many as a block may have."""
CONVERTED_AT_ONCE_MAX = timedelta(days=100)
"""So much of a register is turned into intervals in one conversion."""
RegisterKey = tuple[str, UUID, str]
"""Tenant, meter and flow."""
EntryKey = tuple[str, UUID]
"""Tenant and reading."""


class KnownEntry(NamedTuple):
    """What is stored of a reading: its version, and when it was read."""

    version: int
    read_at: datetime


@dataclass(frozen=True, slots=True)
class RegisterEntry:
    """The newest entry of a register reading; `kind` may be `withdrawn` besides those of readings.

    `value` is what the register showed, in kWh before its multiplier. `decimals` are those that it
    shows, and `quality` how its value came to be; None of what was stored before they were.
    """

    tenant_id: str
    reading_id: UUID
    meter_id: UUID
    flow: str
    version: int
    kind: str
    value: Decimal
    digits: int
    rollover_kwh: Decimal | None
    multiplier: Decimal
    read_at: datetime
    recorded_at: datetime
    correlation_id: str
    decimals: int | None = None
    quality: str | None = None

    @property
    def register(self) -> RegisterKey:
        """The register that was read."""
        return (self.tenant_id, self.meter_id, self.flow)


@dataclass(frozen=True, slots=True)
class TimeRange:
    """From one moment up to another."""

    start_at: datetime
    end_at: datetime

    def __or__(self, other: "TimeRange") -> "TimeRange":
        """The shortest range that holds both."""
        return TimeRange(min(self.start_at, other.start_at), max(self.end_at, other.end_at))


@dataclass(frozen=True, slots=True)
class IntervalRun:
    """Consecutive intervals in Wh from `start_at` on; of None nothing is known."""

    start_at: datetime
    values: list[int | None]


def known_run(edges: Edges, values: Energy) -> TimeRange | None:
    """From the first interval that has a value to the last; None where none has."""
    known = np.flatnonzero(values != MISSING)
    if not known.size:
        return None
    return TimeRange(instant(int(edges[known[0]])), instant(int(edges[known[-1] + 1])))


def reportable_run(
    edges: Edges, values: Energy, reported: TimeRange | None
) -> tuple[Edges, Energy]:
    """The edges and values without ends of which nothing is known.

    What lies within `reported`, where this register had values before, is kept even where nothing
    is known any more: those values have to be voided.
    """
    is_kept = values != MISSING
    if reported is not None:
        begins_before = edges[:-1] < microseconds(reported.end_at)
        is_kept |= begins_before & (microseconds(reported.start_at) < edges[1:])
    kept = np.flatnonzero(is_kept)
    if not kept.size:
        return edges[:0], values[:0]
    first, end = int(kept[0]), int(kept[-1]) + 1
    return edges[first : end + 1], values[first:end]


def runs_within(edges: Edges, values: Energy, interval_wh_max: int) -> Iterator[IntervalRun]:
    """All intervals in runs that fit a block; values above the most are left out as None."""
    is_left_out = (values == MISSING) | (values > interval_wh_max)
    for first in range(0, values.size, RUN_VALUES_MAX):
        part = slice(first, first + RUN_VALUES_MAX)
        fitting: list[int | None] = values[part].tolist()
        for index in np.flatnonzero(is_left_out[part]).tolist():
            fitting[index] = None
        yield IntervalRun(instant(int(edges[first])), fitting)


def runs_above(edges: Edges, values: Energy, interval_wh_max: int) -> Iterator[IntervalRun]:
    """Only the intervals above the most, in runs that fit a block."""
    above = np.flatnonzero(values > interval_wh_max)
    for run in np.split(above, np.flatnonzero(np.diff(above) > 1) + 1):
        for first in range(0, run.size, RUN_VALUES_MAX):
            part = run[first : first + RUN_VALUES_MAX]
            yield IntervalRun(instant(int(edges[part[0]])), values[part].tolist())


@dataclass(frozen=True, slots=True)
class DueRegister:
    """A register of which something between two moments has changed.

    `ranked_at` is the latest `read_at` of the blocks made of it before, and `reported` the time in
    which any interval ever had a value of it.
    """

    key: RegisterKey
    from_at: datetime
    to_at: datetime
    ranked_at: datetime
    correlation_id: str
    reported: TimeRange | None = None


def newer_entries(
    entries: Sequence[RegisterEntry], known: Mapping[EntryKey, KnownEntry]
) -> tuple[list[RegisterEntry], list[DueRegister]]:
    """The entries (one per reading) that are newer than what is known of their reading, and the
    registers that these change, by key.

    A reading changes its register where it is now and where it was before.
    """
    newer: list[RegisterEntry] = []
    due: dict[RegisterKey, DueRegister] = {}
    for entry in entries:
        before = known.get((entry.tenant_id, entry.reading_id))
        if before is not None and before.version >= entry.version:
            continue
        newer.append(entry)
        moments = [entry.read_at] if before is None else [entry.read_at, before.read_at]
        ranked_at = entry.recorded_at
        other = due.get(entry.register)
        if other is not None:
            moments += [other.from_at, other.to_at]
            ranked_at = max(ranked_at, other.ranked_at)
        due[entry.register] = DueRegister(
            entry.register, min(moments), max(moments), ranked_at, entry.correlation_id
        )
    return newer, [due[key] for key in sorted(due)]


@dataclass(frozen=True, slots=True)
class Remainder:
    """What of a change is still to be turned into intervals, and not before `due_at`."""

    from_at: datetime
    to_at: datetime
    due_at: datetime


@dataclass(frozen=True, slots=True)
class DoneRegister:
    """A register that has been turned into intervals, but for the remainder.

    `ranked_at` is the `read_at` of the last block made of it, `reported` where it has had values.
    """

    key: RegisterKey
    ranked_at: datetime
    remainder: Remainder | None
    reported: TimeRange | None


def next_edges(
    zone: str, minutes: int, from_at: datetime, to_at: datetime, now: datetime
) -> tuple[Edges, Remainder | None]:
    """The edges of the intervals that touch [from_at, to_at] and have passed, and the remainder.

    At most `CONVERTED_AT_ONCE_MAX` of the change is taken. An interval can be stored once it has
    passed, so the remainder may have to wait for that.
    """
    begin_at = max(from_at, OLDEST_AT)
    reach_at = max(begin_at, min(to_at, begin_at + CONVERTED_AT_ONCE_MAX, now))
    edges = edges_around(zone, minutes, begin_at, reach_at)
    first = int(np.searchsorted(edges, microseconds(OLDEST_AT), "left"))
    end = int(np.searchsorted(edges, microseconds(now), "right"))
    passed = edges[first:end]
    if end < edges.size:
        running_at = instant(int(passed[-1])) if passed.size else from_at
        return passed, Remainder(running_at, max(to_at, running_at), instant(int(edges[end])))
    last_at = instant(int(edges[-1]))
    return passed, Remainder(last_at, to_at, now) if last_at < to_at else None
