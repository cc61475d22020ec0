"""Spot prices: energy at the prices of a named series, and a mark-up on it."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from gridtally.kernel.errors import Rejected
from gridtally.kernel.periods import zone_named
from gridtally.rating.components.charge import Charge, check_charge
from gridtally.rating.engine.batch import INT64_BELOW, Batch
from gridtally.rating.engine.exact import ZERO, quotient
from gridtally.rating.engine.steps import PerKwh, SingleLine, Step, StepResult
from gridtally.rating.field_types import Name, Rate, check_name, check_rate, decimals_in
from gridtally.rating.plan.span import Span
from gridtally.rating.prices import PRICE_MAX, PRICE_MISSING, PriceSeries
from gridtally.rating.quantity_steps import QuantityRounding
from gridtally.rating.usage import ActiveFlow, Summed

PRICE_BAND, MARKUP_BAND = "price", "mark-up"
MULTIPLIER_MAX = 100
MEAN_DECIMALS = 2
"""So many decimals more than prices has a mean of two or four of them, or three times one of three,
six or twelve."""
THIRDS = 3
HOURS_NAMED_MAX = 3
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpotPrice(Charge):
    """Energy of a flow at the price of each interval in a series, and a mark-up in its own line.

    A price is settled, then held within `floor` and `cap`, then times `multiplier`.
    """

    kind: ClassVar[str] = "spot"
    series: Name
    """The code of the price series; its prices are per kWh, in the tariff's currency."""
    flow: ActiveFlow = "import"
    """Whose kWh are counted."""
    quantity_rounding: QuantityRounding | None = None
    """How each interval's kWh are rounded before they are priced; null for not at all."""
    direction: Literal["charge", "credit"] = "charge"
    """Whether the price is charged or paid to the customer; the mark-up is charged even so."""
    settlement: Literal["interval", "mean_price", "mean_energy"] = "interval"
    """`interval` prices every metered interval by itself, which must not be longer than the
    prices' are. The others settle windows on the tariff's clock: `mean_price` at the mean of the
    window's prices, `mean_energy` as if the window's energy had flowed evenly. They differ by what
    `floor` and `cap` bound: the mean, or each published price."""
    settle_minutes: Literal[15, 30, 60] | None = None
    """The length in minutes of these windows; null for `interval`."""
    floor: Rate | None = None
    """The least price, money per kWh; null for none."""
    cap: Rate | None = None
    """The highest price, money per kWh; null for none."""
    multiplier: Rate = Decimal(1)
    """A factor above 0, up to 100, such as 1.05 for losses."""
    markup: Rate = Decimal(0)
    """Money per kWh on top of the price, in a line of its own; 0 for no such line."""

    def __post_init__(self) -> None:
        check_charge(self)
        check_name("series", self.series)
        for rate in (self.multiplier, self.markup, self.floor or ZERO, self.cap or ZERO):
            check_rate(rate)
        if (self.settlement == "interval") != (self.settle_minutes is None):
            raise ValueError(
                "settle_minutes is for the settlements mean_price and mean_energy, which need it"
            )
        if not 0 < self.multiplier <= MULTIPLIER_MAX:
            raise ValueError(f"multiplier {self.multiplier} must lie above 0, up to 100")
        if any(abs(bound) >= PRICE_MAX for bound in (self.floor, self.cap) if bound is not None):
            raise ValueError(f"floor and cap lie between -{PRICE_MAX} and {PRICE_MAX}")
        if self.floor is not None and self.cap is not None and self.floor > self.cap:
            raise ValueError(f"the floor {self.floor} is above the cap {self.cap}")


