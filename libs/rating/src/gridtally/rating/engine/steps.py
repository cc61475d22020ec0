"""Steps: what a plan does, one after the other, to charge a batch of meters.

A step knows its lines before it sees a meter; charging fills in quantities and, where they are not
quantity × rate, amounts. The steps that several kinds use are here; a kind that needs its own has
it in its file.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from gridtally.kernel.errors import Rejected
from gridtally.kernel.periods import Period
from gridtally.rating.engine.batch import Batch
from gridtally.rating.engine.exact import ZERO
from gridtally.rating.engine.lines import Item
from gridtally.rating.proration import Term
from gridtally.rating.usage import Summed, Usage


@dataclass(frozen=True, slots=True)
class StepResult:
    """A line's quantity for each meter, in parts of the meter's divisor.

    `amounts` where they are not quantity × the item's rate, in parts too; `rates` where each meter
    has its own, as they are shown. With `omits_zero_lines` the line stays off the bill of a meter
    for which it is zero.
    """

    quantities: list[Decimal]
    amounts: list[Decimal] | None = None
    rates: list[Decimal] | None = None
    omits_zero_lines: bool = False


class Step(ABC):
    """Lines of one component, planned for every meter and charged for a batch."""

    __slots__ = ()

    @property
    @abstractmethod
    def items(self) -> tuple[Item, ...]:
        """Its lines, in order."""

    @property
    def omits_zero_lines(self) -> bool:
        """Whether a line without quantity and amount stays off the bill."""
        return False

    @property
    def denominator(self) -> int:
        """The common denominator of its fractions, the same for every meter."""
        return 1

    @property
    def is_rehearsed(self) -> bool:
        """Whether its divisors depend on what the steps before it leave in the meters' states."""
        return False

    def divisors(self, batch: Batch) -> list[int] | None:
        """For each meter a further factor of its denominator, at least 1; None where it is 1.

        A step whose states others are `is_rehearsed` by charges the batch's rehearsal, if any.
        """
        del batch
        return None

    @abstractmethod
    def charge(self, batch: Batch) -> Sequence[StepResult]:
        """One result per line, in order; reads and leaves the meters' states where it has any."""


@dataclass(frozen=True, slots=True)
class SingleLine(Step):
    """A step whose only line is its `item`."""

    item: Item

    @property
    def items(self) -> tuple[Item, ...]:
        return (self.item,)


@dataclass(frozen=True, slots=True)
class FixedQuantity(SingleLine):
    """The same quantity for every meter."""

    quantity: Fraction

    @property
    def denominator(self) -> int:
        return self.quantity.denominator

    def charge(self, batch: Batch) -> list[StepResult]:
        return [StepResult(batch.in_parts([self.quantity] * len(batch.usages)))]


