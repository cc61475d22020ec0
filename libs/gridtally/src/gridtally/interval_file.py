"""Interval files: CSV whose rows each say when an interval starts and how long it is.

Columns: `start_local` or `start_utc` (with an offset of its own it says the instant in either),
`minutes`, and others that belong to the reader. Refuses whatever it would have to guess: of an hour
that the clock repeats, rows without an offset are taken in the order of the file, which must be
that of time.
"""

import csv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gridtally.errors import CommandError
from kernel.periods import ONE_DAY, local_date, midnight_utc, zone_named

ROWS_MAX = 500_000
FILE_BYTES_MAX = 256_000_000
YEARS = range(1970, 2201)
STARTS = ("start_local", "start_utc")
SEPARATORS = (";", "\t", "|")
"""Of other kinds of CSV; their numbers may have decimal commas, so that they are not guessed at."""
MINUTES_PER_DAY = 1440
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_ON = date(1970, 1, 1)
_NAIVE_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - the local clock's
_MINUTE = timedelta(minutes=1)
Instants = NDArray[np.int64]
"""Minutes from 1970 in UTC."""


@dataclass(frozen=True, slots=True)
class Rows:
    """A file's rows in its order: `starts`, how long each is, and the other `columns` by name."""

    starts: Instants
    minutes: int
    columns: dict[str, Sequence[str]]
    lines: Sequence[int]

    def blame(self, place: int, detail: str) -> ValueError:
        """A fault of the row at `place`, by its line in the file."""
        return ValueError(f"row {self.lines[place]}: {detail}")


def read_text(path: Path) -> str:
    """A file's text; CommandError, with its name, where it is none or cannot be read."""
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise CommandError(f"{path}: is larger than {FILE_BYTES_MAX} bytes")
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise CommandError(f"{path}: is no text in UTF-8") from None


def read_rows(
    lines: Iterable[str], zone: str, lengths: Sequence[int], wanted: Sequence[str]
) -> Rows:
    """The rows of a CSV file; ValueError with the number of the row at fault.

    All are of one of `lengths` minutes and begin where such intervals of their day in `zone` do.
    Of `wanted` columns at least one must be there; others are left out.
    """
    header, found, numbers = _read_csv(lines)
    start, places = _header(header, wanted)
    needed = [header.index("minutes"), header.index(start), *places.values()]
    texts = [tuple(row[place] if place < len(row) else "" for row in found) for place in needed]
    length = _length(texts[0], numbers, lengths)
    starts = _starts(texts[1], numbers, zone if start == "start_local" else "UTC")
    _check_grid(starts, texts[1], numbers, zone, length)
    return Rows(starts, length, dict(zip(places, texts[2:], strict=True)), numbers)


