"""Local days as rows of intervals: where a block of readings lies, and how days are laid out.

A day has as many slots as its minutes allow: 92, 96 or 100 of 15 minutes when clocks change.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from gridtally.kernel.periods import (
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
class DaySlot:
    """The slot of a local day that an interval begins in, and how many slots the day has."""

    day: date
    slot: int
    slots: int


class Misaligned(ValueError):
    """An interval that begins beside the grid of its local day, or does not fill the day."""


def slot_of(zone: str, minutes: int, start_at: datetime) -> DaySlot:
    """The slot of an interval of `minutes` that begins at `start_at` (UTC).

    Misaligned where it begins between two slots, or where such intervals do not fill the day.
    """
    day = local_date(zone, start_at)
    try:
        slots = slots_in_day(zone, day, minutes)
    except ValueError as unfilled:
        raise Misaligned(str(unfilled)) from None
    slot, beside = divmod(start_at - midnight_utc(zone, day), timedelta(minutes=minutes))
    if beside:
        raise Misaligned(
            f"{start_at.isoformat()} is not a multiple of {minutes} min after midnight in {zone}: "
            "send the instant at which the interval begins, not its end or when it was read"
        )
    return DaySlot(day, slot, slots)


@dataclass(frozen=True, slots=True)
class Piece:
    """The part of a block that lies in one local day: `count` intervals from `first` on."""

    first: DaySlot
    count: int
    start_at: datetime


@dataclass(frozen=True, slots=True)
class CutBlock:
    """All pieces of a block in order of time, and when the block ends."""

    pieces: tuple[Piece, ...]
    end_at: datetime


@lru_cache(maxsize=65_536)
def cut_at_midnights(zone: str, minutes: int, start_at: datetime, count: int) -> CutBlock:
    """A block of `count` intervals, cut at local midnights; Misaligned where a day does not fit.

    Cached, because many meters send blocks of the same times.
    """
    pieces: list[Piece] = []
    done = 0
    while done < count:
        begin_at = start_at + timedelta(minutes=done * minutes)
        first = slot_of(zone, minutes, begin_at)
        in_day = min(count - done, first.slots - first.slot)
        pieces.append(Piece(first, in_day, begin_at))
        done += in_day
    return CutBlock(tuple(pieces), start_at + timedelta(minutes=count * minutes))


@lru_cache(maxsize=4_096)
def slots_per_day(zone: str, minutes: int, period: Period) -> tuple[int, ...]:
    """How many whole intervals each day of the period has."""
    return tuple(day_minutes(zone, day) // minutes for day in period.dates())


def days_between(start_on: date, end_on: date) -> list[date]:
    """Each day from `start_on` up to, but without, `end_on`; none when that is not later."""
    return [start_on + index * ONE_DAY for index in range((end_on - start_on).days)]
