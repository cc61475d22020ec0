"""Why an invoice differs from the one before: the difference of two totals, taken apart exactly.

Energy at the rates of last time tells what more or less usage cost; what remains of the same
charges is what their rates did. All parts add up to the difference, to the last digit.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from gridtally.kernel.money import EXACT, minor_decimals

ZERO = Decimal(0)
KWH, IMPORT = "kWh", "import"
Charge = tuple[str, str | None, str | None, str]
"""Component, band, flow and unit: what makes two lines one charge."""


class ChargedItem(Protocol):
    """What a line is for, as far as it matters here."""

    @property
    def component_id(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def band(self) -> str | None: ...
    @property
    def flow(self) -> str | None: ...
    @property
    def unit(self) -> str: ...


class ChargedLine(Protocol):
    """A line of an invoice: rating's, or one that an API tells."""

    @property
    def item(self) -> ChargedItem: ...
    @property
    def quantity(self) -> Decimal: ...
    @property
    def amount(self) -> Decimal: ...


@dataclass(frozen=True, slots=True)
class Difference:
    """By how much a total differs from the one before, by cause; `kwh` is the imported energy."""

    kwh: Decimal
    usage: Decimal
    rates: Decimal
    other_charges: Decimal
    began_or_ended: Decimal
    taxes: Decimal

    @property
    def total(self) -> Decimal:
        """The whole difference."""
        parts = (self.usage, self.rates, self.other_charges, self.began_or_ended, self.taxes)
        return sum(parts, ZERO)


@dataclass(slots=True)
class _Sum:
    quantity: Decimal = ZERO
    amount: Decimal = ZERO


def difference(
    lines: Sequence[ChargedLine],
    earlier: Sequence[ChargedLine],
    currency: str,
) -> Difference:
    """The lines against those of the earlier invoice."""
    now, before = _charges(lines), _charges(earlier)
    usage = rates = other = began = ZERO
    for charge in now.keys() | before.keys():
        change = now.get(charge, _Sum()).amount - before.get(charge, _Sum()).amount
        if charge not in now or charge not in before:
            began += change
        elif charge[-1] == KWH:
            of_usage = _usage_effect(now[charge], before[charge], change, currency)
            usage += of_usage
            rates += change - of_usage
        else:
            other += change
    kwh = imported_kwh(lines) - imported_kwh(earlier)
    return Difference(kwh, usage, rates, other, began, _taxes(lines) - _taxes(earlier))


def _usage_effect(now: _Sum, before: _Sum, change: Decimal, currency: str) -> Decimal:
    """What the change of quantity would have cost at the earlier rate, in whole minor units."""
    if not before.quantity:
        return change
    more = EXACT.subtract(now.quantity, before.quantity)
    cost = EXACT.divide(EXACT.multiply(more, before.amount), before.quantity)
    return cost.quantize(Decimal(1).scaleb(-minor_decimals(currency)), context=EXACT)


def imported_kwh(lines: Sequence[ChargedLine]) -> Decimal:
    """What was imported, as far as lines tell: the most kWh that one component counts."""
    by_component: dict[str, Decimal] = {}
    for line in lines:
        if line.item.unit == KWH and line.item.flow == IMPORT:
            known = by_component.get(line.item.component_id, ZERO)
            by_component[line.item.component_id] = known + line.quantity
    return max(by_component.values(), default=ZERO)


def _charges(lines: Sequence[ChargedLine]) -> dict[Charge, _Sum]:
    sums: defaultdict[Charge, _Sum] = defaultdict(_Sum)
    for line in lines:
        item = line.item
        if item.kind == "tax":
            continue
        of_charge = sums[item.component_id, item.band, item.flow, item.unit]
        of_charge.quantity += line.quantity
        of_charge.amount += line.amount
    return dict(sums)


def _taxes(lines: Sequence[ChargedLine]) -> Decimal:
    return sum((line.amount for line in lines if line.item.kind == "tax"), ZERO)
