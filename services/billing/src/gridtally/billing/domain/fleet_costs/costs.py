"""Costs of a fleet: the energy of devices at the prices of their grids, added up.

A bucket is an hour of a device in which any import was recorded. Energy without a price is counted
as energy, and costs nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from gridtally.billing.domain.fleet_costs.counted import Device, NotCounted
from gridtally.billing.domain.fleet_costs.day_costs import DayCosts, cost_of_days
from gridtally.billing.domain.fleet_costs.devices import Assignment, Catalogue, FleetMeter
from gridtally.billing.domain.fleet_costs.price_grids import (
    NO_CURRENCY,
    PriceGrid,
    TimeGrid,
    Unpriced,
    Window,
    hour_start,
    price_grid,
    time_grid,
)
from gridtally.kernel.periods import Period
from gridtally.rating.engine.exact import LOSSLESS, shown
from gridtally.rating.prices import Prices
from gridtally.rating.tariff import TariffVersion
from gridtally.rating.usage import MISSING, Flow

FIRST_ON = date(2000, 1, 1)
"""From which `ChannelDays` number their days."""
ENERGY_FLOW: Flow = "import"
"""The flow whose kWh and hours are counted; others only cost."""
_EPOCH_ON = datetime(1970, 1, 1, tzinfo=UTC).date()
ZERO = Decimal(0)
NOTHING = Fraction(0)


@dataclass(frozen=True, slots=True, eq=False)
class ChannelDays:
    """Days of a meter's flow that have equally many intervals: days × intervals in Wh.

    `days` are their numbers from 2000-01-01 on.
    """

    meter_id: UUID
    flow: Flow
    zone: str
    minutes: int
    days: NDArray[np.int64]
    energy: NDArray[np.int32]

    def without(self, runs: Sequence[Period]) -> "ChannelDays":
        """All but the days of these runs."""
        stays = np.ones(len(self.days), np.bool_)
        for run in runs:
            first = (run.start_on - FIRST_ON).days
            stays &= (self.days < first) | (self.days >= first + run.days)
        return replace(self, days=self.days[stays], energy=self.energy[stays]) if runs else self


@dataclass(slots=True)
class Cost:
    """Energy, and what it costs before and in tax: exact, and shown exactly or to 20 decimals."""

    wh: int = 0
    net_exact: Fraction = NOTHING
    tax_exact: Fraction = NOTHING

    @property
    def net(self) -> Decimal:
        """Before tax."""
        return shown(self.net_exact)

    @property
    def tax(self) -> Decimal:
        """The tax."""
        return shown(self.tax_exact)

    @property
    def total(self) -> Decimal:
        """With tax."""
        return shown(self.net_exact + self.tax_exact)

    def add(
        self, wh: int, net: Decimal | Fraction = NOTHING, tax: Decimal | Fraction = NOTHING
    ) -> None:
        """So much more."""
        self.wh += wh
        self.net_exact += Fraction(net)
        self.tax_exact += Fraction(tax)


@dataclass(frozen=True, slots=True)
class UnpricedHours:
    """Consecutive hours of a device without a price, and why; `buckets` of them have energy."""

    meter: FleetMeter
    from_at: datetime
    to_at: datetime
    buckets: int
    wh: int
    why: Unpriced


@dataclass(slots=True)
class DeviceCost:
    """What a device costs, by currency; energy without a price is in its own cost."""

    meter: FleetMeter
    municipality_name: str | None
    by_currency: dict[str, Cost] = field(default_factory=dict)
    unpriced_wh: int = 0
    buckets: int = 0
    buckets_without_tariff: int = 0

    def cost_in(self, currency: str) -> Cost:
        """The cost in a currency, to be added to."""
        return self.by_currency.setdefault(currency, Cost())


@dataclass(slots=True, eq=False)
class FleetCost:
    """What a fleet costs in a window: by device, and by UTC day and currency."""

    currency: str
    window: Window
    devices: list[DeviceCost] = field(default_factory=list)
    daily: dict[tuple[date, str], Cost] = field(default_factory=dict)
    unpriced: list[UnpricedHours] = field(default_factory=list)
    not_counted: Sequence[NotCounted] = ()

    def cost_on(self, day: date, currency: str) -> Cost:
        """The cost of a UTC day in a currency, to be added to."""
        return self.daily.setdefault((day, currency), Cost())

    @property
    def totals(self) -> dict[str, Cost]:
        """By currency, the fleet's own one first; its energy includes what has no price."""
        totals = {self.currency: Cost()}
        for device in self.devices:
            totals[self.currency].add(device.unpriced_wh)
            for currency, cost in device.by_currency.items():
                totals.setdefault(currency, Cost()).add(cost.wh, cost.net_exact, cost.tax_exact)
        return totals


@dataclass(slots=True, eq=False)
class _GridSums:
    """Energy of all devices on a price grid, by flow and interval; without what has no price for
    its device alone, which is in `unpriced_wh`."""

    prices: PriceGrid
    energy: dict[Flow, NDArray[np.int64]] = field(default_factory=dict)
    unpriced_wh: NDArray[np.int64] | None = None

    def add(self, flow: Flow, energy_wh: NDArray[np.int64]) -> None:
        """The energy of one more device."""
        if flow in self.energy:
            self.energy[flow] += energy_wh
        else:
            self.energy[flow] = energy_wh.copy()


