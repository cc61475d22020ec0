"""Price grids: the price of every interval of a window, for meters whose days are priced alike.

Owns exact sums without a Decimal per interval: prices are whole numbers of the smallest place that
any of them has, cut into limbs of 15 bits, so that a year of any energy times a limb fits in eight
bytes. The sums of limbs are put together as Python's integers.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from gridtally.billing.domain.fleet_costs.devices import Assignment
from gridtally.kernel.errors import Rejected
from gridtally.kernel.periods import ONE_DAY, Period, midnight_utc, months_between, slots_in_day
from gridtally.rating.engine.exact import LOSSLESS
from gridtally.rating.field_types import decimals_in
from gridtally.rating.interval_prices import (
    IntervalPrices,
    has_interval_prices,
    interval_prices,
)
from gridtally.rating.prices import Prices
from gridtally.rating.tariff import TariffVersion, price_series_codes, usage_charges
from gridtally.rating.usage import Flow

LIMB_BITS = 15
"""31 bits of energy, 15 of price and a year of five minutes (17 bits) make 63."""
LIMB_MASK = (1 << LIMB_BITS) - 1
WH_DECIMALS = 3
NO_CURRENCY = -1
GRIDS_MAX = 64
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Window:
    """The instants [from_at, to_at) in UTC."""

    from_at: datetime
    to_at: datetime

    @property
    def days(self) -> Period:
        """Local days that hold all of it in any zone."""
        start_on, end_on = self.from_at.date() - ONE_DAY, self.to_at.date() + 2 * ONE_DAY
        return Period(start_on, end_on)


@dataclass(frozen=True, slots=True, eq=False)
class TimeGrid:
    """The intervals of a window's local days in a zone: where each begins, and of which UTC hour
    and UTC day it is.

    `within` marks those that begin in the window; `first_of` is the index of a day's first one, by
    the day's number in the period, with the number of all at its end.
    """

    zone: str
    minutes: int
    period: Period
    first_of: NDArray[np.int64]
    hour_of: NDArray[np.int64]
    utc_day_of: NDArray[np.int64]
    within: NDArray[np.bool_]

    @property
    def slots(self) -> int:
        """How many intervals there are."""
        return len(self.within)


@lru_cache(maxsize=GRIDS_MAX)
def time_grid(zone: str, minutes: int, window: Window) -> TimeGrid:
    """The grid; ValueError where the intervals do not fill the zone's days."""
    period = window.days
    lengths = [slots_in_day(zone, day, minutes) for day in period.dates()]
    first_of = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    begin = _minute(midnight_utc(zone, period.start_on))
    starts = begin + minutes * np.arange(first_of[-1], dtype=np.int64)
    # an instant between two minutes lies after the first of them
    edges = [-(-int((at - _EPOCH).total_seconds()) // 60) for at in (window.from_at, window.to_at)]
    return TimeGrid(
        zone,
        minutes,
        period,
        first_of,
        starts // 60,
        starts // (24 * 60),
        (starts >= edges[0]) & (starts < edges[1]),
    )


def _minute(at: datetime) -> int:
    return int((at - _EPOCH).total_seconds()) // 60


@dataclass(frozen=True, slots=True)
class Unpriced:
    """Why intervals have no price: a reason for programs, a detail for people."""

    reason: str
    detail: str


@dataclass(slots=True, eq=False)
class _Prices:
    """Distinct prices, the first of which is nothing, and the one of each interval by flow."""

    slots: int
    net: list[Decimal] = field(default_factory=lambda: [Decimal(0)])
    tax: list[Decimal] = field(default_factory=lambda: [Decimal(0)])
    currency_of_price: list[int] = field(default_factory=lambda: [NO_CURRENCY])
    by_flow: dict[Flow, NDArray[np.int64]] = field(default_factory=dict)

    def put(self, flow: Flow, first: int, own: IntervalPrices, currency: int) -> None:
        """Add the prices of the intervals from `first` on."""
        price_of = self.by_flow.setdefault(flow, np.zeros(self.slots, np.int64))
        price_of[first : first + len(own.price_of)] = own.price_of + len(self.net)
        self.net += own.net
        self.tax += own.tax
        self.currency_of_price += [currency] * len(own.net)


@dataclass(frozen=True, slots=True, eq=False)
class Limbs:
    """The prices of a flow in a currency by interval, as numbers of `decimals` places per Wh."""

    decimals: int
    limbs: tuple[NDArray[np.int64], ...]

    def sum_of(self, energy_wh: NDArray[np.int64]) -> Decimal:
        """What the energy costs, exactly; below 2³¹ Wh an interval."""
        units = sum(
            int(energy_wh @ limb) << (LIMB_BITS * rank) for rank, limb in enumerate(self.limbs)
        )
        return LOSSLESS.scaleb(Decimal(units), -self.decimals)

    def by_day(
        self, energy_wh: NDArray[np.int64], days: NDArray[np.int64], number_of_days: int
    ) -> list[Decimal]:
        """What the energy of each day costs, exactly, whatever its size."""
        units = np.zeros(number_of_days, object)
        used = np.flatnonzero(energy_wh)
        for rank, limb in enumerate(self.limbs):
            amounts = energy_wh[used].astype(object) * (
                limb[used].astype(object) << LIMB_BITS * rank
            )
            np.add.at(units, days[used], amounts)
        return [LOSSLESS.scaleb(Decimal(int(number)), -self.decimals) for number in units]


@dataclass(frozen=True, slots=True, eq=False)
class PriceGrid:
    """The prices of an assignment on a time grid.

    `counted` marks the intervals that are the customer's and in the window; `currency_of` is the
    index of each one's currency, `NO_CURRENCY` where it has no price, and `reason_of` that of its
    reason then. `net` and `tax` are by flow and currency. `day_rated` are the days, by their number
    in the period, whose version has no price per interval: they are rated as whole days.
    """

    grid: TimeGrid
    counted: NDArray[np.bool_]
    currencies: tuple[str, ...]
    currency_of: NDArray[np.int8]
    reasons: tuple[Unpriced, ...]
    reason_of: NDArray[np.int16]
    net: Mapping[tuple[Flow, int], Limbs]
    tax: Mapping[tuple[Flow, int], Limbs]
    day_rated: Mapping[int, tuple[TariffVersion, int]]

    @property
    def flows(self) -> set[Flow]:
        """The flows that cost something by the interval."""
        return {flow for flow, _ in self.net}


class _Draft:
    """A price grid in the making."""

    def __init__(self, grid: TimeGrid) -> None:
        self.grid = grid
        self.currencies: list[str] = []
        self.reasons: list[Unpriced] = []
        self.counted = np.zeros(grid.slots, np.bool_)
        self.currency_of = np.full(grid.slots, NO_CURRENCY, np.int8)
        self.reason_of = np.full(grid.slots, -1, np.int16)
        self.prices = _Prices(grid.slots)
        self.day_rated: dict[int, tuple[TariffVersion, int]] = {}

    def slots_of(self, days: Period) -> slice:
        """The intervals of some days."""
        first, last = (
            (day - self.grid.period.start_on).days for day in (days.start_on, days.end_on)
        )
        return slice(int(self.grid.first_of[first]), int(self.grid.first_of[last]))

    def count(self, days: Period) -> None:
        """The days are the customer's."""
        slots = self.slots_of(days)
        self.counted[slots] = self.grid.within[slots]

    def leave_unpriced(self, days: Period, why: Unpriced) -> None:
        """The days have no price."""
        if why not in self.reasons:
            self.reasons.append(why)
        self.reason_of[self.slots_of(days)] = self.reasons.index(why)

    def price(self, days: Period, version: TariffVersion, prices: Prices) -> None:
        """The days are priced by a version; what it cannot rate is left without a price."""
        charges = usage_charges(version)
        if charges is None:
            self._mark(days, version.currency)
        elif not has_interval_prices(charges):
            currency = self._mark(days, version.currency)
            first = (days.start_on - self.grid.period.start_on).days
            for number in range(first, first + days.days):
                self.day_rated[number] = charges, currency
        elif price_series_codes(charges):
            for month in months_between(days.start_on, days.end_on):
                self._price_spot(month, charges, prices)
        else:
            self._price(days, charges, prices)

    def _price_spot(self, days: Period, charges: TariffVersion, prices: Prices) -> None:
        """By the month, since each interval has a price; day by day where some are missing."""
        try:
            self._put(days, charges, prices)
        except Rejected:
            for day in days.dates():
                self._price(Period(day, day + ONE_DAY), charges, prices)

    def _price(self, days: Period, charges: TariffVersion, prices: Prices) -> None:
        try:
            self._put(days, charges, prices)
        except Rejected as refused:
            self.leave_unpriced(days, Unpriced(refused.code, refused.detail))

    def _put(self, days: Period, charges: TariffVersion, prices: Prices) -> None:
        grid = self.grid
        by_flow = interval_prices(charges, grid.zone, days, grid.minutes, prices)
        currency = self._mark(days, charges.currency)
        for flow, own in by_flow.items():
            self.prices.put(flow, self.slots_of(days).start, own, currency)

    def _mark(self, days: Period, currency: str) -> int:
        if currency not in self.currencies:
            self.currencies.append(currency)
        index = self.currencies.index(currency)
        self.currency_of[self.slots_of(days)] = index
        return index

    def finish(self) -> PriceGrid:
        """The grid."""
        drafted = self.prices
        amounts = {"net": drafted.net, "tax": drafted.tax}
        limbs: dict[str, dict[tuple[Flow, int], Limbs]] = {"net": {}, "tax": {}}
        for flow, price_of in drafted.by_flow.items():
            for currency in range(len(self.currencies)):
                for what, prices in amounts.items():
                    own = [
                        price if of == currency else Decimal(0)
                        for price, of in zip(prices, drafted.currency_of_price, strict=True)
                    ]
                    limbs[what][flow, currency] = _limbs(own, price_of)
        return PriceGrid(
            self.grid,
            self.counted,
            tuple(self.currencies),
            self.currency_of,
            tuple(self.reasons),
            self.reason_of,
            limbs["net"],
            limbs["tax"],
            self.day_rated,
        )


def _limbs(prices: Sequence[Decimal], price_of: NDArray[np.int64]) -> Limbs:
    """The prices per kWh, cut into limbs, by interval; the highest limb carries the sign."""
    decimals = max(decimals_in(price) for price in prices)
    units = [int(LOSSLESS.scaleb(price, decimals)) for price in prices]
    limbs: list[NDArray[np.int64]] = []
    while not all(-LIMB_MASK - 1 <= unit <= LIMB_MASK for unit in units):
        limbs.append(np.array([unit & LIMB_MASK for unit in units], np.int64)[price_of])
        units = [unit >> LIMB_BITS for unit in units]
    limbs.append(np.array(units, np.int64)[price_of])
    return Limbs(decimals + WH_DECIMALS, tuple(limbs))


def price_grid(
    grid: TimeGrid,
    assignment: Assignment,
    version_of: Callable[[UUID], TariffVersion],
    prices_for: Callable[[TariffVersion, Period], Prices],
) -> PriceGrid:
    """The prices of an assignment; `version_of` raises Rejected for a document that rating does not
    know."""
    draft = _Draft(grid)
    details = {
        "no_region": "the site lies in no region, and no agreement names a tariff",
        "none_in_force": "no tariff version is in force",
    }
    for days, source in assignment:
        if source is None:
            continue
        draft.count(days)
        if isinstance(source, str):
            draft.leave_unpriced(days, Unpriced(source, details[source]))
            continue
        try:
            version = version_of(source)
        except Rejected as refused:
            draft.leave_unpriced(days, Unpriced(refused.code, refused.detail))
            continue
        draft.price(days, version, prices_for(version, days))
    return draft.finish()


def hour_start(hour: int) -> datetime:
    """When an hour, counted from 1970, begins."""
    return _EPOCH + timedelta(hours=hour)
