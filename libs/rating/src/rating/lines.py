"""Bill lines, and how each gets its quantity from a meter.

Every line is quantity × rate. What a component adds to a bill is planned once per period; a plan
says where the quantity of each meter comes from.
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal, get_args
from uuid import UUID

from kernel.periods import Period
from rating.usage import Flow

Kind = Literal["fixed", "energy", "demand", "adjustment", "credit", "tax", "minimum_top_up"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Item:
    """What a line is for: the same for every meter that is billed by the plan."""

    component_id: str
    kind: Kind
    band: str | None
    flow: Flow | None
    unit: str
    rate: Decimal
    tariff_version_id: UUID
    part: Period
    payee: str | None
    tax_class: str | None


@dataclass(frozen=True, slots=True)
class Line:
    """`amount_exact` is quantity × rate, `amount` is it rounded by the tariff's rule.

    A share of a month may have no finite decimal: quantity and `amount_exact` show 20 then.
    """

    item: Item
    quantity: Decimal
    amount_exact: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Same:
    """The same quantity for every meter."""

    item: Item
    quantity: Fraction


@dataclass(frozen=True, slots=True)
class PerConnectedKw:
    """The meter's connected load in kW, `times` the months or days."""

    item: Item
    times: Fraction


@dataclass(frozen=True, slots=True)
class PerKwh:
    """The energy of some intervals of a flow: a column of the plan's weights."""

    item: Item
    flow: Flow
    column: int


@dataclass(frozen=True, slots=True)
class OnLines:
    """The unrounded amounts of earlier lines of the bill, by their places, added up."""

    item: Item
    places: tuple[int, ...]


PlannedLine = Same | PerConnectedKw | PerKwh | OnLines