@dataclass(frozen=True, slots=True, eq=False)
class SpotEnergy(SingleLine):
    """The energy of the `chosen` intervals at the prices that hold from `starts` (UTC minutes) on.

    `starts` are those of the metered intervals, or of the windows in which they settle, and
    `lengths` their minutes; `column` is the sum of their energy.
    """

    spot: SpotPrice
    counted: Summed
    currency: str
    zone: str
    minutes: int
    chosen: NDArray[np.bool_]
    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    column: int

    def divisors(self, batch: Batch) -> list[int] | None:
        """3 where a window has a number of prices whose mean has no finite decimal."""
        parts = self._parts(self._series(batch))
        return [parts] * len(batch.usages) if parts > 1 else None

    def charge(self, batch: Batch) -> list[StepResult]:
        spot, series = self.spot, self._series(batch)
        settled, decimals = self._settled_prices(series)
        parts = self._parts(series)
        quantities = batch.kwh_in_parts(batch.sums[self.counted][self.column])
        times = -spot.multiplier if spot.direction == "credit" else spot.multiplier
        amounts = [
            Decimal(product * (divisor // parts)).scaleb(-usage.kwh_decimals - decimals) * times
            + ZERO
            for product, divisor, usage in zip(
                _products(batch.energy(self.counted), settled),
                batch.divisors,
                batch.usages,
                strict=True,
            )
        ]
        rates = [
            quotient(amount, kwh) if kwh else ZERO
            for amount, kwh in zip(amounts, quantities, strict=True)
        ]
        return [StepResult(quantities, amounts, rates)]

    def _series(self, batch: Batch) -> PriceSeries:
        """The prices; Rejected where none are given, or not such as the charge can use."""
        series = batch.prices.get(self.spot.series)
        if series is None:
            raise Rejected(
                "prices_missing",
                f"{self.spot.id}: no price series {self.spot.series!r} is given",
            )
        self._check_fit(series)
        return series

    def _parts(self, series: PriceSeries) -> int:
        """Settled prices are in so many parts: means of 1, 2 or 4 are whole, others in thirds."""
        return 1 if len(self._offsets(series)) % THIRDS else THIRDS

    def _offsets(self, series: PriceSeries) -> NDArray[np.int64]:
        """The minutes into a window at which other prices may begin, evenly: those of an hour in
        UTC begin in the middle of one in a zone of half hours. Only 0 where an interval is priced
        by itself."""
        within = self.spot.settle_minutes
        if within is None:
            return np.zeros(1, np.int64)
        into = np.unique((self.starts - series.start_minute) % series.minutes)
        lengths = np.unique(self.lengths)
        step = math.gcd(within, series.minutes, *into.tolist(), *lengths.tolist())
        return np.arange(0, within, step, dtype=np.int64)

    def _settled_prices(self, series: PriceSeries) -> tuple[NDArray[np.int64], int]:
        """Each interval's price within its bounds, 0 for those not chosen; and its decimals.

        `prices` are intervals × prices in even parts of an interval or window: 1, 2, 3, 4, 6 or 12.
        Scaled by two more decimals, and in thirds where 3 divides their number, a mean of them is a
        whole number again, so that one division loses nothing and all of it stays in int64. Of a
        window that is cut to half its length each price stands twice, which leaves the mean as is.
        """
        spot, parts = self.spot, self._parts(series)
        offsets = self._offsets(series)
        at = self.starts[self.chosen][:, None] + offsets % self.lengths[self.chosen][:, None]
        prices = series.at(at)
        if (missing := prices == PRICE_MISSING).any():
            absent = at[missing] - (at[missing] - series.start_minute) % series.minutes
            raise Rejected("prices_missing", self._missing_hours(np.unique(absent)))
        bounds = [bound for bound in (spot.floor, spot.cap) if bound is not None]
        decimals = max([series.decimals, *map(decimals_in, bounds)])
        if len(offsets) > 1:
            decimals += MEAN_DECIMALS  # with which every mean below is a whole number
        prices *= 10 ** (decimals - series.decimals) * parts
        if spot.settlement == "mean_price":
            prices = prices.sum(axis=1, keepdims=True) // len(offsets)
        if spot.floor is not None:
            prices = np.maximum(prices, int(spot.floor.scaleb(decimals)) * parts)
        if spot.cap is not None:
            prices = np.minimum(prices, int(spot.cap.scaleb(decimals)) * parts)
        settled = np.zeros(len(self.starts), np.int64)
        settled[self.chosen] = prices.sum(axis=1) // prices.shape[1]
        return settled, decimals

    def _check_fit(self, series: PriceSeries) -> None:
        """Rejected where the series' currency or resolution is not what the charge can use."""
        subject = f"{self.spot.id}: the prices of {self.spot.series!r}"
        if series.currency != self.currency:
            raise Rejected(
                "prices_currency", f"{subject} are in {series.currency}, not {self.currency}"
            )
        by_interval = self.spot.settle_minutes is None
        if by_interval and (series.minutes % self.minutes or self._cut_by(series).any()):
            raise Rejected(
                "prices_resolution",
                f"{subject} change inside intervals of {self.minutes} minutes: finer intervals are "
                "needed, or another settlement",
            )

    def _cut_by(self, series: PriceSeries) -> NDArray[np.bool_]:
        """Which intervals begin in one price and end in another."""
        into = (self.starts[self.chosen] - series.start_minute) % series.minutes
        cut: NDArray[np.bool_] = into + self.minutes > series.minutes
        return cut

    def _missing_hours(self, absent: NDArray[np.int64]) -> str:
        """The first few local hours without a price, and the number of prices that are missing."""
        zone = zone_named(self.zone)
        instants = (_EPOCH + timedelta(minutes=minute) for minute in absent.tolist())
        hours = list(dict.fromkeys(f"{at.astimezone(zone):%Y-%m-%d %H:00 %Z}" for at in instants))
        more = f" and {left} more" if (left := len(hours) - HOURS_NAMED_MAX) > 0 else ""
        return (
            f"{self.spot.id}: {self.spot.series!r} lacks {len(absent)} prices, in the hours "
            f"{', '.join(hours[:HOURS_NAMED_MAX])}{more}"
        )


def plan(spot: SpotPrice, span: Span) -> list[Step]:
    """A line at the prices, and one for the mark-up where there is any."""
    counted = span.counted(spot.id, spot.flow, spot.quantity_rounding)
    column = span.columns.column_of(counted, span.chosen)
    price, markup = (
        span.item(
            spot.id,
            "credit" if spot.direction == "credit" and band == PRICE_BAND else "energy",
            band=band,
            flow=spot.flow,
            unit="kWh",
            rate=spot.markup if band == MARKUP_BAND else ZERO,
            payee=spot.payee,
            tax_class=spot.tax_class,
            quantity_rounding=spot.quantity_rounding,
        )
        for band in (PRICE_BAND, MARKUP_BAND)
    )
    starts, lengths = _windows(spot, span)
    at_prices = SpotEnergy(
        item=price,
        spot=spot,
        counted=counted,
        currency=span.currency,
        zone=span.zone,
        minutes=span.minutes,
        chosen=span.chosen,
        starts=starts,
        lengths=lengths,
        column=column,
    )
    return [at_prices, PerKwh(markup, counted, column)] if spot.markup else [at_prices]


def _windows(spot: SpotPrice, span: Span) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The UTC minute at which each interval's prices begin, and for how long: its own, or its
    window's.

    Rejected where an interval lies in two windows.
    """
    start_at, _ = span.period.bounds_utc(span.zone)
    first = int((start_at - _EPOCH).total_seconds()) // 60
    utc = first + span.minutes * np.arange(len(span.chosen), dtype=np.int64)
    if spot.settle_minutes is None:
        return utc, np.full(len(utc), span.minutes, np.int64)
    # windows begin on the local clock's hours, which half-hour zones put between those of UTC
    starts = utc - span.local_minutes[:, 0] % spot.settle_minutes
    ends = starts + spot.settle_minutes
    for change in _cutting_changes(first, span.local_minutes, spot.settle_minutes):
        before = (starts < change) & (change < ends) & (utc < change)
        after = (starts < change) & (change < ends) & (utc >= change)
        ends[before], starts[after] = change, change
    if (utc + span.minutes > ends)[span.chosen].any():
        raise Rejected(
            "prices_resolution",
            f"{spot.id}: intervals of {span.minutes} minutes cross the windows of "
            f"{spot.settle_minutes} in which energy settles: finer intervals are needed",
        )
    return starts, ends - starts


def _cutting_changes(first: int, local_minutes: NDArray[np.int64], window: int) -> list[int]:
    """The UTC minutes at which the clock is put by less than whole windows: Lord Howe puts it by
    half an hour, which leaves half an hour of one hour."""
    local = local_minutes.reshape(-1)
    jumps = np.diff(local) - 1
    minutes = np.flatnonzero(jumps % window)
    changes: list[int] = (first + minutes + 1).tolist()
    return changes


def _products(energy: NDArray[np.int64], prices: NDArray[np.int64]) -> list[int]:
    """Each meter's sum of energy × price, exactly: (meters × intervals) @ intervals.

    int64 wraps around silently, so the largest possible sum is bounded first. Energy and prices
    that could pass it are summed as Python's integers, which is slow and exact.
    """
    largest = int(np.abs(energy).sum(axis=1).max()) * int(np.abs(prices).max())
    if largest < INT64_BELOW:
        products: list[int] = (energy @ prices).tolist()
        return products
    exact = prices.tolist()
    return [
        sum(wh * price for wh, price in zip(row, exact, strict=True)) for row in energy.tolist()
    ]
