"""Spot prices: energy at the prices of a named series, and a mark-up on it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from kernel.errors import Rejected
from kernel.periods import zone_named
from rating.batch import INT64_BELOW, Batch
from rating.exact import NOTHING, quotient
from rating.limits import check_component, check_name, check_rate, decimals_in
from rating.prices import PRICE_MAX, PRICE_MISSING, PriceSeries
from rating.span import Span
from rating.steps import Charged, OneLine, PerKwh, Step
from rating.usage import Flow

PRICE_BAND, MARKUP_BAND = "price", "mark-up"
MULTIPLIER_MAX = 100
MEAN_DECIMALS = 2
"""So many more than prices have a mean of two or four of them has."""
HOURS_NAMED_MAX = 3
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpotPrice:
    """Energy of a flow at the price of each interval in `series`, times `multiplier`.

    `settlement` `interval` prices every metered interval by itself, which must not be longer than
    the prices' are. The other two settle windows of `settle_minutes`, on the tariff's clock:
    `mean_price` at the mean of the window's prices, `mean_energy` as if the window's energy had
    flowed evenly. They differ by what `floor` and `cap` bound: the mean, or each published price.
    Then comes `multiplier` (such as 1.05 for losses), then `markup` per kWh in a line of its own.

    `direction` `credit` pays the price to the customer; the mark-up is charged even so.
    """

    kind: ClassVar[str] = "spot"
    id: str
    series: str
    flow: Flow = "import"
    direction: Literal["charge", "credit"] = "charge"
    settlement: Literal["interval", "mean_price", "mean_energy"] = "interval"
    settle_minutes: Literal[15, 30, 60] | None = None
    floor: Decimal | None = None
    cap: Decimal | None = None
    multiplier: Decimal = Decimal(1)
    markup: Decimal = Decimal(0)
    payee: str | None = None
    tax_class: str | None = None

    def __post_init__(self) -> None:
        check_component(self.id, self.payee, self.tax_class)
        check_name("series", self.series)
        for rate in (self.multiplier, self.markup, self.floor or NOTHING, self.cap or NOTHING):
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
class AtSpot(OneLine):
    """The energy of the `chosen` intervals at the prices that hold from `starts` (UTC minutes) on.

    `starts` are those of the metered intervals, or of the windows in which they settle; `column`
    is the sum of their energy.
    """

    spot: SpotPrice
    currency: str
    zone: str
    minutes: int
    chosen: NDArray[np.bool_]
    starts: NDArray[np.int64]
    column: int

    def charge(self, batch: Batch) -> list[Charged]:
        spot = self.spot
        series = batch.prices.get(spot.series)
        if series is None:
            raise Rejected("prices_missing", f"{spot.id}: no price series {spot.series!r} is given")
        settled, decimals = self._settled(series)
        quantities = batch.kwh_in_parts(batch.sums[spot.flow][self.column])
        times = -spot.multiplier if spot.direction == "credit" else spot.multiplier
        amounts = [
            Decimal(product * divisor).scaleb(-usage.kwh_decimals - decimals) * times + NOTHING
            for product, divisor, usage in zip(
                _products(batch.energy(spot.flow), settled),
                batch.divisors,
                batch.usages,
                strict=True,
            )
        ]
        rates = [
            quotient(amount, kwh) if kwh else NOTHING
            for amount, kwh in zip(amounts, quantities, strict=True)
        ]
        return [Charged(quantities, amounts, rates)]

    def _settled(self, series: PriceSeries) -> tuple[NDArray[np.int64], int]:
        """Each interval's price within its bounds, 0 for those not chosen; and its decimals."""
        spot = self.spot
        self._check_fit(series)
        every = np.arange(0, spot.settle_minutes or series.minutes, series.minutes)
        at = self.starts[self.chosen][:, None] + every
        prices = series.at(at)
        if (missing := prices == PRICE_MISSING).any():
            raise Rejected("prices_missing", self._told(np.unique(at[missing])))
        bounds = [bound for bound in (spot.floor, spot.cap) if bound is not None]
        decimals = max([series.decimals, *map(decimals_in, bounds)])
        if len(every) > 1:
            decimals += MEAN_DECIMALS  # with which every mean below is a whole number
        prices *= 10 ** (decimals - series.decimals)
        if spot.settlement == "mean_price":
            prices = prices.sum(axis=1, keepdims=True) // len(every)
        if spot.floor is not None:
            prices = np.maximum(prices, int(spot.floor.scaleb(decimals)))
        if spot.cap is not None:
            prices = np.minimum(prices, int(spot.cap.scaleb(decimals)))
        settled = np.zeros(len(self.starts), np.int64)
        settled[self.chosen] = prices.sum(axis=1) // prices.shape[1]
        return settled, decimals

    def _check_fit(self, series: PriceSeries) -> None:
        """Rejected where the series' currency or resolution is not what the charge can use."""
        told = f"{self.spot.id}: the prices of {self.spot.series!r}"
        if series.currency != self.currency:
            raise Rejected(
                "prices_currency", f"{told} are in {series.currency}, not {self.currency}"
            )
        within = self.spot.settle_minutes
        if within is None and (series.minutes % self.minutes or self._cut_by(series).any()):
            raise Rejected(
                "prices_resolution",
                f"{told} change inside intervals of {self.minutes} minutes: finer intervals are "
                "needed, or another settlement",
            )
        if within is not None and (
            within % series.minutes
            or within % self.minutes
            or ((self.starts - series.start_minute) % series.minutes).any()
        ):
            raise Rejected(
                "prices_resolution",
                f"{told} hold for {series.minutes} minutes each and intervals are of "
                f"{self.minutes}: neither may cross the windows of {within} minutes",
            )

    def _cut_by(self, series: PriceSeries) -> NDArray[np.bool_]:
        """Which intervals begin in one price and end in another."""
        into = (self.starts[self.chosen] - series.start_minute) % series.minutes
        cut: NDArray[np.bool_] = into + self.minutes > series.minutes
        return cut

    def _told(self, absent: NDArray[np.int64]) -> str:
        """The local hours without a price, the first few of them, and how many prices lack."""
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
    column = span.columns.place(spot.flow, span.chosen)
    price, markup = (
        span.item(
            spot.id,
            "credit" if spot.direction == "credit" and band == PRICE_BAND else "energy",
            band=band,
            flow=spot.flow,
            unit="kWh",
            rate=spot.markup if band == MARKUP_BAND else NOTHING,
            payee=spot.payee,
            tax_class=spot.tax_class,
        )
        for band in (PRICE_BAND, MARKUP_BAND)
    )
    at_spot = AtSpot(
        item=price,
        spot=spot,
        currency=span.currency,
        zone=span.zone,
        minutes=span.minutes,
        chosen=span.chosen,
        starts=_starts(spot, span),
        column=column,
    )
    return [at_spot, PerKwh(markup, spot.flow, column)] if spot.markup else [at_spot]


def _starts(spot: SpotPrice, span: Span) -> NDArray[np.int64]:
    """The UTC minute at which each interval's prices begin: its own, or its window's."""
    start_at, _ = span.period.bounds_utc(span.zone)
    first = int((start_at - _EPOCH).total_seconds()) // 60
    utc = first + span.minutes * np.arange(len(span.chosen), dtype=np.int64)
    if spot.settle_minutes is None:
        return utc
    # windows begin on the local clock's hours, which half-hour zones put between those of UTC
    return utc - span.local_minutes[:, 0] % spot.settle_minutes


def _products(energy: NDArray[np.int64], prices: NDArray[np.int64]) -> list[int]:
    """Each meter's sum of energy × price, in whole numbers that cannot overflow."""
    largest = int(np.abs(energy).sum(axis=1).max()) * int(np.abs(prices).max())
    if largest < INT64_BELOW:
        products: list[int] = (energy @ prices).tolist()
        return products
    exact = prices.tolist()
    return [
        sum(wh * price for wh, price in zip(row, exact, strict=True)) for row in energy.tolist()
    ]
