"""Interval files: CSV whose rows each say when an interval starts and how long it is.

Columns: `start_local` or `start_utc` (with an offset of its own it says the instant in either; both
are taken where they agree), `minutes`, and those that the reader of usage or prices wants. Refuses
whatever it would have to guess or to pass over (`gridtally.files`).
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from gridtally.cli.errors import CommandError
from gridtally.files.formats import Wanted, decode
from gridtally.files.header import Columns
from gridtally.files.stamps import is_end_of_day, parse_stamp
from gridtally.files.table import Table, read_table
from gridtally.kernel.periods import RESOLUTIONS_MIN, local_date, midnight_utc, zone_named
from gridtally.meter_files.local_clock import NAIVE_EPOCH, Instants, instant, minute_of, on_clock

ROWS_MAX = 500_000
FILE_BYTES_MAX = 256_000_000
YEARS = range(1970, 2201)
STARTS = ("start_local", "start_utc")
MINUTES_PER_HOUR = 60
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Rows:
    """A file's rows in its order: `starts`, how long each is, and the other `columns` by name."""

    starts: Instants
    minutes: int
    columns: Mapping[str, Sequence[str]]
    lines: Sequence[int]

    def row_fault(self, index: int, detail: str) -> ValueError:
        """A fault of the row at `index`, by its line in the file."""
        return ValueError(f"row {self.lines[index]}: {detail}")


def read_text(path: Path, wanted: Wanted, bytes_max: int = FILE_BYTES_MAX) -> str:
    """A file's text; CommandError, with its name, where it is none or cannot be read."""
    try:
        if path.stat().st_size > bytes_max:
            raise CommandError(f"{path}: is larger than {bytes_max} bytes")
        return decode(path.read_bytes(), wanted)
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise CommandError(f"{path}: {error}") from None


def columns_of(
    kind: str, wanted: tuple[str, ...], ignored: Collection[str], optional: tuple[str, ...] = ()
) -> Columns:
    """The columns of an interval file that has at least one of those `wanted`."""
    return Columns(
        kind,
        (STARTS, ("minutes",), wanted),
        optional,
        frozenset(ignored),
        "delete it, or name it by --ignore-column",
        "a start is written 2025-03-01T00:00",
    )


def read_rows(text: str, zone: str, columns: Columns) -> Rows:
    """The rows of a CSV file; ValueError with the number of the row at fault.

    All are of one length, of those in `RESOLUTIONS_MIN`, and no start is there twice.
    """
    table = read_table(text, columns, rows_max=ROWS_MAX)
    texts = {name: table.column(name) for name in table.columns}
    length = _length(table)
    starts, written = _starts_of(texts, table.lines, zone, length)
    _check_unique(starts, written, table.lines)
    _check_ends(starts, written, zone, length)
    others = {name: texts[name] for name in texts if name not in (*STARTS, "minutes")}
    return Rows(starts, length, others, table.lines)


def _starts_of(
    texts: Mapping[str, Sequence[str]], numbers: Sequence[int], zone: str, length: int
) -> tuple[Instants, Sequence[str]]:
    """The instants of the rows, and the texts that say them; ValueError where two texts differ.

    `start_utc` says the instant even in an hour that the clock repeats, so where both columns are
    there it is taken, and the local one must be what the clock of `zone` shows then.
    """
    if "start_utc" not in texts:
        return _starts(texts["start_local"], numbers, zone, length), texts["start_local"]
    utc = _starts(texts["start_utc"], numbers, "UTC", length)
    for index, text in enumerate(texts.get("start_local", ())):
        local = _parsed(text, numbers[index])
        shown = (instant(int(utc[index]))).astimezone(zone_named(zone))
        same = local == shown if local.tzinfo else local == shown.replace(tzinfo=None)
        if not same:
            raise ValueError(
                f"row {numbers[index]}: start_local is {text[:40]}, but the clock of {zone} shows "
                f"{shown:%Y-%m-%dT%H:%M} at start_utc {texts['start_utc'][index][:40]}"
            )
    return utc, texts["start_utc"]


def _length(table: Table) -> int:
    texts = table.column("minutes")
    if not texts:
        raise ValueError("the file holds no interval")
    known = {str(length): length for length in RESOLUTIONS_MIN}
    first = texts[0].strip()
    for text, row, line in zip(texts, table.rows, table.lines, strict=True):
        if text.strip() not in known:
            raise ValueError(
                f"row {line}: minutes is {text[:40]!r}, none of {', '.join(known)}; the row begins "
                f"with {row[0][:40]!r}"
            )
        if text.strip() != first:
            raise ValueError(f"row {line}: minutes is {text[:40]} where earlier rows have {first}")
    return known[first]


