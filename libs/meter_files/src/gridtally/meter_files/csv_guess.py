"""What the layout of a CSV file seems to be: a proposal, which a person confirms or changes.

Owns the guesses and the sentence about each. Nothing is read by a guess alone: two files of one
supplier may differ in the one row that this did not look at.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np

from gridtally.kernel.periods import RESOLUTIONS_MIN, zone_named
from gridtally.meter_files.amounts import MISSING
from gridtally.meter_files.channels import FileError
from gridtally.meter_files.csv_columns import Body, Found, columns_found, stamps_found
from gridtally.meter_files.csv_layout import CsvLayout, Encoding, Separator
from gridtally.meter_files.csv_table import column_names, rows_of, text_of
from gridtally.meter_files.local_clock import NAIVE_EPOCH, skipped_by_clock
from gridtally.meter_files.stamps import MINUTES_PER_DAY

SEPARATORS: tuple[Separator, ...] = (";", "\t", "|", ",")
ROWS_SEEN_MAX = 20_000
_WINTER, _SUMMER = datetime(2025, 1, 1, 12), datetime(2025, 7, 1, 12)  # noqa: DTZ001 - local


def guess_csv(content: bytes, zone: str) -> tuple[CsvLayout, tuple[str, ...]]:
    """The layout that a file seems to have, of a meter in `zone`, and a sentence for each thing
    that is taken for granted; FileError where no column of times or of values is recognized."""
    encoding = _encoding(content)
    text = text_of(content, encoding)
    separator = _separator(text)
    body = _body(rows_of(text, separator))
    stamps = stamps_found(body)
    found = columns_found(body, stamps)
    notes = [*stamps.notes, *found.notes]
    minutes = _minutes(stamps.minutes) if found.shape == "rows" else found.minutes
    are_ends = stamps.are_ends or _look_like_ends(stamps.minutes, minutes, notes)
    clock = stamps.clock or _clock(zone, stamps.minutes, minutes * are_ends, found, notes)
    layout = CsvLayout(
        encoding=encoding,
        separator=separator,
        decimal_mark=found.decimal_mark,
        thousands_mark=found.thousands_mark,
        header_row=body.header_row,
        footer_rows=stamps.footer_rows,
        stamp_columns=stamps.columns,
        stamp_form=stamps.form,
        stamps="end" if are_ends and found.shape == "rows" else "start",
        clock=clock,
        minutes=minutes,
        shape=found.shape,
        values=found.values,
        meter_column=found.meter_column,
        flow_column=found.flow_column,
        quality_column=found.quality_column,
    )
    return layout, tuple(notes)


def _encoding(content: bytes) -> Encoding:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    try:
        content.decode()
    except UnicodeDecodeError:
        return "windows-1252"
    return "utf-8"


def _separator(text: str) -> Separator:
    """The mark by which most rows have equally many fields; the first of these that has any."""
    lines = text[:200_000].splitlines()[:500]

    def weight(mark: Separator) -> int:
        widths = Counter(line.count(mark) for line in lines if mark in line)
        return widths.most_common(1)[0][1] if widths else 0

    return max(SEPARATORS, key=weight)  # of equals the first: a comma may be a decimal mark


def _body(rows: Sequence[tuple[int, list[str]]]) -> Body:
    """The rows of the width that most have, and the row above them that names columns."""
    if not rows:
        raise FileError("the file is empty: it has no row")
    widths = Counter(len(row) for _, row in rows[:ROWS_SEEN_MAX])
    width = max(widths, key=lambda fields: (widths[fields], fields))
    first = next(
        (
            index
            for index, (_, row) in enumerate(rows)
            if len(row) == width and _has_figures(rows, index) and not _names(rows, index)
        ),
        None,
    )
    if first is None:
        raise FileError("no row has figures: is it a table of readings?")
    header = next(
        (
            (line, row)
            for line, row in reversed(rows[:first])
            if len([field for field in row if field]) > 1 and len(row) <= width
        ),
        None,
    )
    names = column_names(header[1] if header else [""] * width)
    names += [f"#{number}" for number in range(len(names) + 1, width + 1)]
    return Body(names, header[0] if header else 0, list(rows[first:]), width)


# A number of a meter above the header, in a row as wide as the table, is no first row of it.
def _has_figures(rows: Sequence[tuple[int, list[str]]], index: int) -> bool:
    """Whether a row has figures, and so has the one below it, where that is as wide."""
    below = rows[index + 1][1] if index + 1 < len(rows) else rows[index][1]
    is_as_wide = len(below) == len(rows[index][1])
    return any(map(_is_figure, rows[index][1])) and (not is_as_wide or any(map(_is_figure, below)))


def _names(rows: Sequence[tuple[int, list[str]]], index: int) -> bool:
    """Whether a row names columns: it has a word above a figure. (Hours are figures themselves.)"""
    if index + 1 == len(rows):
        return False
    pairs = zip(rows[index][1], rows[index + 1][1], strict=False)
    return any(
        word and not _is_figure(word) and word.lower() not in MISSING and _is_figure(below)
        for word, below in pairs
    )


def _is_figure(text: str) -> bool:
    return text.lstrip("+-.,")[:1].isdigit()


def _minutes(stamps: Sequence[int]) -> int:
    """The length of an interval: the step that most of them are apart."""
    steps = np.diff(np.unique(np.array(stamps, np.int64)))
    if not len(steps):
        raise FileError("the file has one time only: declare how long its intervals are")
    lengths, counts = np.unique(steps, return_counts=True)
    minutes = int(lengths[counts.argmax()])
    if minutes not in RESOLUTIONS_MIN:
        raise FileError(
            f"most rows are {minutes} minutes apart; intervals of "
            f"{', '.join(map(str, RESOLUTIONS_MIN))} minutes are read"
        )
    return minutes


def _look_like_ends(stamps: Sequence[int], minutes: int, notes: list[str]) -> bool:
    """Whether the first time is where the first interval of a day ends, and the last midnight."""
    first, last = min(stamps), max(stamps)
    if first % MINUTES_PER_DAY == minutes and last % MINUTES_PER_DAY == 0:
        notes.append("the first time of a day is after midnight and the last is midnight: taken "
                     "for when intervals end")  # fmt: skip
        return True
    return False


def _clock(zone: str, stamps: Sequence[int], late: int, found: Found, notes: list[str]) -> str:
    """The clock that the times are on, which are `late` minutes after intervals start, and the
    sentence that says why."""
    local = np.array(stamps, np.int64)
    winter, summer = (
        at.replace(tzinfo=zone_named(zone)).utcoffset() or timedelta() for at in (_WINTER, _SUMMER)
    )
    if winter == summer:
        return zone
    skipped = [skipped_by_clock(local - back, zone) for back in {0, late}]
    is_fixed = found.shape == "rows" and all(
        any(found.has_energy(index) for index in np.flatnonzero(of_custom).tolist())
        for of_custom in skipped
    )
    if is_fixed:
        clock = _offset(min(winter, summer))
        at = NAIVE_EPOCH + timedelta(minutes=int(local[skipped[0].argmax()]))
        notes.append(
            f"there is energy at {at:%Y-%m-%d %H:%M}, which the clock of {zone} skips: the times "
            f"are taken to be on a clock that is never changed, {clock}"
        )
        return clock
    notes.append(f"the times are taken to be on the clock of {zone}, with its changes")
    return zone


def _offset(offset: timedelta) -> str:
    minutes = int(offset.total_seconds()) // 60
    sign = "-" if minutes < 0 else "+"
    return f"{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
