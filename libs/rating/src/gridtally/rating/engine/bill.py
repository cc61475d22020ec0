"""Bills: the one place where usage becomes money, for invoices, daily costs, previews and quotes.

Energy is summed as integers. Parts of it are whole parts of each meter's divisor, so that every sum
and product is an exact Decimal (a step that would lose a digit is refused) and the tariff's own
rounding is the only one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal, Inexact, InvalidOperation, localcontext
from fractions import Fraction
from types import MappingProxyType
from typing import TypeVar

from gridtally.kernel.errors import Rejected
from gridtally.kernel.money import Rounding
from gridtally.kernel.periods import Period
from gridtally.rating.engine.batch import Batch, MissingRule
from gridtally.rating.engine.exact import LOSSLESS, ZERO, add_up, exact_number, for_rounding
from gridtally.rating.engine.lines import KINDS, Item, Kind, Line
from gridtally.rating.engine.steps import StepResult, common_divisors
from gridtally.rating.field_types import ROUNDING_ID
from gridtally.rating.plan.plan import Plan, plan_for
from gridtally.rating.prices import Prices
from gridtally.rating.state import State
from gridtally.rating.tariff import Part, TariffVersion
from gridtally.rating.usage import Usage

T = TypeVar("T")
BATCH_METERS_MAX = 64
"""Meters that are rated at once: 1.5 MB per flow and month of 15 minutes, which a cache holds."""
NO_STATE: State = MappingProxyType({})
NO_PRICES: Prices = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Unrounded:
    """Exact amounts before tax and in it, as whole parts of a divisor."""

    net_parts: Decimal
    tax_parts: Decimal
    divisor: int

    @property
    def net(self) -> Fraction:
        """Before tax."""
        return Fraction(self.net_parts) / self.divisor

    @property
    def tax(self) -> Fraction:
        """The tax."""
        return Fraction(self.tax_parts) / self.divisor


@dataclass(frozen=True, slots=True)
class Bill:
    """`total` is `net` plus `tax`; the rounded amounts of `lines` add up to it exactly.

    These three and the totals by kind have the decimals of money also where they are zero.
    `state` is what it carries forward to the meter's next bill, `unrounded` what its lines come to
    before they are rounded, and shown to 20 decimals.
    """

    currency: str
    period: Period
    lines: tuple[Line, ...]
    net: Decimal
    tax: Decimal
    total: Decimal
    unrounded: Unrounded = field(compare=False)
    state: State = field(default_factory=dict, hash=False)

    def totals(self) -> dict[Kind, Decimal]:
        """The rounded amounts by kind."""
        return self._by_kind((line.item.kind, line.amount) for line in self.lines)

    def totals_exact(self) -> dict[Kind, Decimal]:
        """The unrounded amounts by kind."""
        return self._by_kind((line.item.kind, line.amount_exact) for line in self.lines)

    def payees(self) -> dict[str, Decimal]:
        """The rounded amounts for each payee that a component names; the rest is the seller's."""
        amounts: dict[str, list[Decimal]] = {}
        for line in self.lines:
            if line.item.payee is not None:
                amounts.setdefault(line.item.payee, []).append(line.amount)
        return {payee: add_up(own) for payee, own in amounts.items()}

    def _by_kind(self, amounts: Iterable[tuple[Kind, Decimal]]) -> dict[Kind, Decimal]:
        totals = dict.fromkeys(KINDS, LOSSLESS.subtract(self.total, self.total))
        for kind, amount in amounts:
            totals[kind] = LOSSLESS.add(totals[kind], amount)
        return totals


def rate(
    tariff: TariffVersion | Sequence[Part],
    usages: Sequence[Usage],
    *,
    states: Sequence[State] | None = None,
    prices: Prices = NO_PRICES,
    missing: MissingRule = "refused",
) -> list[Bill]:
    """One bill per usage, in their order.

    `tariff` is a version, or the parts of the period with the version of each; `states` are what
    the meters' last bills left, nothing unless given; an interval without a value is `refused`
    unless it `counts_as_zero`. Meters alike in zone, period and resolution share a plan and are
    rated in batches of 64, whose energy stays in the processor's cache from one product to the
    next; one meter at a time would cost some five times as much, in calls to numpy.
    Rejected where the tariff does not fit the period or its intervals, or the usage or `prices`
    lack what a charge needs.
    """
    before = [NO_STATE] * len(usages) if states is None else states
    if len(before) != len(usages):
        raise ValueError(f"{len(before)} states for {len(usages)} usages")
    meters_of: dict[tuple[str, Period, int], list[int]] = {}
    for meter, usage in enumerate(usages):
        meters_of.setdefault((usage.zone, usage.period, usage.minutes), []).append(meter)
    bills: dict[int, Bill] = {}
    for (zone, period, minutes), meters in meters_of.items():
        parts = (Part(period, tariff),) if isinstance(tariff, TariffVersion) else tuple(tariff)
        plan = plan_for(parts, zone, period, minutes)
        for first in range(0, len(meters), BATCH_METERS_MAX):
            chunk = meters[first : first + BATCH_METERS_MAX]
            batch = Batch(
                usages=[usages[meter] for meter in chunk],
                states=[dict(before[meter]) for meter in chunk],
                prices=prices,
                missing=missing,
                divisors=[],
            )
            bills.update(zip(chunk, _rate_batch(plan, period, batch), strict=True))
    return [bills[meter] for meter in range(len(usages))]