def _read_csv(lines: Iterable[str]) -> tuple[list[str], list[list[str]], list[int]]:
    reader = csv.reader(lines, skipinitialspace=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        found, numbers = [], []
        for row in reader:
            if row:
                found.append(row)
                numbers.append(reader.line_num)
                if len(found) > ROWS_MAX:
                    raise ValueError(f"row {reader.line_num}: at most {ROWS_MAX} rows in a file")
    except csv.Error as error:
        raise ValueError(f"row {reader.line_num}: {error}") from None
    return header, found, numbers


def _header(header: list[str], wanted: Sequence[str]) -> tuple[str, dict[str, int]]:
    """Which column the starts are in, and the place of each wanted one."""
    if twice := [name for name in header if name and header.count(name) > 1]:
        raise ValueError(f"row 1: the column {twice[0]} is there twice")
    if not any(header):
        raise ValueError("row 1: is empty, and not the names of columns")
    if len(header) == 1 and (mark := next((one for one in SEPARATORS if one in header[0]), None)):
        raise ValueError(f"row 1: the columns are separated by {mark!r}, must be by ','")
    starts = [name for name in STARTS if name in header]
    if len(starts) != 1:
        raise ValueError(f"row 1: needs one of the columns {', '.join(STARTS)}")
    if "minutes" not in header:
        raise ValueError("row 1: needs the column minutes")
    places = {name: header.index(name) for name in wanted if name in header}
    if not places:
        raise ValueError(f"row 1: needs one of the columns {', '.join(wanted)}")
    return starts[0], places


def _length(texts: Sequence[str], numbers: Sequence[int], lengths: Sequence[int]) -> int:
    if not texts:
        raise ValueError("the file holds no interval")
    known = {str(length): length for length in lengths}
    first = texts[0].strip()
    for text, number in zip(texts, numbers, strict=True):
        if text.strip() not in known:
            raise ValueError(f"row {number}: minutes is {text[:40]!r}, none of {', '.join(known)}")
        if text.strip() != first:
            raise ValueError(
                f"row {number}: minutes is {text[:40]} where earlier rows have {first}"
            )
    return known[first]


def _starts(texts: Sequence[str], numbers: Sequence[int], zone: str) -> Instants:
    """The instants, in the file's order; those without an offset are on the clock of `zone`."""
    instants = np.zeros(len(texts), np.int64)
    naive: list[int] = []
    local: list[datetime] = []
    for place, text in enumerate(texts):
        at = _parsed(text, numbers[place])
        if at.tzinfo is None:
            naive.append(place)
            local.append(at)
        else:
            instants[place] = (at - _EPOCH) // _MINUTE
    if naive:
        minutes = np.array([(at - _NAIVE_EPOCH) // _MINUTE for at in local], np.int64)
        own = set(np.delete(instants, naive).tolist())
        instants[naive] = _on_clock(
            minutes, zone, own, lambda each, told: ValueError(f"row {numbers[naive[each]]}: {told}")
        )
    return instants


def _parsed(text: str, number: int) -> datetime:
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"row {number}: start {text[:40]!r} is no date and time") from None
    if at.second or at.microsecond:
        raise ValueError(f"row {number}: start {text[:40]!r} is no whole minute")
    if at.year not in YEARS:
        raise ValueError(
            f"row {number}: start {text[:40]!r} is not between {YEARS[0]} and {YEARS[-1]}"
        )
    return at


def _on_clock(
    local: Instants, zone: str, taken: set[int], blame: Callable[[int, str], ValueError]
) -> Instants:
    """Instants of local minutes; days of another length than usual row by row, in file order."""
    days, minutes = np.divmod(local, MINUTES_PER_DAY)
    instants = np.zeros(len(local), np.int64)
    unusual = np.zeros(len(local), bool)
    for day in np.unique(days).tolist():
        on = _EPOCH_ON + timedelta(days=day)
        begin, end = (_minute(midnight_utc(zone, each)) for each in (on, on + ONE_DAY))
        chosen = days == day
        if end - begin == MINUTES_PER_DAY:
            instants[chosen] = begin + minutes[chosen]
        else:
            unusual |= chosen
    latest: dict[int, int] = {}
    repeated: set[int] = set()
    for place in np.flatnonzero(unusual).tolist():
        at, text, day = local[place], _written(int(local[place])), int(days[place])
        found = _instants_of(int(at), zone)
        if not found:
            raise blame(place, f"{text} does not exist in {zone}: the clock skips it")
        left = [instant for instant in found if instant not in taken]
        if not left:
            raise blame(place, f"{text} is there twice")
        if len(found) > 1:
            repeated.add(day)
        if day in repeated and left[0] < latest.get(day, left[0]):
            raise blame(
                place,
                f"{text}: the clock of {zone} repeats an hour of this day, and the rows are not in "
                "order of time: use start_utc, or an offset",
            )
        latest[day] = max(left[0], latest.get(day, left[0]))
        taken.add(left[0])
        instants[place] = left[0]
    return instants


def _instants_of(local: int, zone: str) -> list[int]:
    """The instants at which the clock shows a local minute: none, one, or two in order."""
    at = (_NAIVE_EPOCH + local * _MINUTE).replace(tzinfo=zone_named(zone))
    found = {at.replace(fold=fold).astimezone(UTC) for fold in (0, 1)}
    return sorted(
        _minute(instant)
        for instant in found
        if instant.astimezone(zone_named(zone)).replace(tzinfo=None) == at.replace(tzinfo=None)
    )


def _check_grid(
    starts: Instants, texts: Sequence[str], numbers: Sequence[int], zone: str, length: int
) -> None:
    """ValueError for a start that is there twice, or not where an interval of its day begins."""
    order = np.argsort(starts, kind="stable")
    again = order[1:][np.diff(starts[order]) == 0]
    if len(again):
        place = int(again.min())
        raise ValueError(f"row {numbers[place]}: {texts[place]} is there twice")
    first, last = (
        local_date(zone, _EPOCH + int(at) * _MINUTE) for at in (starts.min(), starts.max())
    )
    edges = np.array(
        [
            _minute(midnight_utc(zone, first + timedelta(days=day)))
            for day in range((last - first).days + 1)
        ]
    )
    into = starts - edges[np.searchsorted(edges, starts, side="right") - 1]
    if (into % length).any():
        place = int((into % length != 0).argmax())
        raise ValueError(
            f"row {numbers[place]}: {texts[place]} is not where {length} minutes of its day begin"
        )


def _minute(at: datetime) -> int:
    return (at - _EPOCH) // _MINUTE


def _written(local: int) -> str:
    return f"{_NAIVE_EPOCH + local * _MINUTE:%Y-%m-%d %H:%M}"


def instant(minute: int) -> datetime:
    """The instant of a minute since 1970."""
    return _EPOCH + minute * _MINUTE
