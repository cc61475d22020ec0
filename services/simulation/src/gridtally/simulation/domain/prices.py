"""Prices of a run: the series that its tariffs name, as they were when it was started."""

import hashlib
from collections.abc import Mapping, Sequence

from gridtally.kernel.errors import Rejected
from gridtally.kernel.money import plain
from gridtally.kernel.periods import ONE_DAY, Period
from gridtally.rating.price_days import PriceDay, versioned_series
from gridtally.rating.prices import Prices
from gridtally.rating.tariff import price_series_codes
from gridtally.simulation.domain.comparisons import UsedTariff
from gridtally.simulation.domain.house_bills import version_of

PriceDays = Mapping[str, Sequence[PriceDay]]
"""The days of each series, by the code under which tariffs name it."""
ANY_ZONE = "UTC"
"""A policy's document has no zone of its own, and names no prices in any."""


def codes_of(tariffs: Sequence[UsedTariff]) -> list[str]:
    """The codes of the series that these tariffs bill by."""
    versions = [version_of(tariff.document, ANY_ZONE) for tariff in tariffs]
    return sorted({code for version in versions for code in price_series_codes(version)})


def days_around(window: Period) -> Period:
    """The days whose prices bills of a window rest on: one more at each end, since the market's
    days may begin at other instants than a house's."""
    return Period(window.start_on - ONE_DAY, window.end_on + ONE_DAY)


def series_by_code(days: PriceDays) -> Prices:
    """The series that rating takes, joined of their days as billing joins them."""
    return {code: versioned_series(of_series).series for code, of_series in days.items()}


def check_known(days: PriceDays) -> None:
    """Rejected where a series has no price at all in the window; single hours that lack one are
    named when a bill needs them."""
    empty = [code for code, of_series in days.items() if not of_series]
    if empty:
        raise Rejected("prices_missing", f"there are no prices of {', '.join(empty)} then")


def used_series(days: PriceDays) -> list[dict[str, object]]:
    """What a run says of each series: which days there were, and a digest of all prices."""
    return [
        {
            "code": code,
            "currency": of_series[-1].currency,
            "zone": of_series[-1].zone,
            "first_on": of_series[0].day.isoformat(),
            "last_on": of_series[-1].day.isoformat(),
            "days": len(of_series),
            "sha256": _sha256(of_series),
        }
        for code, of_series in days.items()
    ]


def _sha256(days: Sequence[PriceDay]) -> str:
    digest = hashlib.sha256()
    for own in days:
        prices = ["" if price is None else plain(price.normalize()) for price in own.prices]
        digest.update(f"{own.day} {own.zone} {own.minutes} {own.currency}\n".encode())
        digest.update(f"{own.version} {' '.join(prices)}\n".encode())
    return digest.hexdigest()
