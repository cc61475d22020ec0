"""Price files: a series of prices from CSV, for tariffs that charge spot prices.

Columns besides those of `gridtally.cli.interval_file`: `price_per_kwh` or `price_per_mwh`, and
`currency` where it is not the tariff's. An empty price is missing. A price covers the instants that
it covers: hours in UTC need not begin where local hours do, only where the first one's grid says.
"""

import re
from collections.abc import Collection, Sequence
from decimal import Decimal
from pathlib import Path

from gridtally.cli.interval_file import columns_of, read_rows, read_text
from gridtally.files.numbers import not_a_number
from gridtally.kernel.money import parse_measured
from gridtally.meter_files.local_clock import instant
from gridtally.rating.prices import PriceSeries, series_of

KWH_PER_MWH_DIGITS = 3
PRICES = ("price_per_kwh", "price_per_mwh")
CURRENCY = re.compile("[A-Z]{3}")


def read_series(text: str, zone: str, currency: str, ignored: Collection[str] = ()) -> PriceSeries:
    """The series in a CSV file's text; ValueError with the number of the row at fault."""
    columns = columns_of("a price file", PRICES, ignored, ("currency",))
    rows = read_rows(text, zone, columns)
    given = [name for name in PRICES if name in rows.columns]
    if len(given) > 1:
        raise ValueError(f"row 1: needs only one of the columns {', '.join(PRICES)}")
    digits = KWH_PER_MWH_DIGITS if given[0] == "price_per_mwh" else 0
    prices: dict[int, Decimal] = {}
    for index, text in enumerate(rows.columns[given[0]]):
        if not text.strip():
            continue
        try:
            prices[int(rows.starts[index])] = parse_measured(text).scaleb(-digits)
        except ValueError:
            raise rows.row_fault(index, f"{given[0]} {not_a_number(text)}") from None
    named = [name.strip() for name in rows.columns.get("currency", (currency,))]
    for index, name in enumerate(named):
        # a decimal comma leaves a digit here, where it parts the columns
        if not CURRENCY.fullmatch(name):
            raise rows.row_fault(index, f"currency {name!r} is no code as EUR: three capitals")
    currencies = set(named)
    if len(currencies) > 1:
        raise ValueError(f"prices in several currencies: {', '.join(sorted(currencies))}")
    return series_of(
        currencies.pop(), rows.minutes, {instant(minute): price for minute, price in prices.items()}
    )


def read_prices(
    named: Sequence[str], zone: str, currency: str, ignored: Collection[str] = ()
) -> dict[str, PriceSeries]:
    """The series of `FILE` or `NAME=FILE`; a lone FILE is of every name that a tariff asks for."""
    series: dict[str, PriceSeries] = {}
    for option in named:
        name, equals, path = option.partition("=")
        if not equals:
            name, path = "", option
        if name in series or (series and "" in {name, *series}):
            raise ValueError("several price files need a name each: --prices NAME=FILE")
        text = read_text(Path(path), "csv")
        try:
            series[name] = read_series(text, zone, currency, ignored)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None
    return series
