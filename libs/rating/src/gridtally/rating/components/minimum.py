"""Minimum bill: what is missing to a least amount is topped up, on each bill or once a year."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import ClassVar, Literal

from gridtally.kernel.periods import Period
from gridtally.rating.components.charge import Charge, check_charge
from gridtally.rating.engine.batch import Batch
from gridtally.rating.engine.exact import ZERO, exact_number
from gridtally.rating.engine.lines import Kind, PlannedLine, selected
from gridtally.rating.engine.steps import SingleLine, Step, StepResult, subtotals
from gridtally.rating.field_types import Month, Name, Rate, check_month, check_rate
from gridtally.rating.plan.span import Span
from gridtally.rating.proration import (
    YEAR_PARTS,
    YearProration,
    check_proration,
    months_in,
    years_in,
)
from gridtally.rating.state import RunningTotal
from gridtally.rating.surplus import reaches


@dataclass(frozen=True, slots=True, kw_only=True)
class MinimumBill(Charge):
    """Tops up what the components that it counts lack to an amount, prorated.

    It counts unrounded amounts. Per year it counts them on all bills since it was last topped up,
    or since the first one; the bill that reaches the first day of `true_up_month` tops up what
    they lack for these days.
    """

    kind: ClassVar[str] = "minimum_bill"
    amount: Rate
    """Money per day, month or year."""
    per: Literal["day", "month", "year"] = "month"
    """What the amount is for."""
    proration: YearProration = "actual_days"
    """What a day costs of an amount per month or year; see the fixed charge."""
    true_up_month: Month | None = None
    """Of an amount per year, and no other: the month (1 is January) on whose first day it ends."""
    component_ids: tuple[Name, ...] = ()
    """The components it counts; all before it where neither these nor kinds are named."""
    kinds: tuple[Kind, ...] = ()
    """The kinds of lines it counts."""
    after_tax: bool = False
    """Whether it comes after the taxes, and may count them; it is not taxed then."""

    def __post_init__(self) -> None:
        check_charge(self)
        check_rate(self.amount)
        if self.amount < 0:
            raise ValueError(f"a minimum bill of {self.amount} is below zero")
        if self.after_tax and self.tax_class is not None:
            raise ValueError("what comes after the taxes has no tax class")
        check_proration(self.per, self.proration)
        if (self.per == "year") != (self.true_up_month is not None):
            raise ValueError("a minimum bill per year, and no other, needs a true_up_month")
        if self.true_up_month is not None:
            check_month(self.true_up_month)

    @property
    def carries_state(self) -> bool:
        """Whether its bills carry forward what they have come to."""
        return self.per == "year"


@dataclass(frozen=True, slots=True)
class TopUp(SingleLine):
    """What some lines lack to `least`."""

    least: Fraction
    line_indexes: tuple[int, ...]

    @property
    def omits_zero_lines(self) -> bool:
        return True

    @property
    def denominator(self) -> int:
        return self.least.denominator

    def charge(self, batch: Batch) -> list[StepResult]:
        least = batch.in_parts([self.least] * len(batch.usages))
        counted = subtotals(batch, self.line_indexes)
        return [
            StepResult(
                [max(amount - so_far, ZERO) for amount, so_far in zip(least, counted, strict=True)]
            )
        ]


@dataclass(frozen=True, slots=True)
class YearlyTopUp(SingleLine):
    """What some lines, with what earlier bills came to, lack to `amount` a year.

    Topped up on the `days` that it `trues_up` on; else the meter's `RunningTotal` continues.
    """

    component_id: str
    amount: Fraction
    proration: YearProration
    days: Period
    trues_up: bool
    line_indexes: tuple[int, ...]

    @property
    def omits_zero_lines(self) -> bool:
        return True

    @property
    def denominator(self) -> int:
        return self.amount.denominator * YEAR_PARTS[self.proration]

    def charge(self, batch: Batch) -> list[StepResult]:
        begun: list[date] = []
        totals: list[Decimal] = []
        for meter, counted in enumerate(subtotals(batch, self.line_indexes)):
            before = batch.take_state(meter, self.component_id, RunningTotal)
            since_on, amount = (
                (self.days.start_on, ZERO) if before is None else (before.since_on, before.amount)
            )
            begun.append(since_on)
            totals.append(amount * batch.divisors[meter] + counted)
            if not self.trues_up:
                total = exact_number(totals[-1], batch.divisors[meter])
                batch.states[meter][self.component_id] = RunningTotal(since_on, total)
        if not self.trues_up:
            return [StepResult([ZERO] * len(totals))]
        least = batch.in_parts([self._least(since_on) for since_on in begun])
        return [
            StepResult(
                [max(amount - total, ZERO) for amount, total in zip(least, totals, strict=True)]
            )
        ]

    def _least(self, since_on: date) -> Fraction:
        """What all days since then come to at least."""
        days = Period(since_on, self.days.end_on)
        return self.amount * years_in(days, days, self.proration)


def plan(minimum: MinimumBill, span: Span, lines: Sequence[PlannedLine]) -> list[Step]:
    """One line, which stays off the bill where nothing is missing."""
    item = span.item(
        minimum.id,
        "minimum_top_up",
        unit=span.currency,
        rate=Decimal(1),
        payee=minimum.payee,
        tax_class=minimum.tax_class,
    )
    amount = Fraction(minimum.amount)
    counted = selected(lines, minimum.component_ids, minimum.kinds)
    match minimum.per, minimum.proration:
        case "year", proration:
            trues_up = reaches(span.part, minimum.true_up_month)
            return [YearlyTopUp(item, minimum.id, amount, proration, span.part, trues_up, counted)]
        case "month", ("actual_days" | "thirty_days" | "year_over_twelve" | "none") as proration:
            return [TopUp(item, amount * months_in(span.part, span.within, proration), counted)]
    return [TopUp(item, amount * span.part.days, counted)]
