"""Registers: cumulative totals become interval energy by difference.

Between two reads energy is taken to flow evenly. The pieces are whole Wh and add up to what the
dial went by: each is the difference of two running totals, and those are cut to whole Wh, never the
pieces. An interval that is covered in part has that part, until the next read brings the rest.

What an interval has follows from the reads around it alone. Two reads that cannot be subtracted
make no energy: what lies between them is held, and no interval has any of it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Literal

from ingest.domain.days import OLDEST_AT
from kernel.money import EXACT
from kernel.periods import ONE_DAY, local_date, midnight_utc
from kernel.registers import advance

Kind = Literal["reading", "exchange_final", "exchange_initial"]
Reason = Literal["fall", "other_dial", "too_old"]
SCALE = 10**12
"""Parts of a Wh in which totals are counted: dials and multipliers have six decimals each."""
SCALE_OF_KWH = 15
"""The exponent of the same parts in a kWh."""
RUN_VALUES_MAX = 3_000
"""As many as a block may have."""
SPAN_MAX = timedelta(days=100)
"""So much of a register is turned into intervals at once."""
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
class Held:
    """From one read to the next, where they make no energy; the values are what the dial showed.

    A `fall` is too small for a rollover, so one of the two reads is mistaken; `other_dial`: they
    are not of one dial, so half of an exchange lacks; `too_old` begins before what is stored.
    """

    start_at: datetime
    end_at: datetime
    reason: Reason
    start_value: Decimal
    end_value: Decimal


@dataclass(frozen=True, slots=True)
class Span:
    """From one moment to another."""

    start_at: datetime
    end_at: datetime

    def __or__(self, other: "Span") -> "Span":
        """The least span that holds both."""
        return Span(min(self.start_at, other.start_at), max(self.end_at, other.end_at))


@dataclass(frozen=True, slots=True)
class Run:
    """Consecutive intervals in Wh from `start_at` on; of None nothing is known."""

    start_at: datetime
    values: list[int | None]


def between(reads: Sequence[Read]) -> Iterator[Stretch | Held]:
    """What lies between reads of one register that follow each other; they come in any order.

    Of two reads of one moment the one recorded last counts.
    """
    for before, after in pairwise(_in_order(reads)):
        if before.read_at == after.read_at:  # the meter was exchanged
            continue
        reason = _why_held(before, after)
        if reason is None:
            gone = advance(before.value, after.value, before.digits)
            energy = _parts(gone.amount, before.multiplier)
            yield Stretch(_us(before.read_at), _us(after.read_at), before.total, energy)
        else:
            yield Held(before.read_at, after.read_at, reason, before.value, after.value)


def _in_order(reads: Sequence[Read]) -> list[Read]:
    latest: dict[tuple[datetime, int], Read] = {}
    for read in sorted(reads, key=lambda read: read.recorded_at):
        latest[read.read_at, _IN_ORDER[read.kind]] = read
    return [latest[key] for key in sorted(latest)]


def _why_held(before: Read, after: Read) -> Reason | None:
    if before.read_at < OLDEST_AT:
        return "too_old"
    size = Decimal(1).scaleb(before.digits)
    exchanged = before.kind == "exchange_final" or after.kind == "exchange_initial"
    if exchanged or max(before.value, after.value) >= size:
        return "other_dial"
    gone = advance(before.value, after.value, before.digits)
    return "fall" if gone.kind == "fall" else None


def stretches(reads: Sequence[Read]) -> list[Stretch]:
    """What flowed between reads of one register, in any order; what is held is left out."""
    return [one for one in between(reads) if isinstance(one, Stretch)]


def held(reads: Sequence[Read]) -> list[Held]:
    """What is held between reads of one register, in any order."""
    return [one for one in between(reads) if isinstance(one, Held)]


def spread(found: Sequence[Stretch], edges: Sequence[datetime]) -> list[int | None]:
    """The energy of each interval between two edges (UTC, rising) in Wh; None where nothing is
    known of it."""
    values: list[int | None] = [None] * max(len(edges) - 1, 0)
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


def said(edges: Sequence[datetime], values: Sequence[int | None]) -> Span | None:
    """From the first interval that has a value to the last; None where none has."""
    known = [n for n, value in enumerate(values) if value is not None]
    return Span(edges[known[0]], edges[known[-1] + 1]) if known else None


def worth_saying(
    edges: Sequence[datetime], values: Sequence[int | None], told: Span | None
) -> tuple[Sequence[datetime], Sequence[int | None]]:
    """Without the ends of which nothing is known, nor has ever been `told`: there is nothing to
    take back."""
    spans = [span for span in (told, said(edges, values)) if span is not None]
    known = [
        n
        for n, (start_at, end_at) in enumerate(pairwise(edges))
        if any(start_at < span.end_at and span.start_at < end_at for span in spans)
    ]
    if not known:
        return (), ()
    return edges[known[0] : known[-1] + 2], values[known[0] : known[-1] + 1]


def whole(edges: Sequence[datetime], values: Sequence[int | None], most: int) -> Iterator[Run]:
    """All intervals in runs that fit a block; values above `most` are left out."""
    for at in range(0, len(values), RUN_VALUES_MAX):
        some = values[at : at + RUN_VALUES_MAX]
        yield Run(edges[at], [None if one is None or one > most else one for one in some])


def beyond(edges: Sequence[datetime], values: Sequence[int | None], most: int) -> Iterator[Run]:
    """The intervals above `most` alone, in runs that fit a block."""
    run: Run | None = None
    for start_at, value in zip(edges, values, strict=False):
        above = value is not None and value > most
        if run is not None and (not above or len(run.values) == RUN_VALUES_MAX):
            yield run
            run = None
        if above:
            run = run or Run(start_at, [])
            run.values.append(value)
    if run is not None:
        yield run


@dataclass(frozen=True, slots=True)
class Rest:
    """What of a change is still to be turned into intervals, and not before `due_at`."""

    from_at: datetime
    to_at: datetime
    due_at: datetime


def next_edges(
    zone: str, minutes: int, from_at: datetime, to_at: datetime, now: datetime
) -> tuple[list[datetime], Rest | None]:
    """The edges of the intervals that touch [from_at, to_at] and have passed, `SPAN_MAX` of them at
    most, and the rest. An interval can be stored once it has passed, so the rest may have to wait.
    """
    begin = max(from_at, OLDEST_AT)
    reach = max(begin, min(to_at, begin + SPAN_MAX, now))
    edges = edges_around(zone, minutes, begin, reach)
    passed = [edge for edge in edges if OLDEST_AT <= edge <= now]
    if edges[-1] > now:
        running_at = passed[-1] if passed else from_at
        due_at = next(edge for edge in edges if edge > now)
        return passed, Rest(running_at, max(to_at, running_at), due_at)
    if edges[-1] < to_at:
        return passed, Rest(edges[-1], to_at, now)
    return passed, None


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
