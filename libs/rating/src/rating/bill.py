"""Bills: the one place where usage becomes money, for invoices, rollups, previews and quotes.

Energy is summed as integers. Shares are whole parts of each meter's divisor, so that every sum and
product is an exact Decimal (a step that would lose a digit is refused) and the tariff's own
rounding is the only one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal, Inexact, InvalidOperation, localcontext
from types import MappingProxyType
from typing import TypeVar

from kernel.errors import Rejected
from kernel.money import Rounding
from kernel.periods import Period
from rating.batch import Batch, MissingRule
from rating.exact import LOSSLESS, NOTHING, add_up, to_round, whole
from rating.limits import ROUNDING_ID
from rating.lines import KINDS, Item, Kind, Line
from rating.plan import Plan, plan_for
from rating.prices import Prices
from rating.state import State
from rating.steps import Charged, common_divisors
from rating.tariff import Part, TariffVersion
from rating.usage import Usage

T = TypeVar("T")
BATCH_METERS_MAX = 64
"""Meters that are rated at once: 1.5 MB per flow and month of 15 minutes, which a cache holds."""
NO_STATE: State = MappingProxyType({})
NO_PRICES: Prices = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Bill:
    """`total` is `net` plus `tax`; the rounded amounts of `lines` add up to it exactly.

    These three and the totals by kind have the decimals of money also where they are nothing.
    `state` is what it hands to the meter's next bill.
    """

    currency: str
    period: Period
    lines: tuple[Line, ...]
    net: Decimal
    tax: Decimal
    total: Decimal
    state: State = field(default_factory=dict, hash=False)

    def totals(self) -> dict[Kind, Decimal]:
        """The rounded amounts by kind."""
        return self._by_kind((line.item.kind, line.amount) for line in self.lines)

    def totals_exact(self) -> dict[Kind, Decimal]:
        """The unrounded amounts by kind."""
        return self._by_kind((line.item.kind, line.amount_exact) for line in self.lines)

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
    """One bill per usage, in order; meters alike in zone, period and resolution go together.

    `tariff` is a version, or the parts of the period with the version of each; `states` are what
    the meters' last bills left, nothing unless given. Rejected where the tariff does not fit the
    period or its intervals, or the usage or `prices` lack what a charge needs; an interval
    without a value is `refused` unless it may count as `nothing`.
    """
    before = [NO_STATE] * len(usages) if states is None else states
    if len(before) != len(usages):
        raise ValueError(f"{len(before)} states for {len(usages)} usages")
    alike: dict[tuple[str, Period, int], list[int]] = {}
    for place, usage in enumerate(usages):
        alike.setdefault((usage.zone, usage.period, usage.minutes), []).append(place)
    bills: dict[int, Bill] = {}
    for (zone, period, minutes), places in alike.items():
        parts = (Part(period, tariff),) if isinstance(tariff, TariffVersion) else tuple(tariff)
        plan = plan_for(parts, zone, period, minutes)
        for first in range(0, len(places), BATCH_METERS_MAX):
            chunk = places[first : first + BATCH_METERS_MAX]
            batch = Batch(
                usages=[usages[place] for place in chunk],
                states=[dict(before[place]) for place in chunk],
                prices=prices,
                missing=missing,
                divisors=[],
            )
            bills.update(zip(chunk, _rate_batch(plan, period, batch), strict=True))
    return [bills[place] for place in range(len(usages))]


def _rate_batch(plan: Plan, period: Period, batch: Batch) -> list[Bill]:
    batch.sum_columns(plan.weights)
    batch.divisors = common_divisors([step for step, _ in plan.steps], batch, plan.shared_days)
    try:
        with localcontext(LOSSLESS):
            return _exact_bills(plan, period, batch)
    except (Inexact, InvalidOperation):  # too many digits for a share, or for a rounded amount
        raise Rejected(
            "not_exact", "the bill needs more digits than an exact bill can carry"
        ) from None


def _exact_bills(plan: Plan, period: Period, batch: Batch) -> list[Bill]:
    """The bills; to be made in a context that refuses to lose a digit."""
    lines: list[list[Line | None]] = []
    for step, rounding in plan.steps:
        charged = step.charge(batch)
        for item, line in zip(step.items, charged, strict=True):
            hidden = step.hides_nothing or line.hides_nothing
            lines.append(_lines(item, line, batch, rounding, hidden=hidden))
    rows = _by_meter([lines[place] for place in plan.shown], batch)
    bills = [tuple(line for line in row if line is not None) for row in rows]
    if plan.rounded_once is not None:
        bills = _rounded_once(plan, plan.rounded_once, period, batch, bills)
    return [
        _bill(plan, period, bill, state) for bill, state in zip(bills, batch.states, strict=True)
    ]


def _lines(
    item: Item, charged: Charged, batch: Batch, rounding: Rounding, *, hidden: bool
) -> list[Line | None]:
    """One line's quantity and amounts for each meter; adds the amounts to what is charged."""
    amounts = charged.amounts
    if amounts is None:  # nothing is 0.000, never -0.000
        amounts = [quantity * item.rate + NOTHING for quantity in charged.quantities]
    batch.charged.append(amounts)
    items = [item] * len(amounts)
    if charged.rates is not None:
        items = [replace(item, rate=rate) for rate in charged.rates]
    return [
        None
        if hidden and not quantity and not amount
        else Line(
            own,
            whole(quantity, divisor),
            whole(amount, divisor),
            rounding.round(to_round(amount, divisor)),
        )
        for own, quantity, amount, divisor in zip(
            items, charged.quantities, amounts, batch.divisors, strict=True
        )
    ]


def _by_meter(lines: Sequence[Sequence[T]], batch: Batch) -> list[tuple[T, ...]]:
    """What stands by line and meter, by meter; there may be no line at all."""
    return list(zip(*lines, strict=True)) if lines else [()] * len(batch.usages)


def _bill(plan: Plan, period: Period, lines: tuple[Line, ...], state: State) -> Bill:
    net, tax = plan.nothing, plan.nothing
    for line in lines:
        if line.item.kind == "tax":
            tax += line.amount
        else:
            net += line.amount
    return Bill(plan.currency, period, lines, net, tax, net + tax, state)


def _rounded_once(
    plan: Plan,
    rule: Rounding,
    period: Period,
    batch: Batch,
    bills: Sequence[tuple[Line, ...]],
) -> list[tuple[Line, ...]]:
    """Each bill with a line that brings its rounded lines to its total, rounded once."""
    totals = [
        rule.round(to_round(sum(amounts, NOTHING), divisor))
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
        closing = (Line(item, NOTHING, NOTHING, difference),) if difference else ()
        rounded.append((*lines, *closing))
    return rounded
