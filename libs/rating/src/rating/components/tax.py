"""Tax: a share of the unrounded amounts of other components, from a date to a date."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import ClassVar

from kernel.periods import Period
from rating.batch import Batch
from rating.exact import NOTHING
from rating.limits import check_component, check_rate
from rating.lines import Placed
from rating.span import Span
from rating.steps import Charged, OneLine, subtotals


@dataclass(frozen=True, slots=True, kw_only=True)
class Tax:
    """`rate` (0.19 is 19 %) on the named components, or on all of a tax class.

    A tax before it is among them where it is named. A credit lessens it where that is `taxed`; one
    that only pays charges lessens what it is taken of to nothing at the most, since a bill may be
    taxed on some of its days, or on some of its charges, and the credit stand beside them.

    In force on local days from `from_on` up to, but without, `to_on`; open where None.
    """

    kind: ClassVar[str] = "tax"
    id: str
    rate: Decimal
    component_ids: tuple[str, ...] = ()
    tax_class: str | None = None
    from_on: date | None = None
    to_on: date | None = None
    payee: str | None = None

    def __post_init__(self) -> None:
        check_component(self.id, self.payee, self.tax_class)
        check_rate(self.rate)
        if not 0 <= self.rate <= 1:
            raise ValueError(f"a tax rate lies between 0 and 1 (0.19 is 19 %), not {self.rate}")
        if bool(self.component_ids) == (self.tax_class is not None):
            raise ValueError("a tax names either component_ids or tax_class")
        if self.from_on is not None and self.to_on is not None and self.from_on >= self.to_on:
            raise ValueError("a tax must begin (from_on) before it ends (to_on)")

    @property
    def changes_on(self) -> list[date]:
        """The days on which it begins or ceases to be in force."""
        return [day for day in (self.from_on, self.to_on) if day is not None]

    def in_force(self, part: Period) -> bool:
        """Whether it is in force on the days of `part`, which its changes do not cut."""
        return (self.from_on is None or self.from_on <= part.start_on) and (
            self.to_on is None or self.to_on >= part.end_on
        )


@dataclass(frozen=True, slots=True)
class Levied(OneLine):
    """What is taxed of earlier lines, by their places: charges, less what only pays for them."""

    charged: tuple[int, ...]
    paying: tuple[int, ...]

    def charge(self, batch: Batch) -> list[Charged]:
        rows = zip(subtotals(batch, self.charged), subtotals(batch, self.paying), strict=True)
        return [Charged([max(base + paid, min(base, NOTHING)) for base, paid in rows])]


def plan(
    tax: Tax, span: Span, lines: Sequence[Placed], currency: str, paying: Collection[str]
) -> list[Levied]:
    """One line on those of the span's `lines` that are taxed.

    The credits of the components `paying` only pay charges.
    """
    if not tax.in_force(span.part):
        return []
    taxed = [
        line
        for line in lines
        if line.item.component_id in tax.component_ids
        or (tax.tax_class is not None and line.item.tax_class == tax.tax_class)
    ]
    if not taxed:
        return []
    credits_ = {
        line.place
        for line in taxed
        if line.item.kind == "credit" and line.item.component_id in paying
    }
    item = span.item(tax.id, "tax", unit=currency, rate=tax.rate, payee=tax.payee)
    charged = tuple(line.place for line in taxed if line.place not in credits_)
    return [Levied(item, charged, tuple(sorted(credits_)))]
