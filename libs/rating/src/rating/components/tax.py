"""Tax: a share of the unrounded amounts of other components, from a date to a date."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import ClassVar

from kernel.periods import Period
from rating.limits import check_component, check_rate
from rating.lines import Placed
from rating.span import Span
from rating.steps import OnLines


@dataclass(frozen=True, slots=True, kw_only=True)
class Tax:
    """`rate` (0.19 is 19 %) on the named components, or on all of a tax class.

    A tax before it is among them where it is named. A credit lessens it where that is `taxed`.

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


def plan(tax: Tax, span: Span, lines: Sequence[Placed], currency: str) -> list[OnLines]:
    """One line on those of the span's `lines` that are taxed."""
    if not tax.in_force(span.part):
        return []
    places = tuple(
        line.place
        for line in lines
        if line.item.component_id in tax.component_ids
        or (tax.tax_class is not None and line.item.tax_class == tax.tax_class)
    )
    if not places:
        return []
    item = span.item(tax.id, "tax", unit=currency, rate=tax.rate, payee=tax.payee)
    return [OnLines(item, places)]