@dataclass(frozen=True, slots=True)
class Connected:
    """The connected load on the days of `part`, times what a rate is for."""

    component_id: str
    term: Term
    part: Period

    @property
    def denominator(self) -> int:
        """The denominator where the load does not change."""
        return self.term.times(self.part).denominator

    def divisors(self, batch: Batch) -> list[int] | None:
        """Each meter's further factor of it; None where no load changes."""
        if not any(usage.connected_changes for usage in batch.usages):
            return None
        return [
            math.lcm(*(self.term.times(piece).denominator for piece, _ in self._pieces(usage)))
            for usage in batch.usages
        ]

    def kw_times_in_parts(self, batch: Batch) -> list[Decimal]:
        """kW times days, months or years, of each meter; Rejected where the load is not known."""
        times_of_part = batch.in_parts([self.term.times(self.part)] * len(batch.usages))
        return [
            sum(
                (
                    kw * Decimal(times.numerator * (divisor // times.denominator))
                    for piece, kw in self._pieces(usage)
                    for times in [self.term.times(piece)]
                ),
                ZERO,
            )
            if usage.connected_changes
            else self._connected_kw(usage) * parts
            for usage, parts, divisor in zip(
                batch.usages, times_of_part, batch.divisors, strict=True
            )
        ]

    def _pieces(self, usage: Usage) -> Iterator[tuple[Period, Decimal]]:
        """The days between changes of the load, with the load in kW."""
        kw, start_on = self._connected_kw(usage), self.part.start_on
        for change in usage.connected_changes:
            if change.from_on > start_on:
                end_on = min(change.from_on, self.part.end_on)
                yield Period(start_on, end_on), kw
                start_on = end_on
                if end_on == self.part.end_on:
                    return
            kw = change.connected_kw
        yield Period(start_on, self.part.end_on), kw

    def _connected_kw(self, usage: Usage) -> Decimal:
        if usage.connected_kw is None:
            raise Rejected(
                "connected_kw_missing",
                f"{self.component_id}: the meter's connected kW is not known",
            )
        return usage.connected_kw


@dataclass(frozen=True, slots=True)
class PerConnectedKw(SingleLine):
    """The meter's connected load in kW, times the months, days or years."""

    connected: Connected

    @property
    def denominator(self) -> int:
        return self.connected.denominator

    def divisors(self, batch: Batch) -> list[int] | None:
        return self.connected.divisors(batch)

    def charge(self, batch: Batch) -> list[StepResult]:
        return [StepResult(self.connected.kw_times_in_parts(batch))]


@dataclass(frozen=True, slots=True)
class PerKwh(SingleLine):
    """The energy of some intervals of a flow: a column of the plan's weights."""

    flow: Summed
    column: int

    def charge(self, batch: Batch) -> list[StepResult]:
        return [StepResult(batch.kwh_in_parts(batch.sums[self.flow][self.column]))]


@dataclass(frozen=True, slots=True)
class SumOfLines(SingleLine):
    """The unrounded amounts of earlier lines of the bill, by their indexes, added up."""

    line_indexes: tuple[int, ...]

    def charge(self, batch: Batch) -> list[StepResult]:
        return [StepResult(subtotals(batch, self.line_indexes))]


@dataclass(frozen=True, slots=True)
class ProratedByDays(Step):
    """A step whose lines are divided over the `cuts` that their days lie in, by the days in each.

    For what cannot be split otherwise (tiers, a peak, a minimum) where a tax begins or ends inside
    the days that it is computed for.
    """

    step: Step
    cuts: tuple[Period, ...]

    @property
    def items(self) -> tuple[Item, ...]:
        items = self.step.items
        return tuple(replace(items[line], part=days) for line, days in self._pieces())

    @property
    def omits_zero_lines(self) -> bool:
        return self.step.omits_zero_lines

    @property
    def denominator(self) -> int:
        return self.step.denominator

    @property
    def is_rehearsed(self) -> bool:
        return self.step.is_rehearsed

    def divisors(self, batch: Batch) -> list[int] | None:
        return self.step.divisors(batch)

    def charge(self, batch: Batch) -> list[StepResult]:
        results, items = self.step.charge(batch), self.step.items
        return [
            replace(
                result,
                quantities=prorated_by_days(result.quantities, days, part),
                amounts=None
                if result.amounts is None
                else prorated_by_days(result.amounts, days, part),
            )
            for line, days in self._pieces()
            for result, part in [(results[line], items[line].part)]
        ]

    def _pieces(self) -> Iterator[tuple[int, Period]]:
        """The lines of the step by their indexes, cut by cut, with their days in it."""
        for cut in self.cuts:
            for line, item in enumerate(self.step.items):
                if (days := cut.overlap(item.part)) is not None:
                    yield line, days


def prorated_by_days(numbers: Sequence[Decimal], days: Period, part: Period) -> list[Decimal]:
    """What of numbers for the days of `part` falls on some of them."""
    return [number * days.days / part.days for number in numbers]


def subtotals(batch: Batch, line_indexes: Sequence[int]) -> list[Decimal]:
    """The amounts of these lines, added up for each meter."""
    if not line_indexes:
        return [ZERO] * len(batch.usages)
    amounts_by_meter = zip(*(batch.charged[index] for index in line_indexes), strict=True)
    return [sum(amounts, ZERO) for amounts in amounts_by_meter]


def common_divisors(steps: Sequence[Step], batch: Batch, prorated_days: int) -> list[int]:
    """For each meter a whole number that makes every part of its bill a whole number of parts.

    The least common multiple of what the steps divide by (31 for some days of October), times what
    a meter's own peaks or totals need. `prorated_days` counts twice, since a credit that is
    prorated may be of charges that are. Most bills need 1 or a month's days, so that numbers stay
    short; with one large divisor for all, every product would carry its digits.
    """
    common = math.lcm(*(step.denominator for step in steps)) * prorated_days**2
    divisors = [common] * len(batch.usages)
    if any(step.is_rehearsed for step in steps):
        batch.rehearse()
    for step in steps:
        if (own := step.divisors(batch)) is not None:
            divisors = [math.lcm(a, common * b) for a, b in zip(divisors, own, strict=True)]
    return divisors
