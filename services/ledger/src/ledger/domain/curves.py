"""The way of a register through time: its reads, joined by straight lines.

Owns what a register has counted between any two moments, over rollovers and exchanges of the
meter. Between two reads the count is cut into whole steps of the register by cumulative flooring,
so the pieces of any cutting add up to the difference exactly (ING-2). Before the first and after
the last read nothing is known, and nothing is made up.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, localcontext
from itertools import pairwise
from typing import Literal, get_args

from kernel.money import EXACT
from kernel.registers import advance
from ledger.domain.readings import Kind
from ledger.domain.readings import Quality as Entered
from ledger.domain.registry import Register

Quality = Literal["actual", "interpolated", "estimated", "substituted", "missing"]
QUALITIES: tuple[Quality, ...] = get_args(Quality)
"""From the best to the worst."""
MICROSECOND = timedelta(microseconds=1)


def worst(qualities: Iterable[Quality]) -> Quality:
    """The worst of them, for nothing is better than what it was made from."""
    return max(qualities, key=QUALITIES.index, default="missing")


@dataclass(frozen=True, slots=True)
class Read:
    """What a register showed at a moment."""

    read_at: datetime
    kind: Kind
    value: Decimal
    register: Register
    quality: Entered


@dataclass(frozen=True, slots=True)
class Point:
    """A register at a moment: what it shows times its multiplier, and how much it has counted
    since its first read, both in kWh."""

    shown_kwh: Decimal
    counted_kwh: Decimal
    quality: Quality


@dataclass(frozen=True, slots=True)
class Events:
    """What happened to a register between two moments."""

    rollovers: int = 0
    exchanges: int = 0
    falls: int = 0

    def __add__(self, other: "Events") -> "Events":
        return Events(
            self.rollovers + other.rollovers,
            self.exchanges + other.exchanges,
            self.falls + other.falls,
        )


@dataclass(frozen=True, slots=True)
class Curve:
    """The reads of one register, oldest first, and what it had counted at each, in kWh."""

    reads: tuple[Read, ...]
    counted_kwh: tuple[Decimal, ...]
    moments: tuple[datetime, ...]
    kinds: tuple[str, ...]
    """How each read was come to: first, rise, rollover, fall, exchange."""

    @property
    def begin_at(self) -> datetime | None:
        """The first read's moment."""
        return self.moments[0] if self.moments else None

    @property
    def end_at(self) -> datetime | None:
        """The last read's moment."""
        return self.moments[-1] if self.moments else None

    def at(self, moment: datetime) -> Point | None:
        """The register at that moment; None before its first and after its last read."""
        n = bisect_right(self.moments, moment) - 1
        if n < 0 or (n == len(self.moments) - 1 and moment > self.moments[n]):
            return None
        before, counted = self.reads[n], self.counted_kwh[n]
        if moment == before.read_at:
            return Point(_times(before.value, before.register), counted, before.quality)
        after = self.reads[n + 1]
        with localcontext(EXACT):
            decimals = max(before.register.decimals, after.register.decimals)
            step = before.register.multiplier.scaleb(-decimals)
            steps = int((self.counted_kwh[n + 1] - counted) / step)
            elapsed = (moment - before.read_at) // MICROSECOND
            gone = steps * elapsed // ((after.read_at - before.read_at) // MICROSECOND)
            dial = before.value + Decimal(gone).scaleb(-decimals)
            dial %= Decimal(1).scaleb(before.register.digits)
            quality = worst(("interpolated", before.quality, after.quality))
            return Point(_times(dial, before.register), counted + gone * step, quality)

    def events(self, after: datetime, upto: datetime) -> Events:
        """What happened after one moment, up to and at another."""
        first, end = bisect_right(self.moments, after), bisect_right(self.moments, upto)
        kinds = self.kinds[first:end]
        return Events(kinds.count("rollover"), kinds.count("exchange"), kinds.count("fall"))


def curve(reads: Sequence[Read]) -> Curve:
    """The curve of a register's reads, which must be in order of their place."""
    counted, kinds = [Decimal(0)] if reads else [], ["first"] if reads else []
    with localcontext(EXACT):
        for before, after in pairwise(reads):
            amount, kind = _gone(before, after)
            counted.append(counted[-1] + amount)
            kinds.append(kind)
    moments = tuple(read.read_at for read in reads)
    return Curve(tuple(reads), tuple(counted), moments, tuple(kinds))


def _gone(before: Read, after: Read) -> tuple[Decimal, str]:
    """kWh between two reads that follow each other, and how; an exchange itself counts nothing."""
    if after.kind == "exchange_initial":
        return Decimal(0), "exchange"
    gone = advance(before.value, after.value, before.register.digits)
    return EXACT.multiply(gone.amount, before.register.multiplier), gone.kind


def _times(value: Decimal, register: Register) -> Decimal:
    return EXACT.multiply(value, register.multiplier)