class FleetSum:
    """Adds up a fleet, some devices at a time; it holds one array of energy per price grid.

    `version_of` reads a tariff version, `prices_for` names the price series for some days.
    """

    def __init__(
        self,
        cost: FleetCost,
        catalogue: Catalogue,
        version_of: Callable[[UUID], TariffVersion],
        prices_for: Callable[[TariffVersion, Period], Prices],
    ) -> None:
        self._cost = cost
        self._catalogue = catalogue
        self._version_of = version_of
        self._prices_for = prices_for
        self._grids: dict[tuple[str, int, Assignment], _GridSums] = {}

    def add(self, devices: Sequence[Device], channel_days: Sequence[ChannelDays]) -> None:
        """Add devices, with all that was recorded of them on the window's days."""
        by_meter: dict[UUID, dict[tuple[str, int], list[ChannelDays]]] = {}
        for block in channel_days:
            grids = by_meter.setdefault(block.meter_id, {})
            grids.setdefault((block.zone, block.minutes), []).append(block)
        for counted in devices:
            meter, assignment = counted.meter, counted.assignment
            device = DeviceCost(meter, self._catalogue.municipality_of(meter))
            self._cost.devices.append(device)
            if meter.id not in by_meter:
                continue
            day_costs = self._cost_of_days(by_meter[meter.id], assignment)
            for (zone, minutes), blocks in by_meter[meter.id].items():
                sums = self._grid(zone, minutes, assignment)
                for flow in dict.fromkeys(block.flow for block in blocks):
                    own = [block for block in blocks if block.flow == flow]
                    self._add_flow(device, sums, flow, own, day_costs)
            self._add_days(device, day_costs)

    def finish(self) -> FleetCost:
        """The cost, when all devices are in it."""
        for sums in self._grids.values():
            self._add_daily(sums)
        self._cost.devices.sort(key=lambda device: (device.meter.name, device.meter.id))
        self._cost.daily = dict(sorted(self._cost.daily.items()))
        return self._cost

    def _grid(self, zone: str, minutes: int, assignment: Assignment) -> _GridSums:
        key = zone, minutes, assignment
        if key not in self._grids:
            grid = time_grid(zone, minutes, self._cost.window)
            prices = price_grid(grid, assignment, self._version_of, self._prices_for)
            self._grids[key] = _GridSums(prices)
        return self._grids[key]

    def _cost_of_days(
        self, grids: Mapping[tuple[str, int], Sequence[ChannelDays]], assignment: Assignment
    ) -> DayCosts:
        """What days cost that are rated as a whole."""
        days: dict[tuple[str, int], dict[Flow, tuple[int, NDArray[np.int32]]]] = {}
        versions: dict[int, tuple[TariffVersion, str]] = {}
        for (zone, minutes), blocks in grids.items():
            prices = self._grid(zone, minutes, assignment).prices
            if not prices.day_rated:
                continue
            versions |= {
                number: (version, prices.currencies[currency])
                for number, (version, currency) in prices.day_rated.items()
            }
            begin = (self._cost.window.days.start_on - FIRST_ON).days
            for block in blocks:
                for number, values in zip(block.days - begin, block.energy, strict=True):
                    if int(number) in versions:
                        days.setdefault((zone, int(number)), {})[block.flow] = (minutes, values)
        return cost_of_days(self._cost.window, days, versions, self._prices_for)

    def _add_flow(
        self,
        device: DeviceCost,
        sums: _GridSums,
        flow: Flow,
        blocks: Sequence[ChannelDays],
        day_costs: DayCosts,
    ) -> None:
        prices, grid = sums.prices, sums.prices.grid
        values = _on_grid(blocks, grid)
        present = (values != MISSING) & prices.counted
        energy = np.where(present, values, 0).astype(np.int64)
        currency_of = prices.currency_of
        if day_costs.unpriced and prices.day_rated:
            currency_of = currency_of.copy()
            for zone, number in day_costs.unpriced:
                if zone == grid.zone:
                    currency_of[grid.first_of[number] : grid.first_of[number + 1]] = NO_CURRENCY
        for currency, code in enumerate(prices.currencies):
            if (flow, currency) in prices.net:
                net = prices.net[flow, currency].sum_of(energy)
                tax = prices.tax[flow, currency].sum_of(energy)
                device.cost_in(code).add(0, net, tax)
        if flow == ENERGY_FLOW:
            self._count(device, sums, present, energy, currency_of, day_costs)
        if flow == ENERGY_FLOW or flow in prices.flows:
            sums.add(flow, energy)

    def _count(
        self,
        device: DeviceCost,
        sums: _GridSums,
        present: NDArray[np.bool_],
        energy: NDArray[np.int64],
        currency_of: NDArray[np.int8],
        day_costs: DayCosts,
    ) -> None:
        """The device's energy and hours, with and without a price."""
        prices, grid = sums.prices, sums.prices.grid
        for currency, code in enumerate(prices.currencies):
            device.cost_in(code).add(int(energy[currency_of == currency].sum()))
        device.buckets += _hours(grid.hour_of[present])
        unpriced = present & (currency_of == NO_CURRENCY)
        if not unpriced.any():
            return
        device.unpriced_wh += int(energy[unpriced].sum())
        device.buckets_without_tariff += _hours(grid.hour_of[unpriced])
        if sums.unpriced_wh is None:
            sums.unpriced_wh = np.zeros(grid.slots, np.int64)
        sums.unpriced_wh[unpriced] += energy[unpriced]
        self._cost.unpriced += _runs(device.meter, prices, unpriced, energy, day_costs)

    def _add_days(self, device: DeviceCost, day_costs: DayCosts) -> None:
        for part in day_costs.parts:
            device.cost_in(part.currency).add(0, part.net, part.tax)
            self._cost.cost_on(part.utc_on, part.currency).add(0, part.net, part.tax)

    def _add_daily(self, sums: _GridSums) -> None:
        """What the devices of a grid cost on each UTC day."""
        prices, grid = sums.prices, sums.prices.grid
        first = int(grid.utc_day_of[0])
        days = grid.utc_day_of - first
        count = int(days[-1]) + 1
        own = sums.energy.get(ENERGY_FLOW)
        if own is None:
            own = np.zeros(grid.slots, np.int64)
        unpriced = sums.unpriced_wh if sums.unpriced_wh is not None else np.zeros_like(own)
        used = np.unique(days[prices.counted & _is_used(sums)])
        for currency, code in enumerate(prices.currencies):
            wh = _by_day((own - unpriced) * (prices.currency_of == currency), days, count)
            net, tax = [ZERO] * count, [ZERO] * count
            for flow, energy in sums.energy.items():
                if (flow, currency) in prices.net:
                    own_net = prices.net[flow, currency].by_day(energy, days, count)
                    own_tax = prices.tax[flow, currency].by_day(energy, days, count)
                    net = [LOSSLESS.add(a, b) for a, b in zip(net, own_net, strict=True)]
                    tax = [LOSSLESS.add(a, b) for a, b in zip(tax, own_tax, strict=True)]
            for number in used.tolist():
                if wh[number] or net[number] or tax[number]:
                    day = _utc_date(first + number)
                    self._cost.cost_on(day, code).add(int(wh[number]), net[number], tax[number])
        without = _by_day(unpriced, days, count)
        for number in used.tolist():
            if without[number]:
                day = _utc_date(first + number)
                self._cost.cost_on(day, self._cost.currency).add(int(without[number]))