def _starts(texts: Sequence[str], numbers: Sequence[int], zone: str, length: int) -> Instants:
    """The instants, in the file's order; those without an offset are on the clock of `zone`."""
    try:
        stamps = [_parsed(text, number) for text, number in zip(texts, numbers, strict=True)]
    except ValueError as error:
        if any(map(is_end_of_day, texts)) and _into_day(texts[0]) == length:
            raise ValueError(f"{error}; but {_seem_ends(texts[0], length)}") from None
        raise
    instants = np.zeros(len(texts), np.int64)
    naive: list[int] = []
    local: list[datetime] = []
    for index, at in enumerate(stamps):
        if at.tzinfo is None:
            naive.append(index)
            local.append(at)
        else:
            instants[index] = minute_of(at)
    if naive:
        minutes = np.array([(at - NAIVE_EPOCH) // _MINUTE for at in local], np.int64)
        own = set(np.delete(instants, naive).tolist())

        def fault_of(index: int, detail: str) -> ValueError:
            return ValueError(f"row {numbers[naive[index]]}: {detail}")

        instants[naive] = on_clock(minutes, zone, own, fault_of)
    return instants


def _parsed(text: str, number: int) -> datetime:
    try:
        at = parse_stamp(text)
    except ValueError as error:
        raise ValueError(f"row {number}: start {error}") from None
    if at.second or at.microsecond:
        raise ValueError(f"row {number}: start {text[:40]!r} is no whole minute")
    if at.year not in YEARS:
        raise ValueError(
            f"row {number}: start {text[:40]!r} is not between {YEARS[0]} and {YEARS[-1]}"
        )
    return at


def _into_day(text: str) -> int | None:
    """The minute of its day that a text says; None where it is no date and time."""
    try:
        at = parse_stamp(text)
    except ValueError:
        return None
    return at.hour * MINUTES_PER_HOUR + at.minute


def _seem_ends(first: str, length: int) -> str:
    return (
        f"the stamps seem to be where intervals end, from {first[:40]} to the end of a day: "
        f"give where each starts, {length} minutes earlier"
    )


def _check_unique(starts: Instants, texts: Sequence[str], numbers: Sequence[int]) -> None:
    order = np.argsort(starts, kind="stable")
    again = order[1:][np.diff(starts[order]) == 0]
    if len(again):
        index = int(again.min())
        raise ValueError(f"row {numbers[index]}: {texts[index]} is there twice")


def check_grid(rows: Rows, zone: str) -> None:
    """ValueError for a start that is not where an interval of its day in `zone` begins."""
    starts, length = rows.starts, rows.minutes
    first, last = (local_date(zone, instant(int(at))) for at in (starts.min(), starts.max()))
    edges = np.array(
        [
            minute_of(midnight_utc(zone, first + timedelta(days=day)))
            for day in range((last - first).days + 1)
        ]
    )
    into = (starts - edges[np.searchsorted(edges, starts, side="right") - 1]) % length
    if into.any():
        index = int((into != 0).argmax())
        local = instant(int(starts[index])).astimezone(zone_named(zone))
        common = math.gcd(int(into[index]), length)
        fitting = [minutes for minutes in RESOLUTIONS_MIN if common % minutes == 0]
        advice = (
            f"values of {max(fitting)} minutes would fit" if fitting else "is it a meter's time?"
        )
        raise rows.row_fault(
            index,
            f"this start is {local:%Y-%m-%d %H:%M} in {zone}, where no interval of {length} "
            f"minutes begins, counted from midnight: {advice}",
        )


# A month by the ends of its intervals is complete in the middle, and a bill of that part would be
# one interval off. What gives it away are the edges: no file of starts leaves out just the first
# interval of a day and has just the first of another.
def _check_ends(starts: Instants, texts: Sequence[str], zone: str, length: int) -> None:
    """ValueError where the first and the last start are those that intervals of whole days would
    end at, by the clock of `zone` or in UTC."""
    first, last = int(starts.min()), int(starts.max())
    clocks = (zone, "UTC") if not _is_midnight(first, zone) else ()
    for clock in clocks:
        if first < last and _is_midnight(first - length, clock) and _is_midnight(last, clock):
            raise ValueError(_seem_ends(texts[int(starts.argmin())], length))


def _is_midnight(minute: int, zone: str) -> bool:
    at = instant(minute)
    return at == midnight_utc(zone, local_date(zone, at))
