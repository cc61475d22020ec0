"""Usage files: a meter's intervals from CSV, checked row by row.

Columns: `start_local` or `start_utc`, `minutes`, and `import_kwh`, `export_kwh` or `load_kwh`,
`gen_kwh`; others are ignored. Refuses gaps, duplicates and whatever it would have to guess.
"""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np

from kernel.errors import Rejected
from kernel.money import parse_decimal
from kernel.periods import (
    ONE_DAY,
    RESOLUTIONS_MIN,
    Period,
    local_date,
    midnight_utc,
    months_between,
    zone_named,
)
from rating.limits import decimals_in
from rating.usage import KWH_DECIMALS_MAX, Flow, Usage, slots_in

ROWS_MAX = 500_000
KWH_MAX = Decimal(10**6)
COLUMNS: dict[str, Flow] = {
    "import_kwh": "import",
    "export_kwh": "export",
    "load_kwh": "load",
    "gen_kwh": "generation",
}
WH_DECIMALS = 3


@dataclass(frozen=True, slots=True)
class Intervals:
    """Rows of one length, by the UTC instant at which each starts."""

    zone: str
    minutes: int
    kwh: dict[datetime, dict[Flow, Decimal]]
    kwh_decimals: int

    def months(self) -> list[Period]:
        """The calendar months that the rows lie in, cut at the first and the last day."""
        first, last = (local_date(self.zone, at) for at in (min(self.kwh), max(self.kwh)))
        return months_between(first, last + ONE_DAY)

    def usage(self, period: Period, connected_kw: Decimal | None) -> Usage:
        """The usage of a period; Rejected where an interval has no row."""
        start_at, _ = period.bounds_utc(self.zone)
        slots = slots_in(self.zone, period, self.minutes)
        starts = [start_at + slot * timedelta(minutes=self.minutes) for slot in range(slots)]
        if absent := [at for at in starts if at not in self.kwh]:
            first = absent[0].astimezone(zone_named(self.zone))
            raise Rejected(
                "usage_gap",
                f"no row for {len(absent)} of the intervals from {period.start_on} to "
                f"{period.end_on}, the first of them at {first:%Y-%m-%d %H:%M %Z}",
            )
        rows = [self.kwh[at] for at in starts]
        series = {
            flow: np.array([int(row[flow].scaleb(self.kwh_decimals)) for row in rows], np.int64)
            for flow in rows[0]
        }
        return Usage(
            self.zone, period, self.minutes, series, connected_kw, kwh_decimals=self.kwh_decimals
        )


def read_intervals(lines: Iterable[str], zone: str) -> Intervals:
    """The intervals in a CSV file's lines; Rejected with the number of the row at fault."""
    rows = csv.DictReader(lines, skipinitialspace=True)
    start, columns = _columns(rows.fieldnames or ())
    kwh: dict[datetime, dict[Flow, Decimal]] = {}
    minutes: int | None = None
    for row in rows:
        try:
            if len(kwh) == ROWS_MAX:
                raise ValueError(f"a file holds at most {ROWS_MAX} rows")
            length = _minutes(row["minutes"])
            if minutes not in (None, length):
                raise ValueError(f"minutes is {length} where earlier rows have {minutes}")
            minutes = length
            at = _start(row[start], zone if start == "start_local" else "UTC", kwh)
            if (at - midnight_utc(zone, local_date(zone, at))) % timedelta(minutes=length):
                raise ValueError(f"{row[start]} is not where {length} minutes of its day begin")
            kwh[at] = _with_net({flow: _kwh(name, row[name]) for name, flow in columns.items()})
        except ValueError as error:
            raise Rejected("usage_row", f"row {rows.line_num}: {error}") from None
    if minutes is None:
        raise Rejected("usage_empty", "the file holds no interval")
    finest = max(decimals_in(energy) for row in kwh.values() for energy in row.values())
    return Intervals(zone, minutes, kwh, max(finest, WH_DECIMALS))


def _columns(names: Iterable[str]) -> tuple[str, dict[str, Flow]]:
    """The column of starts, and the flow of each column of energy."""
    present = set(names)
    starts = present & {"start_local", "start_utc"}
    columns = {name: flow for name, flow in COLUMNS.items() if name in present}
    if len(starts) != 1:
        raise Rejected("usage_header", "row 1: needs one of the columns start_local, start_utc")
    if "minutes" not in present:
        raise Rejected("usage_header", "row 1: needs the column minutes")
    if not columns:
        raise Rejected("usage_header", f"row 1: needs one of the columns {', '.join(COLUMNS)}")
    if "load_kwh" in columns and {"import_kwh", "export_kwh"} & set(columns):
        raise Rejected("usage_header", "row 1: load_kwh already says what import_kwh would")
    return starts.pop(), columns


def _minutes(text: str | None) -> int:
    lengths = {str(minutes): minutes for minutes in RESOLUTIONS_MIN}
    if text not in lengths:
        raise ValueError(f"minutes is {text!r}, none of {', '.join(lengths)}")
    return lengths[text]


def _start(text: str | None, zone: str, taken: Mapping[datetime, object]) -> datetime:
    """The instant of a start; of an hour that the clock repeats, the first one not taken."""
    try:
        local = datetime.fromisoformat(text or "")
    except ValueError:
        raise ValueError(f"start {text!r} is no date and time") from None
    if local.tzinfo is None:
        local = local.replace(tzinfo=zone_named(zone))
        back = local.astimezone(UTC).astimezone(local.tzinfo)
        if back.replace(tzinfo=None) != local.replace(tzinfo=None):
            raise ValueError(f"{text} does not exist in {zone}: the clock skips it")
    at = local.astimezone(UTC)
    if at in taken:
        at = local.replace(fold=1).astimezone(UTC)
    if at in taken:
        raise ValueError(f"{text} is there twice")
    return at


def _kwh(name: str, text: str | None) -> Decimal:
    try:
        kwh = parse_decimal(text or "")
    except ValueError:
        raise ValueError(f"{name} is {text!r}, not a number") from None
    if not 0 <= kwh < KWH_MAX:
        raise ValueError(f"{name} is {text}: must be 0 or more and below {KWH_MAX}")
    if decimals_in(kwh) > KWH_DECIMALS_MAX:
        raise ValueError(f"{name} is {text}: at most {KWH_DECIMALS_MAX} decimals")
    return kwh


def _with_net(row: dict[Flow, Decimal]) -> dict[Flow, Decimal]:
    """With the import and export that load and generation leave in the interval."""
    if "load" not in row:
        return row
    net = row["load"] - row.get("generation", Decimal(0))
    return row | {"import": max(net, Decimal(0)), "export": max(-net, Decimal(0))}


def parse_period(text: str) -> Period:
    """`FROM:TO` as local days, TO not included; ValueError for anything else."""
    start_on, _, end_on = text.partition(":")
    try:
        return Period(date.fromisoformat(start_on), date.fromisoformat(end_on))
    except ValueError as error:
        raise ValueError(f"--period {text!r} is not month or FROM:TO: {error}") from None
