"""Tax: a fraction of the unrounded amounts of other components."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import ClassVar

from gridtally.rating.components.dated import DatedCharge, check_dated_charge
from gridtally.rating.engine.batch import Batch
from gridtally.rating.engine.exact import ZERO
from gridtally.rating.engine.lines import Item, PlannedLine
from gridtally.rating.engine.steps import SingleLine, Step, StepResult, subtotals
from gridtally.rating.field_types import Name, TaxRate, check_rate
from gridtally.rating.plan.span import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Tax(DatedCharge):
    """A fraction of the named components, or of all components of a tax class.

    A tax before it is among them where it is named. A credit lessens it where that is `taxed`; one
    that only pays charges lessens what it is taken of to zero at the most, since a bill may be
    taxed on some of its days, or on some of its charges, and the credit stand beside them.
    """

    kind: ClassVar[str] = "tax"
    rate: TaxRate
    """The fraction: 0.19 is 19 %."""
    component_ids: tuple[Name, ...] = ()
    """The components that it is levied on, unless a tax class is named."""
    tax_class: Name | None = None
    """The tax class of the components that it is levied on, unless they are named themselves."""
    never_negative: bool = False
    """Whether nothing is taxed where what it is levied on is below zero, over all its days in the
    bill and the tariff version; else the customer is credited the tax of what is below zero."""

    def __post_init__(self) -> None:
        check_dated_charge(self)
        check_rate(self.rate)
        if not 0 <= self.rate <= 1:
            raise ValueError(f"a tax rate lies between 0 and 1 (0.19 is 19 %), not {self.rate}")
        if bool(self.component_ids) == (self.tax_class is not None):
            raise ValueError("a tax names either component_ids or tax_class")


@dataclass(frozen=True, slots=True)
class TaxableAmounts(SingleLine):
    """What is taxed of earlier lines, by their indexes: charges, less what only pays for them."""

    charged: tuple[int, ...]
    paying: tuple[int, ...]

    def charge(self, batch: Batch) -> list[StepResult]:
        amounts = zip(subtotals(batch, self.charged), subtotals(batch, self.paying), strict=True)
        return [StepResult([max(base + paid, min(base, ZERO)) for base, paid in amounts])]


@dataclass(frozen=True, slots=True)
class NeverNegative(Step):
    """What is taxed on all days of a tax, cut by cut; nothing where that is below zero in total.

    The total decides, so that a bill is the same whether or not another tax changes within it. A
    cut may be below zero, where the others make up for it.
    """

    cuts: tuple[TaxableAmounts, ...]

    @property
    def items(self) -> tuple[Item, ...]:
        return tuple(cut.item for cut in self.cuts)

    def charge(self, batch: Batch) -> list[StepResult]:
        by_cut = [result.quantities for cut in self.cuts for result in cut.charge(batch)]
        totals = [sum(bases, ZERO) for bases in zip(*by_cut, strict=True)]
        return [
            StepResult(
                [ZERO if total < 0 else base for base, total in zip(bases, totals, strict=True)]
            )
            for bases in by_cut
        ]


def plan(
    tax: Tax,
    lines_by_cut: Sequence[tuple[Span, Sequence[PlannedLine]]],
    paying: Collection[str],
) -> Sequence[Step]:
    """One line for each cut, on those of its lines that are taxed; none where none is.

    The credits of the components `paying` only pay charges.
    """
    cuts = tuple(
        step
        for cut, lines in lines_by_cut
        if tax.days_in_force(cut.part) == cut.part
        and (step := _taxable_amounts(tax, cut, lines, paying)) is not None
    )
    return [NeverNegative(cuts)] if tax.never_negative and cuts else cuts


def _taxable_amounts(
    tax: Tax, cut: Span, lines: Sequence[PlannedLine], paying: Collection[str]
) -> TaxableAmounts | None:
    taxed = [
        line
        for line in lines
        if line.item.component_id in tax.component_ids
        or (tax.tax_class is not None and line.item.tax_class == tax.tax_class)
    ]
    if not taxed:
        return None
    credit_indexes = {
        line.index
        for line in taxed
        if line.item.kind == "credit" and line.item.component_id in paying
    }
    item = cut.item(tax.id, "tax", unit=cut.currency, rate=tax.rate, payee=tax.payee)
    charged = tuple(line.index for line in taxed if line.index not in credit_indexes)
    return TaxableAmounts(item, charged, tuple(sorted(credit_indexes)))
