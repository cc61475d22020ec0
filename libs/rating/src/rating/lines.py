"""Bill lines: what a line is for, and what it came to for one meter."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
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

    A share of a month may have no finite decimal: quantity and `amount_exact` show 20 then. Where
    every interval has its own price the rate is their mean, shown likewise.
    """

    item: Item
    quantity: Decimal
    amount_exact: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Placed:
    """A line that a plan has made already, by its place in the order of charging."""

    place: int
    item: Item


def selected(
    lines: Sequence[Placed], component_ids: tuple[str, ...], kinds: tuple[Kind, ...]
) -> tuple[int, ...]:
    """The places of the lines of these components or kinds; of all where neither is named."""
    return tuple(
        line.place
        for line in lines
        if not (component_ids or kinds)
        or line.item.component_id in component_ids
        or line.item.kind in kinds
    )
