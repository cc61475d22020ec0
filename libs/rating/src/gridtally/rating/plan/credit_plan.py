"""Credit plan: the lines that a credit adds beside its own where it offsets charges."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Protocol

from gridtally.kernel.periods import Period
from gridtally.rating.engine.credit_step import CreditOffset
from gridtally.rating.engine.lines import PlannedLine, selected
from gridtally.rating.plan.span import Span
from gridtally.rating.proration import months_in
from gridtally.rating.surplus import (
    BROUGHT_BAND,
    UNUSED_BAND,
    Offset,
    Surplus,
    reaches,
)


class CreditingCharge(Protocol):
    """What the kinds that credit have in common."""

    @property
    def id(self) -> str: ...
    @property
    def surplus(self) -> Surplus: ...
    @property
    def payee(self) -> str | None: ...
    @property
    def tax_class(self) -> str | None: ...


def plan_offset(
    charge: CreditingCharge, span: Span, cuts: Sequence[Span], lines: Sequence[PlannedLine]
) -> list[CreditOffset]:
    """Two lines for each cut: credit of earlier bills, and what is unused; never both on a bill.

    No step where nothing limits the credit. `lines` are all before it, its own with them.
    """
    offset = charge.surplus
    if not isinstance(offset, Offset):
        return []
    own = [
        line for line in lines if line.item.component_id == charge.id and line.item.kind == "credit"
    ]
    others = [line for line in lines if line not in own]
    items = tuple(
        cut.item(
            charge.id,
            "credit",
            band=band,
            unit=span.currency,
            rate=Decimal(rate),
            payee=charge.payee,
            tax_class=charge.tax_class if offset.taxed else None,
        )
        for cut in cuts
        for band, rate in ((BROUGHT_BAND, -1), (UNUSED_BAND, 1))
    )
    trues_up = reaches(span.part, offset.true_up_month)
    ends_bill = span.within.end_on == span.period.end_on
    return [
        CreditOffset(
            component_id=charge.id,
            lines=items,
            cuts=tuple(cut.part for cut in cuts),
            offset=offset,
            own=tuple(
                tuple(line.index for line in own if line.item.part.start_on in cut.part)
                for cut in cuts
            ),
            payable=selected(others, offset.component_ids, offset.kinds),
            so_far=tuple(line.index for line in others),
            trues_up=trues_up,
            most_added=_most_added(offset, span.part),
            most_kept=offset.max_amount if ends_bill and not trues_up else None,
        )
    ]


def _most_added(offset: Offset, days: Period) -> Fraction | None:
    """The most money that the days add to what is carried forward; None for any amount."""
    if offset.max_amount_per_month is None:
        return None
    return Fraction(offset.max_amount_per_month) * months_in(days, days, "actual_days")
