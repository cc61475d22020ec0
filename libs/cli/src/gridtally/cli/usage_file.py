"""Usage files: a meter's intervals from CSV, checked row by row.

Columns besides those of `gridtally.cli.interval_file`: `import_kwh`, `export_kwh` or `load_kwh`,
`gen_kwh`, and `import_kvarh`, `export_kvarh` of reactive energy. Refuses gaps, duplicates
and whatever it would have to guess.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from gridtally.cli.interval_file import Rows, check_grid, columns_of, read_rows
from gridtally.files.numbers import not_a_number
from gridtally.kernel.errors import Rejected
from gridtally.kernel.money import parse_measured
from gridtally.kernel.periods import (
    ONE_DAY,
    Period,
    local_date,
    months_between,
    zone_named,
)
from gridtally.meter_files.local_clock import instant
from gridtally.rating.field_types import check_days, decimals_in
from gridtally.rating.usage import KWH_DECIMALS_MAX, Flow, Series, Usage, slots_in, with_net

KWH_MAX = Decimal(10**6)
COLUMNS: dict[str, Flow] = {
    "import_kwh": "import",
    "export_kwh": "export",
    "load_kwh": "load",
    "gen_kwh": "generation",
    "import_kvarh": "reactive_import",
    "export_kvarh": "reactive_export",
}
_OPPOSITE = {
    "import_kwh": "; energy that flows out belongs in export_kwh",
    "export_kwh": "; energy that flows in belongs in import_kwh",
    "load_kwh": "; what is generated belongs in gen_kwh",
    "import_kvarh": "; what is given belongs in export_kvarh",
    "export_kvarh": "; what is taken belongs in import_kvarh",
    "gen_kwh": "; what the inverter itself uses belongs in load_kwh",
}
"""Where energy belongs that is below zero in a column; meters that count both ways net it."""
WH_DECIMALS = 3
_PLAIN = re.compile(r"[0-9]{1,6}(?:\.([0-9]{0,9}))?")
"""How most numbers are written; others are read more slowly."""
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, eq=False)
class Intervals:
    """Intervals of one length in order of time: UTC minutes, and energy × 10^`kwh_decimals`."""

    zone: str
    minutes: int
    starts: NDArray[np.int64]
    energy: dict[Flow, Series]
    kwh_decimals: int

    def months(self) -> list[Period]:
        """The calendar months that the rows lie in, cut at the first and the last day."""
        first, last = (local_date(self.zone, instant(int(self.starts[index]))) for index in (0, -1))
        return months_between(first, last + ONE_DAY)

    def usage(self, period: Period, connected_kw: Decimal | None) -> Usage:
        """The usage of a period; Rejected where an interval has no row."""
        start_at, _ = period.bounds_utc(self.zone)
        slots = slots_in(self.zone, period, self.minutes)
        first = (start_at - instant(0)) // _MINUTE
        wanted = first + self.minutes * np.arange(slots, dtype=np.int64)
        indexes = np.minimum(np.searchsorted(self.starts, wanted), len(self.starts) - 1)
        absent = self.starts[indexes] != wanted
        if absent.any():
            at = instant(int(wanted[absent.argmax()])).astimezone(zone_named(self.zone))
            raise Rejected(
                "usage_gap",
                f"no row for {int(absent.sum())} of the intervals from {period.start_on} to "
                f"{period.end_on}, the first of them at {at:%Y-%m-%d %H:%M %Z}",
            )
        series = {flow: values[indexes] for flow, values in self.energy.items()}
        return Usage(
            self.zone, period, self.minutes, series, connected_kw, kwh_decimals=self.kwh_decimals
        )


def read_intervals(text: str, zone: str, ignored: Collection[str] = ()) -> Intervals:
    """The intervals in a CSV file's text; ValueError with the number of the row at fault.

    Columns that are `ignored` are passed over, whatever their names.
    """
    columns = columns_of("a usage file", tuple(COLUMNS), ignored)
    rows = read_rows(text, zone, columns)
    check_grid(rows, zone)
    if "load_kwh" in rows.columns and {"import_kwh", "export_kwh"} & set(rows.columns):
        raise ValueError("row 1: load_kwh already says what import_kwh would")
    decimals = max(WH_DECIMALS, *(_decimals(rows, name) for name in rows.columns))
    order = np.argsort(rows.starts)
    energy: dict[Flow, Series] = {
        COLUMNS[name]: np.array([_scaled(text, decimals) for text in texts], np.int64)[order]
        for name, texts in rows.columns.items()
    }
    return Intervals(zone, rows.minutes, rows.starts[order], with_net(energy), decimals)


def _decimals(rows: Rows, name: str) -> int:
    """With how many decimals a column is written; ValueError for what is no energy."""
    texts: Sequence[str] = rows.columns[name]
    most = 0
    for index, text in enumerate(texts):
        if (plain := _PLAIN.fullmatch(text)) is not None:
            most = max(most, len(plain[1] or ""))
            continue
        try:
            kwh = parse_measured(text)
        except ValueError:
            raise rows.row_fault(index, f"{name} {not_a_number(text)}") from None
        if not 0 <= kwh < KWH_MAX:
            detail = f"{name} is {text[:40]}: must be 0 or more and below {KWH_MAX}"
            raise rows.row_fault(index, f"{detail}{_OPPOSITE[name]}" if kwh < 0 else detail)
        if decimals_in(kwh) > KWH_DECIMALS_MAX:
            raise rows.row_fault(
                index, f"{name} is {text[:40]}: at most {KWH_DECIMALS_MAX} decimals"
            )
        most = max(most, decimals_in(kwh))
    return most


def _scaled(text: str, decimals: int) -> int:
    """A checked number × 10^`decimals`."""
    if _PLAIN.fullmatch(text) is None:
        return int(parse_measured(text).scaleb(decimals))
    whole, _, part = text.partition(".")
    return int(whole + part.ljust(decimals, "0"))


def parse_period(text: str) -> Period:
    """`FROM:TO` as local days, TO not included; ValueError for anything else."""
    start_on, _, end_on = text.partition(":")
    try:
        period = Period(date.fromisoformat(start_on), date.fromisoformat(end_on))
        check_days(period.start_on, period.end_on)
    except ValueError as error:
        raise ValueError(f"--period {text!r} is not month or FROM:TO: {error}") from None
    return period