def _rate_batch(plan: Plan, period: Period, batch: Batch) -> list[Bill]:
    batch.sum_columns(plan.weights)
    steps = [step for step, _ in plan.steps]
    batch.divisors = common_divisors(steps, batch, plan.prorated_days)
    try:
        with localcontext(LOSSLESS):
            return _exact_bills(plan, period, batch)
    except (Inexact, InvalidOperation):  # too many digits for a part, or for a rounded amount
        raise Rejected(
            "not_exact", "the bill needs more digits than an exact bill can carry"
        ) from None


def _exact_bills(plan: Plan, period: Period, batch: Batch) -> list[Bill]:
    """The bills; to be made in a context that refuses to lose a digit.

    Steps charge line by line, each for all meters, since later lines are made of earlier ones
    (a tax of all charges) and a line's item is the same for every meter. Only at the end is the
    table of lines × meters turned into meters × lines, in the order that bills show. A line that
    is None stays off its meter's bill, but keeps its amounts in `batch.charged`.
    """
    lines: list[list[Line | None]] = []
    for step, rounding in plan.steps:
        for item, result in zip(step.items, step.charge(batch), strict=True):
            omits_zero = step.omits_zero_lines or result.omits_zero_lines
            lines.append(_lines(item, result, batch, rounding, omits_zero=omits_zero))
    rows = _by_meter([lines[index] for index in plan.shown], batch)
    bills = [tuple(line for line in row if line is not None) for row in rows]
    if plan.rounded_once is not None:
        bills = _rounded_once(plan, plan.rounded_once, period, batch, bills)
    return [
        _bill(plan, period, bill, state, unrounded)
        for bill, state, unrounded in zip(bills, batch.states, _unrounded(plan, batch), strict=True)
    ]


def _unrounded(plan: Plan, batch: Batch) -> list[Unrounded]:
    """What the lines that bills show come to exactly, for each meter."""
    kinds = [item.kind for step, _ in plan.steps for item in step.items]
    taxes = [batch.charged[index] for index in plan.shown if kinds[index] == "tax"]
    others = [batch.charged[index] for index in plan.shown if kinds[index] != "tax"]
    net, tax = (
        [sum(amounts, ZERO) for amounts in _by_meter(lines, batch)] for lines in (others, taxes)
    )
    return [Unrounded(*parts) for parts in zip(net, tax, batch.divisors, strict=True)]


def _lines(
    item: Item, result: StepResult, batch: Batch, rounding: Rounding, *, omits_zero: bool
) -> list[Line | None]:
    """One line's quantity and amounts for each meter; adds the amounts to what is charged."""
    amounts = result.amounts
    if amounts is None:  # zero is 0.000, never -0.000
        amounts = [quantity * item.rate + ZERO for quantity in result.quantities]
    batch.charged.append(amounts)
    items = [item] * len(amounts)
    if result.rates is not None:
        items = [replace(item, rate=rate) for rate in result.rates]
    return [
        None
        if omits_zero and not quantity and not amount
        else Line(
            own,
            exact_number(quantity, divisor),
            exact_number(amount, divisor),
            rounding.round(for_rounding(amount, divisor)),
        )
        for own, quantity, amount, divisor in zip(
            items, result.quantities, amounts, batch.divisors, strict=True
        )
    ]


def _by_meter(lines: Sequence[Sequence[T]], batch: Batch) -> list[tuple[T, ...]]:
    """What is listed by line and meter, by meter and line; there may be no line at all."""
    return list(zip(*lines, strict=True)) if lines else [()] * len(batch.usages)


def _bill(
    plan: Plan, period: Period, lines: tuple[Line, ...], state: State, unrounded: Unrounded
) -> Bill:
    net, tax = plan.zero, plan.zero
    for line in lines:
        if line.item.kind == "tax":
            tax += line.amount
        else:
            net += line.amount
    return Bill(plan.currency, period, lines, net, tax, net + tax, unrounded, state)


def _rounded_once(
    plan: Plan,
    rule: Rounding,
    period: Period,
    batch: Batch,
    bills: Sequence[tuple[Line, ...]],
) -> list[tuple[Line, ...]]:
    """Each bill with a line that brings its rounded lines to its total, rounded once."""
    totals = [
        rule.round(for_rounding(sum(amounts, ZERO), divisor))
        for amounts, divisor in zip(_by_meter(batch.charged, batch), batch.divisors, strict=True)
    ]
    item = Item(
        component_id=ROUNDING_ID,
        kind="adjustment",
        band=None,
        flow=None,
        unit=plan.currency,
        rate=Decimal(1),
        tariff_version_id=plan.last_version_id,
        part=period,
        payee=None,
        tax_class=None,
    )
    rounded = []
    for total, lines in zip(totals, bills, strict=True):
        difference = total - add_up(line.amount for line in lines)
        closing = (Line(item, ZERO, ZERO, difference),) if difference else ()
        rounded.append((*lines, *closing))
    return rounded
