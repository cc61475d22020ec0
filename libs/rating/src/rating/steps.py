"""Steps: what a plan does, one after the other, to charge a batch of meters.

A step knows its lines before it sees a meter; charging fills in quantities and, where they are not
quantity × rate, amounts. The steps of most components are here; a component that needs its own
keeps it in its file.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from kernel.errors import Rejected
from kernel.periods import Period
from rating.batch import Batch
from rating.exact import NOTHING
from rating.lines import Item
from rating.proration import Term
from rating.usage import Summed, Usage


@dataclass(frozen=True, slots=True)
class Charged:
    """A line's quantity for each meter, in parts of the meter's divisor.

    `amounts` where they are not quantity × the item's rate, in parts too; `rates` where each meter
    has its own, as they are shown. A line that `hides_nothing` stays off the bill of a meter for
    which it is nothing.
    """

    quantities: list[Decimal]
    amounts: list[Decimal] | None = None
    rates: list[Decimal] | None = None
    hides_nothing: bool = False


class Step(ABC):
    """Lines of one component, planned for every meter and charged for a batch."""

    __slots__ = ()

    @property
    @abstractmethod
    def items(self) -> tuple[Item, ...]:
        """Its lines, in order."""

    @property
    def hides_nothing(self) -> bool:
        """Whether a line without quantity and amount stays off the bill."""
        return False

    @property
    def denominator(self) -> int:
        """What its shares are whole parts of, the same for every meter."""
        return 1

    def divisors(self, batch: Batch) -> list[int] | None:
        """What each meter's shares are whole parts of besides, where that differs; at least 1."""
        del batch
        return None

    @abstractmethod
    def charge(self, batch: Batch) -> Sequence[Charged]:
        """One per line, in order; reads and leaves the meters' states where it has any."""


@dataclass(frozen=True, slots=True)
class OneLine(Step):
    """A step whose only line is its `item`."""

    item: Item

    @property
    def items(self) -> tuple[Item, ...]:
        return (self.item,)


@dataclass(frozen=True, slots=True)
class Same(OneLine):
    """The same quantity for every meter."""

    quantity: Fraction

    @property
    def denominator(self) -> int:
        return self.quantity.denominator

    def charge(self, batch: Batch) -> list[Charged]:
        return [Charged(batch.in_parts([self.quantity] * len(batch.usages)))]


@dataclass(frozen=True, slots=True)
class Connected:
    """The connected load on the days of `part`, times what a rate is for."""

    component_id: str
    term: Term
    part: Period

    @property
    def denominator(self) -> int:
        """What it is whole parts of, where the load does not change."""
        return self.term.times(self.part).denominator

    def divisors(self, batch: Batch) -> list[int] | None:
        """What each meter's is whole parts of besides; None where no load changes."""
        if not any(usage.connected_changes for usage in batch.usages):
            return None
        return [
            math.lcm(*(self.term.times(piece).denominator for piece, _ in self._pieces(usage)))
            for usage in batch.usages
        ]

    def kw_times_in_parts(self, batch: Batch) -> list[Decimal]:
        """kW times days, months or years, of each meter; Rejected where the load is not known."""
        whole = batch.in_parts([self.term.times(self.part)] * len(batch.usages))
        return [
            sum(
                (
                    kw * Decimal(times.numerator * (divisor // times.denominator))
                    for piece, kw in self._pieces(usage)
                    for times in [self.term.times(piece)]
                ),
                NOTHING,
            )
            if usage.connected_changes
            else self._known(usage) * parts
            for usage, parts, divisor in zip(batch.usages, whole, batch.divisors, strict=True)
        ]

    def _pieces(self, usage: Usage) -> Iterator[tuple[Period, Decimal]]:
        """The days between changes of the load, with it."""
        kw, start_on = self._known(usage), self.part.start_on
        for change in usage.connected_changes:
            if change.from_on > start_on:
                end_on = min(change.from_on, self.part.end_on)
                yield Period(start_on, end_on), kw
                start_on = end_on
                if end_on == self.part.end_on:
                    return
            kw = change.connected_kw
        yield Period(start_on, self.part.end_on), kw

    def _known(self, usage: Usage) -> Decimal:
        if usage.connected_kw is None:
            raise Rejected(
                "connected_kw_missing",
                f"{self.component_id}: the meter's connected kW is not known",
            )
        return usage.connected_kw


@dataclass(frozen=True, slots=True)
class PerConnectedKw(OneLine):
    """The meter's connected load in kW, times the months, days or years."""

    connected: Connected

    @property
    def denominator(self) -> int:
        return self.connected.denominator

    def divisors(self, batch: Batch) -> list[int] | None:
        return self.connected.divisors(batch)

    def charge(self, batch: Batch) -> list[Charged]:
        return [Charged(self.connected.kw_times_in_parts(batch))]


@dataclass(frozen=True, slots=True)
class PerKwh(OneLine):
    """The energy of some intervals of a flow: a column of the plan's weights."""

    flow: Summed
    column: int

    def charge(self, batch: Batch) -> list[Charged]:
        return [Charged(batch.kwh_in_parts(batch.sums[self.flow][self.column]))]


@dataclass(frozen=True, slots=True)
class OnLines(OneLine):
    """The unrounded amounts of earlier lines of the bill, by their places, added up."""

    places: tuple[int, ...]

    def charge(self, batch: Batch) -> list[Charged]:
        return [Charged(subtotals(batch, self.places))]


@dataclass(frozen=True, slots=True)
class SharedByDays(Step):
    """A step whose lines are shared over the `cuts` of its days in proportion to their number.

    For what cannot be split otherwise (a ladder of tiers, a peak, a minimum) where a tax begins or
    ends inside the days that it is computed for.
    """

    step: Step
    cuts: tuple[Period, ...]

    @property
    def items(self) -> tuple[Item, ...]:
        return tuple(replace(item, part=cut) for cut in self.cuts for item in self.step.items)

    @property
    def hides_nothing(self) -> bool:
        return self.step.hides_nothing

    @property
    def denominator(self) -> int:
        return self.step.denominator

    def divisors(self, batch: Batch) -> list[int] | None:
        return self.step.divisors(batch)

    def charge(self, batch: Batch) -> list[Charged]:
        charged = self.step.charge(batch)
        return [
            replace(
                one,
                quantities=shared_by_days(one.quantities, cut, self.cuts),
                amounts=None
                if one.amounts is None
                else shared_by_days(one.amounts, cut, self.cuts),
            )
            for cut in self.cuts
            for one in charged
        ]


def shared_by_days(
    numbers: Sequence[Decimal], cut: Period, cuts: Sequence[Period]
) -> list[Decimal]:
    """What of numbers for all the cuts is for one of them."""
    days = sum(one.days for one in cuts)
    return [number * cut.days / days for number in numbers]


def subtotals(batch: Batch, places: Sequence[int]) -> list[Decimal]:
    """The amounts of the lines at these places, added up for each meter."""
    if not places:
        return [NOTHING] * len(batch.usages)
    rows = zip(*(batch.charged[place] for place in places), strict=True)
    return [sum(row, NOTHING) for row in rows]


def common_divisors(steps: Sequence[Step], batch: Batch, shared_days: int) -> list[int]:
    """For each meter what makes every share of its bill a whole number of parts.

    `shared_days` counts twice: shares of shares.
    """
    common = math.lcm(*(step.denominator for step in steps)) * shared_days**2
    divisors = [common] * len(batch.usages)
    for step in steps:
        if (own := step.divisors(batch)) is not None:
            divisors = [math.lcm(a, common * b) for a, b in zip(divisors, own, strict=True)]
    return divisors
