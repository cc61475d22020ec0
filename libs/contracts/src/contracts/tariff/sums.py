"""What is taken of other lines of the bill: shares, minimums and taxes."""

from datetime import date
from typing import Literal

from pydantic import Field

from contracts.commerce import LineKind
from contracts.tariff.shapes import Charge, Month, Name, Proration, Rate, TaxRate, YearProration


class Percent(Charge):
    """A share (-0.05 is a discount of 5 %) of earlier components: of those named, else of all.

    Without its sign it comes to `at_least` and `at_most` so much per day or month, prorated.
    """

    kind: Literal["percent"]
    rate: Rate
    component_ids: list[Name] = Field(default_factory=list)
    kinds: list[LineKind] = Field(default_factory=list)
    at_least: Rate | None = None
    at_most: Rate | None = None
    per: Literal["day", "month"] = "month"
    proration: Proration = "actual_days"


class MinimumBill(Charge):
    """Tops up what the components that it counts lack to `amount` per day, month or year.

    Per year the bill that reaches the first day of `true_up_month` does, for all since the last.
    `after_tax` counts the taxed bill, and the top-up is not taxed.
    """

    kind: Literal["minimum_bill"]
    amount: Rate
    per: Literal["day", "month", "year"] = "month"
    proration: YearProration = "actual_days"
    true_up_month: Month | None = None
    component_ids: list[Name] = Field(default_factory=list)
    kinds: list[LineKind] = Field(default_factory=list)
    after_tax: bool = False


class Tax(Charge):
    """A share of the named components, or of all components of `tax_class`.

    In force from `from_on` up to, but without, `to_on`.
    """

    kind: Literal["tax"]
    rate: TaxRate
    component_ids: list[Name] = Field(default_factory=list)
    from_on: date | None = None
    to_on: date | None = None
