"""Percent: a percentage of what other components come to, as a surcharge or a discount."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import ClassVar, Literal

from gridtally.rating.components.dated import DatedCharge, check_dated_charge
from gridtally.rating.engine.batch import Batch
from gridtally.rating.engine.exact import ZERO
from gridtally.rating.engine.lines import Kind, PlannedLine, selected
from gridtally.rating.engine.steps import SingleLine, StepResult, SumOfLines, subtotals
from gridtally.rating.field_types import Name, Rate, check_rate
from gridtally.rating.plan.span import Span
from gridtally.rating.proration import Proration, months_in

FRACTION_MAX = 10
LIMIT_BAND = "limit"
"""What tells the line that keeps a percentage within its limits from the percentage itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Percent(DatedCharge):
    """A percentage of the unrounded amounts of earlier components; -0.05 is a discount of 5 %.

    Taxes come later and are never in it.
    """

    kind: ClassVar[str] = "percent"
    rate: Rate
    """The fraction: 0.05 is 5 %, at most 10 in either direction."""
    component_ids: tuple[Name, ...] = ()
    """The components it is taken of; all before it where neither these nor kinds are named."""
    kinds: tuple[Kind, ...] = ()
    """The kinds of lines it is taken of."""
    at_least: Rate | None = None
    """Money per day or month (`per`) that it comes to at least, without its sign."""
    at_most: Rate | None = None
    """Money per day or month (`per`) that it comes to at most, without its sign."""
    per: Literal["day", "month"] = "month"
    """What these limits are for."""
    proration: Proration = "actual_days"
    """How much of a month's limits falls on some days of the month."""

    def __post_init__(self) -> None:
        check_dated_charge(self)
        check_rate(self.rate)
        if abs(self.rate) > FRACTION_MAX:
            raise ValueError(f"a rate of {self.rate}: 0.05 is 5 %, at most {FRACTION_MAX}")
        limits = [limit for limit in (self.at_least, self.at_most) if limit is not None]
        for limit in limits:
            check_rate(limit)
            if limit < 0:
                raise ValueError(f"a limit of {limit}: limits are of the amount without its sign")
        if limits and not self.rate:
            raise ValueError("a rate of zero has no limits")
        if limits != sorted(limits):
            raise ValueError(f"at_least {self.at_least} is more than at_most {self.at_most}")


@dataclass(frozen=True, slots=True)
class PercentLimit(SingleLine):
    """What brings the amounts of some lines, which have the sign of `sign`, within the limits."""

    line_indexes: tuple[int, ...]
    sign: int
    at_least: Fraction | None
    at_most: Fraction | None

    @property
    def omits_zero_lines(self) -> bool:
        return True

    @property
    def denominator(self) -> int:
        limits = (self.at_least, self.at_most)
        return math.lcm(*(limit.denominator for limit in limits if limit is not None))

    def charge(self, batch: Batch) -> list[StepResult]:
        sizes = [amount * self.sign for amount in subtotals(batch, self.line_indexes)]
        limited = sizes
        if self.at_least is not None:
            least = batch.in_parts([self.at_least] * len(sizes))
            limited = [max(size, limit) for size, limit in zip(limited, least, strict=True)]
        if self.at_most is not None:
            most = batch.in_parts([self.at_most] * len(sizes))
            limited = [min(size, limit) for size, limit in zip(limited, most, strict=True)]
        return [
            StepResult(
                [
                    (within - size) * self.sign + ZERO
                    for size, within in zip(sizes, limited, strict=True)
                ]
            )
        ]


def plan(percent: Percent, span: Span, lines: Sequence[PlannedLine]) -> list[SumOfLines]:
    """One line on the span's earlier `lines`."""
    line_indexes = selected(lines, percent.component_ids, percent.kinds)
    if not line_indexes:
        return []
    item = span.item(
        percent.id,
        "adjustment",
        unit=span.currency,
        rate=percent.rate,
        payee=percent.payee,
        tax_class=percent.tax_class,
    )
    return [SumOfLines(item, line_indexes)]


def plan_limits(percent: Percent, span: Span, lines: Sequence[PlannedLine]) -> list[PercentLimit]:
    """One line, which stays off the bill where its own `lines` are within the limits."""
    if percent.at_least is None and percent.at_most is None:
        return []
    times = (
        Fraction(span.part.days)
        if percent.per == "day"
        else months_in(span.part, span.within, percent.proration)
    )
    at_least, at_most = (
        None if limit is None else Fraction(limit) * times
        for limit in (percent.at_least, percent.at_most)
    )
    item = span.item(
        percent.id,
        "adjustment",
        band=LIMIT_BAND,
        unit=span.currency,
        rate=Decimal(1),
        payee=percent.payee,
        tax_class=percent.tax_class,
    )
    own = selected(lines, (percent.id,), ())
    return [PercentLimit(item, own, 1 if percent.rate > 0 else -1, at_least, at_most)]
