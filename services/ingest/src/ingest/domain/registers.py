"""Registers: cumulative totals become interval energy by difference.

Between two reads energy is taken to flow evenly. The pieces are whole Wh and add up to what the
dial went by: each is the difference of two running totals, and those are cut to whole Wh, never the
pieces. An interval that is covered in part has that part, until the next read brings the rest.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Literal

from kernel.money import EXACT
from kernel.periods import ONE_DAY, local_date, midnight_utc
from kernel.registers import advance

Kind = Literal["reading", "exchange_final", "exchange_initial"]
SCALE = 10**12
"""Parts of a Wh in which totals are counted: dials and multipliers have six decimals each."""
SCALE_OF_KWH = 15
"""The exponent of the same parts in a kWh."""
RUN_VALUES_MAX = 3_000
"""As many as a block may have."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_IN_ORDER = {"exchange_final": 0, "reading": 1, "exchange_initial": 2}


@dataclass(frozen=True, slots=True)
class Read:
    """What a dial with `digits` before its point showed, in kWh before its `multiplier`."""

    read_at: datetime
    recorded_at: datetime
    kind: Kind
    value: Decimal
    digits: int
    multiplier: Decimal

    @property
    def total(self) -> int:
        """The dial as energy, in parts of a Wh."""
        return _parts(self.value, self.multiplier)


@dataclass(frozen=True, slots=True)
class Stretch:
    """From one read to the next: running totals in parts of a Wh, moments in microseconds."""

    start_us: int
    end_us: int
    total: int
    energy: int

    def whole_wh(self, at_us: int) -> int:
        """The running total at a moment of the stretch, cut to whole Wh."""
        length = self.end_us - self.start_us
        return (self.total * length + self.energy * (at_us - self.start_us)) // (length * SCALE)


@dataclass(frozen=True, slots=True)
class Run:
    """Consecutive intervals with a value each, in Wh, from `start_at` on."""

    start_at: datetime
    values: list[int]


def stretches(reads: Sequence[Read]) -> list[Stretch]:
    """What flowed between reads of one register, in any order.

    Of two reads of one moment the one recorded last counts. Left out is what a fall of the dial
    would take back: a mistaken read is to be corrected.
    """
    found: list[Stretch] = []
    total = None
    for before, after in pairwise(_in_order(reads)):
        total = before.total if total is None else total
        if after.kind == "exchange_initial" and before.kind == "exchange_final":
            continue
        gone = advance(before.value, after.value, before.digits)
        if gone.kind == "fall":
            total = after.total
            continue
        energy = _parts(gone.amount, before.multiplier)
        found.append(Stretch(_us(before.read_at), _us(after.read_at), total, energy))
        total += energy
    return found


def _in_order(reads: Sequence[Read]) -> list[Read]:
    latest: dict[tuple[datetime, int], Read] = {}
    for read in sorted(reads, key=lambda read: read.recorded_at):
        latest[read.read_at, _IN_ORDER[read.kind]] = read
    return [latest[key] for key in sorted(latest)]


def spread(found: Sequence[Stretch], edges: Sequence[datetime]) -> list[int | None]:
    """The energy of each interval between two edges (UTC, rising) in Wh; None where nothing is
    known of it."""
    values: list[int | None] = [None] * (len(edges) - 1)
    slot = 0
    moments = [_us(edge) for edge in edges]
    for stretch in found:
        while slot < len(values) and moments[slot + 1] <= stretch.start_us:
            slot += 1
        here = slot
        while here < len(values) and moments[here] < stretch.end_us:
            begin = max(moments[here], stretch.start_us)
            end = min(moments[here + 1], stretch.end_us)
            part = stretch.whole_wh(end) - stretch.whole_wh(begin)
            values[here] = (values[here] or 0) + part
            here += 1
    return values


def runs(edges: Sequence[datetime], values: Sequence[int | None]) -> Iterator[Run]:
    """The intervals that have a value, in runs that fit a block."""
    run: Run | None = None
    for start_at, value in zip(edges[:-1], values, strict=True):
        if run is not None and (value is None or len(run.values) == RUN_VALUES_MAX):
            yield run
            run = None
        if value is not None:
            run = run or Run(start_at, [])
            run.values.append(value)
    if run is not None:
        yield run


def edges_around(zone: str, minutes: int, from_at: datetime, to_at: datetime) -> list[datetime]:
    """The edges of the intervals of local days that touch [from_at, to_at]."""
    step = timedelta(minutes=minutes)
    edges: list[datetime] = []
    day, last = local_date(zone, from_at), local_date(zone, to_at)
    while day <= last:
        edges.extend(_edges_of(zone, day, step))
        day += ONE_DAY
    edges.append(midnight_utc(zone, day))
    first = max(place for place, edge in enumerate(edges) if edge <= from_at)
    end = min((place for place, edge in enumerate(edges) if edge >= to_at), default=len(edges) - 1)
    return edges[first : max(end, first + 1) + 1]


def _edges_of(zone: str, day: date, step: timedelta) -> Iterator[datetime]:
    at, next_midnight = midnight_utc(zone, day), midnight_utc(zone, day + ONE_DAY)
    while at < next_midnight:
        yield at
        at += step


def _parts(kwh: Decimal, multiplier: Decimal) -> int:
    return int(EXACT.multiply(kwh, multiplier).scaleb(SCALE_OF_KWH, EXACT))


def _us(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND
