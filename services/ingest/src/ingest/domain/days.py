"""Local days as rows of intervals: where a block of readings falls, and how days are laid out.

A day has as many slots as its minutes allow: 92, 96 or 100 of 15 minutes when clocks change.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from kernel.periods import (
    ONE_DAY,
    Period,
    day_minutes,
    local_date,
    midnight_utc,
    slots_in_day,
)

OLDEST_ON = date(2000, 1, 1)
"""No reading and no period lies before."""
OLDEST_AT = datetime(2000, 1, 2, tzinfo=UTC)
"""From then on it is at least `OLDEST_ON` everywhere."""


@dataclass(frozen=True, slots=True)
class Place:
    """The slot of a local day that an interval begins in, and how many slots the day has."""

    day: date
    slot: int
    slots: int


class OffGrid(ValueError):
    """An interval that begins beside the grid of its local day, or does not fill the day."""


def place(zone: str, minutes: int, start_at: datetime) -> Place:
    """Where an interval of `minutes` that begins at `start_at` (UTC) lies; OffGrid when nowhere."""
    day = local_date(zone, start_at)
    try:
        slots = slots_in_day(zone, day, minutes)
    except ValueError as unfilled:
        raise OffGrid(str(unfilled)) from None
    slot, beside = divmod(start_at - midnight_utc(zone, day), timedelta(minutes=minutes))
    if beside:
        raise OffGrid(f"{start_at.isoformat()} is not a multiple of {minutes} min after midnight")
    return Place(day, slot, slots)


@dataclass(frozen=True, slots=True)
class Piece:
    """The part of a block that lies in one local day: `count` intervals from `place` on."""

    place: Place
    count: int
    start_at: datetime


@dataclass(frozen=True, slots=True)
class Span:
    """All pieces of a block, and when it ends."""

    pieces: tuple[Piece, ...]
    end_at: datetime


@lru_cache(maxsize=65_536)
def split(zone: str, minutes: int, start_at: datetime, count: int) -> Span:
    """A block of `count` intervals, cut at local midnights; OffGrid where a day does not fit.

    Cached, because many meters send blocks of the same times.
    """
    pieces: list[Piece] = []
    first = 0
    while first < count:
        begin = start_at + timedelta(minutes=first * minutes)
        here = place(zone, minutes, begin)
        taken = min(count - first, here.slots - here.slot)
        pieces.append(Piece(here, taken, begin))
        first += taken
    return Span(tuple(pieces), start_at + timedelta(minutes=count * minutes))


@lru_cache(maxsize=4_096)
def slots_per_day(zone: str, minutes: int, period: Period) -> tuple[int, ...]:
    """How many whole intervals each day of the period has."""
    return tuple(day_minutes(zone, day) // minutes for day in period.dates())


def days_between(start_on: date, end_on: date) -> list[date]:
    """Each day from `start_on` up to, but without, `end_on`; none when that is not later."""
    return [start_on + n * ONE_DAY for n in range((end_on - start_on).days)]
