"""Percent: a share of what other components come to, as a surcharge or a discount."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import ClassVar, Literal

from rating.batch import Batch
from rating.exact import NOTHING
from rating.limits import check_component, check_rate
from rating.lines import Kind, Placed, selected
from rating.proration import Proration, months_in
from rating.span import Span
from rating.steps import Charged, OneLine, OnLines, subtotals

SHARE_MAX = 10
LIMIT_BAND = "limit"
"""What tells the line that keeps a share within its limits from the share itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Percent:
    """`rate` (0.05 is 5 %, -0.05 a discount) on the unrounded amounts of earlier components.

    Of those named by `component_ids` or `kinds`, of all before it where neither is named. Taxes
    come later and are never in it. Without its sign it comes to `at_least` and `at_most` so much
    per day or month, prorated, for all days of a version.
    """

    kind: ClassVar[str] = "percent"
    id: str
    rate: Decimal
    component_ids: tuple[str, ...] = ()
    kinds: tuple[Kind, ...] = ()
    at_least: Decimal | None = None
    at_most: Decimal | None = None
    per: Literal["day", "month"] = "month"
    proration: Proration = "actual_days"
    payee: str | None = None
    tax_class: str | None = None

    def __post_init__(self) -> None:
        check_component(self.id, self.payee, self.tax_class)
        check_rate(self.rate)
        if abs(self.rate) > SHARE_MAX:
            raise ValueError(f"a share of {self.rate}: 0.05 is 5 %, at most {SHARE_MAX}")
        limits = [limit for limit in (self.at_least, self.at_most) if limit is not None]
        for limit in limits:
            check_rate(limit)
            if limit < 0:
                raise ValueError(f"a limit of {limit}: limits are of the amount without its sign")
        if limits and not self.rate:
            raise ValueError("a share of nothing has no limits")
        if limits != sorted(limits):
            raise ValueError(f"at_least {self.at_least} is more than at_most {self.at_most}")


@dataclass(frozen=True, slots=True)
class Limit(OneLine):
    """What brings the amounts at `places`, which have the sign of `sign`, within the limits."""

    places: tuple[int, ...]
    sign: int
    at_least: Fraction | None
    at_most: Fraction | None

    @property
    def hides_nothing(self) -> bool:
        return True

    @property
    def denominator(self) -> int:
        limits = (self.at_least, self.at_most)
        return math.lcm(*(limit.denominator for limit in limits if limit is not None))

    def charge(self, batch: Batch) -> list[Charged]:
        sizes = [amount * self.sign for amount in subtotals(batch, self.places)]
        limited = sizes
        if self.at_least is not None:
            least = batch.in_parts([self.at_least] * len(sizes))
            limited = [max(one, limit) for one, limit in zip(limited, least, strict=True)]
        if self.at_most is not None:
            most = batch.in_parts([self.at_most] * len(sizes))
            limited = [min(one, limit) for one, limit in zip(limited, most, strict=True)]
        return [
            Charged([(b - a) * self.sign + NOTHING for a, b in zip(sizes, limited, strict=True)])
        ]


def plan(percent: Percent, span: Span, lines: Sequence[Placed]) -> list[OnLines]:
    """One line on the span's earlier `lines`."""
    places = selected(lines, percent.component_ids, percent.kinds)
    if not places:
        return []
    item = span.item(
        percent.id,
        "adjustment",
        unit=span.currency,
        rate=percent.rate,
        payee=percent.payee,
        tax_class=percent.tax_class,
    )
    return [OnLines(item, places)]


def plan_limits(percent: Percent, span: Span, lines: Sequence[Placed]) -> list[Limit]:
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
    return [Limit(item, own, 1 if percent.rate > 0 else -1, at_least, at_most)]
