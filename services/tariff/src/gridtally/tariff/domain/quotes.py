"""Quotes: a meter's measured series cut into the periods to be billed, and the prices for them.

Owns how intervals as they are sent become usage. What a tariff charges for it is `rating.quote`'s,
by which invoices are made too. Refuses gaps, and whatever it would have to guess.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Literal

import numpy as np

from gridtally.kernel.errors import Fault, Rejected
from gridtally.kernel.money import DECIMALS_MAX, parse_decimal
from gridtally.kernel.periods import (
    ONE_DAY,
    Period,
    local_date,
    midnight_utc,
    months_between,
    zone_named,
)
from gridtally.rating import prices as rating
from gridtally.rating.components.spot import SpotPrice
from gridtally.rating.field_types import decimals_in
from gridtally.rating.prices import PRICE_MISSING
from gridtally.rating.tariff import TariffVersion
from gridtally.rating.usage import MISSING, PERIOD_DAYS_MAX, Flow, Series, Usage, slots_in, with_net
from gridtally.tariff.domain.local_days import FIRST_ON, LAST_ON
from gridtally.tariff.domain.price_series import PriceSeries
from gridtally.tariff.domain.prices import PriceDay, slots_on

VALUES_MAX = (PERIOD_DAYS_MAX + 1) * 96
"""Of one flow: the longest period in intervals of 15 minutes, with a day for clock changes."""
TARIFFS_MAX = 20
"""Compared at once."""
WH_DECIMALS = 3
Values = Sequence[str | None]
"""kWh per interval; None where the meter has no value."""


@dataclass(frozen=True, slots=True, eq=False)
class MeteredIntervals:
    """One meter's intervals of `minutes` from `start_at` (UTC) on, as many in every flow."""

    zone: str
    start_at: datetime
    minutes: int
    series: Mapping[Flow, Series] = field(repr=False)
    kwh_decimals: int

    @property
    def days(self) -> Period:
        """The local days that the intervals lie in."""
        count = len(next(iter(self.series.values())))
        last_at = self.start_at + timedelta(minutes=self.minutes) * (count - 1)
        first_on, last_on = (local_date(self.zone, at) for at in (self.start_at, last_at))
        return Period(first_on, last_on + ONE_DAY)

    def usages(
        self, period: Period | Literal["month"], connected_kw: Decimal | None
    ) -> list[Usage]:
        """The usage of a period, or of each calendar month, cut at the first and the last day.

        Rejected where the intervals do not cover it.
        """
        days = self.days
        periods = months_between(days.start_on, days.end_on) if period == "month" else [period]
        return [self._usage(part, connected_kw) for part in periods]

    def _usage(self, period: Period, connected_kw: Decimal | None) -> Usage:
        begin_at, _ = period.bounds_utc(self.zone)
        first, rest = divmod(begin_at - self.start_at, timedelta(minutes=self.minutes))
        if rest:
            detail = f"must be where {self.minutes} minutes of a local day begin"
            raise _bad("/usage/start", detail)
        try:
            last = first + slots_in(self.zone, period, self.minutes)
            count = len(next(iter(self.series.values())))
            if first < 0 or last > count:
                raise ValueError(
                    f"does not cover {period.start_on} to {period.end_on}: {max(-first, 0)} "
                    f"interval(s) lack before it and {max(last - count, 0)} after it"
                )
            return Usage(
                self.zone,
                period,
                self.minutes,
                {flow: values[first:last] for flow, values in self.series.items()},
                connected_kw,
                kwh_decimals=self.kwh_decimals,
            )
        except ValueError as error:
            raise _bad("/usage", str(error)) from None


def metered_intervals(
    zone: str, start: str, minutes: int, values: Mapping[Flow, Values]
) -> MeteredIntervals:
    """Intervals as they are sent: kWh as texts, from a local time of `zone` or an instant on.

    Load and generation make import and export, interval by interval. Rejected for flows of
    different lengths, for a start that is none, and for load beside import.
    """
    lengths = {flow: len(series) for flow, series in values.items()}
    if len(set(lengths.values())) != 1 or 0 in lengths.values():
        counts = ", ".join(f"{flow}: {count}" for flow, count in lengths.items()) or "none"
        raise _bad("/usage/values", f"must be as many in every flow, at least one: {counts}")
    if "load" in values and {"import", "export"} & set(values):
        raise _bad("/usage/values", "load already says what import and export would")
    numbers = {
        flow: [None if text is None else parse_decimal(text) for text in series]
        for flow, series in values.items()
    }
    known = (number for series in numbers.values() for number in series if number is not None)
    decimals = max(map(decimals_in, known), default=0)
    decimals = max(decimals, WH_DECIMALS)
    scaled: dict[Flow, Series] = {
        flow: np.array(
            [MISSING if kwh is None else int(kwh.scaleb(decimals)) for kwh in series], np.int64
        )
        for flow, series in numbers.items()
    }
    at = _instant(zone, start)
    if not FIRST_ON < at.date() < LAST_ON:
        raise _bad("/usage/start", f"must lie between {FIRST_ON} and {LAST_ON}")
    intervals = MeteredIntervals(zone, at, minutes, with_net(scaled), decimals)
    if intervals.days.days > PERIOD_DAYS_MAX:
        raise _bad("/usage/values", f"must lie on at most {PERIOD_DAYS_MAX} days")
    return intervals


def price_series_codes(versions: Sequence[TariffVersion]) -> set[str]:
    """The codes of the price series that tariffs charge by."""
    return {
        component.series
        for version in versions
        for component in version.components
        if isinstance(component, SpotPrice)
    }


def prices_for_rating(series: PriceSeries, days: Sequence[PriceDay]) -> rating.PriceSeries | None:
    """A stored series as the engine takes it, from the first to the last of some days in order.

    Days between them that have no prices are missing; None where there is no day at all. Rejected
    where there is a day among them that its intervals do not fill.
    """
    if not days:
        return None
    known = {day.day: day.prices for day in days}
    period = Period(days[0].day, days[-1].day + ONE_DAY)
    try:
        prices = [
            PRICE_MISSING if price is None else price
            for day in period.dates()
            for price in known.get(day) or (None,) * slots_on(series, day)
        ]
    except ValueError as error:
        raise Rejected("prices_resolution", f"{series.code}: {error}") from None
    return rating.PriceSeries(
        series.currency,
        midnight_utc(series.zone, period.start_on),
        series.minutes,
        np.array(prices, np.int64),
        DECIMALS_MAX,
    )


def _instant(zone: str, start: str) -> datetime:
    try:
        time = datetime.fromisoformat(start)
        at = (time if time.tzinfo else time.replace(tzinfo=zone_named(zone))).astimezone(UTC)
        read_back = at.astimezone(zone_named(zone)).replace(tzinfo=None)
    except (ValueError, OverflowError):
        raise _bad("/usage/start", "must be a date and time") from None
    if time.tzinfo is None and read_back != time:
        raise _bad("/usage/start", f"does not exist in {zone}")
    return at


def _bad(path: str, detail: str) -> Rejected:
    return Rejected("invalid_usage", f"{path}: {detail}", (Fault(path, detail),))
