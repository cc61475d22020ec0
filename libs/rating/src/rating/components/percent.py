"""Percent: a share of what other components come to, as a surcharge or a discount."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from rating.limits import check_component, check_rate
from rating.lines import Kind, Placed, selected
from rating.span import Span
from rating.steps import OnLines

SHARE_MAX = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Percent:
    """`rate` (0.05 is 5 %, -0.05 a discount) on the unrounded amounts of earlier components.

    Of those named by `component_ids` or `kinds`, of all before it where neither is named. Taxes
    come later and are never in it.
    """

    kind: ClassVar[str] = "percent"
    id: str
    rate: Decimal
    component_ids: tuple[str, ...] = ()
    kinds: tuple[Kind, ...] = ()
    payee: str | None = None
    tax_class: str | None = None

    def __post_init__(self) -> None:
        check_component(self.id, self.payee, self.tax_class)
        check_rate(self.rate)
        if abs(self.rate) > SHARE_MAX:
            raise ValueError(f"a share of {self.rate}: 0.05 is 5 %, at most {SHARE_MAX}")


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
