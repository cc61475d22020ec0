"""Price files: a series of prices from CSV, for tariffs that charge spot prices.

Columns besides those of `gridtally.interval_file`: `price_per_kwh` or `price_per_mwh`, and
`currency` where it is not the tariff's. An empty price is missing.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path

from gridtally.interval_file import instant, read_rows, read_text
from kernel.money import parse_measured
from rating.prices import PRICE_RESOLUTIONS_MIN, PriceSeries, series_of

KWH_PER_MWH_DIGITS = 3
PRICES = ("price_per_kwh", "price_per_mwh")


def read_series(lines: Iterable[str], zone: str, currency: str) -> PriceSeries:
    """The series in a CSV file's lines; ValueError with the number of the row at fault."""
    rows = read_rows(lines, zone, PRICE_RESOLUTIONS_MIN, (*PRICES, "currency"))
    given = [name for name in PRICES if name in rows.columns]
    if len(given) != 1:
        raise ValueError(f"row 1: needs one of the columns {', '.join(PRICES)}")
    digits = KWH_PER_MWH_DIGITS if given[0] == "price_per_mwh" else 0
    found: dict[int, Decimal] = {}
    for place, text in enumerate(rows.columns[given[0]]):
        if not text.strip():
            continue
        try:
            found[int(rows.starts[place])] = parse_measured(text).scaleb(-digits)
        except ValueError:
            raise rows.blame(place, f"{given[0]} is {text[:40]!r}, not a number") from None
    told = set(rows.columns.get("currency", (currency,)))
    if len(told) > 1:
        raise ValueError(f"prices in several currencies: {', '.join(sorted(told))}")
    return series_of(
        told.pop(), rows.minutes, {instant(minute): price for minute, price in found.items()}
    )


def read_prices(named: Sequence[str], zone: str, currency: str) -> dict[str, PriceSeries]:
    """The series of `FILE` or `NAME=FILE`; a lone FILE is of every name that a tariff asks for."""
    series: dict[str, PriceSeries] = {}
    for each in named:
        name, found, path = each.partition("=")
        if not found:
            name, path = "", each
        if name in series or (series and "" in {name, *series}):
            raise ValueError("several price files need a name each: --prices NAME=FILE")
        text = read_text(Path(path))
        try:
            series[name] = read_series(text.splitlines(), zone, currency)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None
    return series