def _is_used(sums: _GridSums) -> NDArray[np.bool_]:
    """The intervals in which any device has energy of any flow."""
    used = np.zeros(sums.prices.grid.slots, np.bool_)
    for energy in sums.energy.values():
        used |= energy != 0
    return used


def _on_grid(blocks: Sequence[ChannelDays], grid: TimeGrid) -> NDArray[np.int32]:
    """The values of a flow by interval of the grid, `MISSING` where there is none."""
    values = np.full(grid.slots, MISSING, np.int32)
    begin = (grid.period.start_on - FIRST_ON).days
    for block in blocks:
        first = grid.first_of[block.days - begin]
        values[first[:, None] + np.arange(block.energy.shape[1])] = block.energy
    return values


def _hours(hours: NDArray[np.int64]) -> int:
    """How many distinct ones there are, in order."""
    return 1 + int(np.count_nonzero(np.diff(hours))) if len(hours) else 0


def _by_day(wh: NDArray[np.int64], days: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    sums = np.zeros(count, np.int64)
    np.add.at(sums, days, wh)
    return sums


def _utc_date(number: int) -> date:
    return _EPOCH_ON + timedelta(days=number)


def _runs(
    meter: FleetMeter,
    prices: PriceGrid,
    unpriced: NDArray[np.bool_],
    energy: NDArray[np.int64],
    day_costs: DayCosts,
) -> list[UnpricedHours]:
    """The hours without a price, joined where they follow one another for the same reason."""
    grid = prices.grid
    slots = np.flatnonzero(unpriced)
    hours = grid.hour_of[slots]
    reasons = list(prices.reasons)
    reason_of = prices.reason_of[slots].astype(np.int64)
    for (zone, number), why in day_costs.unpriced.items():
        if zone == grid.zone:
            reasons.append(why)
            first, last = grid.first_of[number], grid.first_of[number + 1]
            reason_of[(slots >= first) & (slots < last)] = len(reasons) - 1
    cuts = np.flatnonzero((np.diff(hours) > 1) | (np.diff(reason_of) != 0)) + 1
    edges = [0, *cuts.tolist(), len(slots)]
    return [
        UnpricedHours(
            meter,
            hour_start(int(hours[a])),
            hour_start(int(hours[b - 1]) + 1),
            _hours(hours[a:b]),
            int(energy[slots[a:b]].sum()),
            reasons[int(reason_of[a])],
        )
        for a, b in pairwise(edges)
    ]
