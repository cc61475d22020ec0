"""Interval prices: what one kWh costs in each interval, before and in tax, where a tariff has that.

Owns which tariffs do: those in which no interval's price depends on what else was used. The prices
are bills, made by `rate` of one kWh at a time, so that nothing here knows what a component charges.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from gridtally.kernel.periods import Period
from gridtally.rating.components.adjustment import Adjustment
from gridtally.rating.components.energy import EnergyCharge
from gridtally.rating.components.percent import Percent
from gridtally.rating.components.spot import SpotPrice
from gridtally.rating.components.tax import Tax
from gridtally.rating.components.time_of_use import TimeOfUse
from gridtally.rating.engine.bill import Bill, rate
from gridtally.rating.engine.exact import LOSSLESS, add_up
from gridtally.rating.engine.lines import Item
from gridtally.rating.plan.plan import plan_for
from gridtally.rating.plan.span import chosen_slots
from gridtally.rating.prices import Prices
from gridtally.rating.tariff import Component, Part, TariffVersion
from gridtally.rating.usage import ACTIVE_FLOWS, ActiveFlow, Flow, Series, Usage

BATCH_BILLS = 256
"""Bills of one kWh that are made at once: a month of quarter hours takes 6 MB."""
WH_PER_KWH = 1_000


@dataclass(frozen=True, slots=True, eq=False)
class IntervalPrices:
    """Of a flow: by interval the index of its price, and by index money per kWh, net and tax."""

    price_of: NDArray[np.int64]
    net: tuple[Decimal, ...]
    tax: tuple[Decimal, ...]


def has_interval_prices(version: TariffVersion) -> bool:
    """Whether an interval's kWh cost the same whatever else is used, once standing charges are
    left out (`tariff.usage_charges`)."""
    return all(_is_priced_alone(component) for component in version.components)


def _is_priced_alone(component: Component) -> bool:
    if isinstance(component, EnergyCharge | Adjustment | TimeOfUse):
        return component.quantity_rounding is None
    if isinstance(component, SpotPrice):
        return component.quantity_rounding is None and component.settlement == "interval"
    if isinstance(component, Percent):
        return component.at_least is None and component.at_most is None
    return isinstance(component, Tax) and not component.never_negative


# Most intervals cost the same: those of a band, between two changes of taxes. They have equal rows
# in the plan's weights, and one bill of one kWh is made for each distinct row; only where prices
# come from a series is there a bill for each interval.
def interval_prices(
    version: TariffVersion, zone: str, period: Period, minutes: int, prices: Prices
) -> dict[ActiveFlow, IntervalPrices]:
    """By flow that the version charges, the price of each interval of the period.

    For versions that have such prices (`has_interval_prices`). Rejected where rating refuses the
    version in these intervals, or lacks prices of a series.
    """
    plan = plan_for((Part(period, version),), zone, period, minutes)
    flows = [flow for flow in ACTIVE_FLOWS if flow in plan.weights]
    is_spot = any(isinstance(component, SpotPrice) for component in version.components)
    return {
        flow: _prices_of(
            version, (zone, period, minutes), flow, plan.weights[flow], prices, alone=is_spot
        )
        for flow in flows
    }


def _prices_of(
    version: TariffVersion,
    grid: tuple[str, Period, int],
    flow: ActiveFlow,
    weights: NDArray[np.float64],
    prices: Prices,
    *,
    alone: bool,
) -> IntervalPrices:
    firsts, price_of = _distinct(weights, alone=alone)
    bills = list(_bills_of_one_kwh(version, grid, flow, firsts.tolist(), prices))
    tax = tuple(bill_tax(bill) for bill in bills)
    net = tuple(bill_net(bill) for bill in bills)
    return IntervalPrices(price_of, net, tax)


def _distinct(
    weights: NDArray[np.float64], *, alone: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The first interval of each distinct row, and which row each interval has; each interval has
    its own where it is `alone`."""
    if alone:
        return np.arange(len(weights)), np.arange(len(weights))
    packed = np.packbits(weights != 0, axis=1)
    _, firsts, row_of = np.unique(packed, axis=0, return_index=True, return_inverse=True)
    return firsts.astype(np.int64), row_of.reshape(-1).astype(np.int64)


def line_rates(
    component: Component, part: Part, item: Item, usage: Usage, prices: Prices
) -> NDArray[np.object_] | None:
    """What 1 kWh costs on a line in each interval of the usage's period, as Decimals; None where
    the interval is not the line's. None at all where a component has no prices of intervals.

    The component is charged by itself, so that the line is all that the bills of one kWh have of
    it. Rejected as by `rate`.
    """
    version = replace(part.version, components=(component,))
    if item.flow is None or not has_interval_prices(version):
        return None
    grid = usage.zone, usage.period, usage.minutes
    plan = plan_for((Part(usage.period, version),), *grid)
    if item.flow not in plan.weights:
        return None
    weights = plan.weights[item.flow]
    firsts, price_of = _distinct(weights, alone=isinstance(component, SpotPrice))
    on_line = chosen_slots(*grid, item.part)
    used = np.unique(price_of[on_line])
    bills = _bills_of_one_kwh(version, grid, item.flow, firsts[used].tolist(), prices)
    rates: dict[int, Decimal | None] = {}
    for price, bill in zip(used.tolist(), bills, strict=True):
        own = [line for line in bill.lines if line.item.band == item.band and line.quantity]
        rates[price] = LOSSLESS.normalize(own[0].amount_exact) if own else None
    shown = np.full(len(weights), None, object)
    shown[on_line] = [rates[price] for price in price_of[on_line].tolist()]
    return shown


def bill_net(bill: Bill) -> Decimal:
    """What a bill comes to before tax, unrounded."""
    return add_up(line.amount_exact for line in bill.lines if line.item.kind != "tax")


def bill_tax(bill: Bill) -> Decimal:
    """The taxes of a bill, unrounded."""
    return add_up(line.amount_exact for line in bill.lines if line.item.kind == "tax")


def _bills_of_one_kwh(
    version: TariffVersion,
    grid: tuple[str, Period, int],
    flow: Flow,
    slots_used: Sequence[int],
    prices: Prices,
) -> Iterator[Bill]:
    """The bill of 1 kWh in each of these intervals, and nothing in any other."""
    zone, period, minutes = grid
    slots = period.slots(zone, minutes)
    nothing = np.zeros(slots, np.int32)
    for first in range(0, len(slots_used), BATCH_BILLS):
        usages = []
        for slot in slots_used[first : first + BATCH_BILLS]:
            energy = nothing.copy()
            energy[slot] = WH_PER_KWH
            series: dict[Flow, Series] = {**dict.fromkeys(ACTIVE_FLOWS, nothing), flow: energy}
            usages.append(Usage(zone, period, minutes, series))
        yield from rate(version, usages, prices=prices)
