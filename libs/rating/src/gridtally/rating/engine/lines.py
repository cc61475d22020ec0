"""Bill lines: what a line is for, and what it came to for one meter."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, get_args
from uuid import UUID

from gridtally.kernel.periods import Period
from gridtally.rating.quantity_steps import QuantityRounding
from gridtally.rating.usage import Flow

Kind = Literal["fixed", "energy", "demand", "adjustment", "credit", "tax", "minimum_top_up"]
"""What sort of charge a line is, by which totals are shown and other charges choose lines."""
KINDS: tuple[Kind, ...] = get_args(Kind)
WorstQuality = Literal["actual", "estimated", "substituted", "missing"]


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
    quantity_rounding: QuantityRounding | None = None


@dataclass(frozen=True, slots=True)
class DataQuality:
    """What a line, or a whole bill, rests on: the worst quality, and how much is not actual.

    Energy in kWh, or in kvarh where the line is for a reactive flow; a whole bill counts that of
    active flows alone.
    """

    worst: WorstQuality = "actual"
    estimated_intervals: int = 0
    substituted_intervals: int = 0
    missing_intervals: int = 0
    estimated_kwh: Decimal = Decimal(0)
    substituted_kwh: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Line:
    """`amount_exact` is quantity × rate, `amount` is it rounded by the tariff's rule.

    A part of a month may have no finite decimal: quantity and `amount_exact` show 20 then. Where
    every interval has its own price the rate is their mean, shown likewise. `quality` is what it
    rests on (`rating.quality`), as far as that is known; it does not tell lines apart.
    """

    item: Item
    quantity: Decimal
    amount_exact: Decimal
    amount: Decimal
    quality: DataQuality | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class PlannedLine:
    """A line that a plan has made already, by its index in the order of charging."""

    index: int
    item: Item


def selected(
    lines: Sequence[PlannedLine], component_ids: tuple[str, ...], kinds: tuple[Kind, ...]
) -> tuple[int, ...]:
    """The indexes of the lines of these components or kinds; of all where neither is named."""
    return tuple(
        line.index
        for line in lines
        if not (component_ids or kinds)
        or line.item.component_id in component_ids
        or line.item.kind in kinds
    )
