"""What stands in a file that is not laid out as a table with its names in the first row.

Owns the explanation only: which separator, which decimal mark, in which row the columns seem to be
named, and what to do. Nothing is read by it, since what it sees may be wrong.
"""

import csv
from collections import Counter
from collections.abc import Sequence
from itertools import takewhile

from gridtally.files.header import Columns, listed, meant_by
from gridtally.files.numbers import has_decimal_comma

SEPARATORS = (";", "\t", "|")
"""Of other kinds of CSV; their numbers may have decimal commas, so they are not read."""
ROWS_SEEN_MAX = 60
LINE_CHARS_MAX = 2_000
HEADER_FIELDS_MIN = 2
Row = tuple[int, list[str]]
"""Its number, and its fields without the blanks around them."""


def explain(lines: Sequence[str], columns: Columns) -> str | None:
    """What is wrong with the layout of a file that begins with `lines`, and what to do; None where
    it is a table in CSV whose first row names columns."""
    seen = [line[:LINE_CHARS_MAX] for line in lines[:ROWS_SEEN_MAX]]
    separator = _separator(seen)
    rows = _rows(seen, separator)
    if not rows:
        return None
    header = _header(rows, columns)
    below = header is not None and header[0] != rows[0][0]
    if separator == "," and not below:
        return None
    parts = []
    if header is not None and below:
        parts.append(
            f"row {header[0]}: the columns seem to be named here ({listed(header[1])}), below "
            "other rows: delete the rows above it"
        )
    if separator != ",":
        parts.append(_replacement(rows, separator, below=below))
    if header is None or not set(header[1]) & set(columns.known):
        parts.append(columns.form)
    return "; ".join(parts)


def _separator(lines: Sequence[str]) -> str:
    """The mark that most lines have equally often; a comma unless another is in more of them."""
    filled = [line for line in lines if line.strip()]

    def weight(mark: str) -> int:
        counts = Counter(line.count(mark) for line in filled if mark in line)
        return counts.most_common(1)[0][1] if counts else 0

    if filled and "," not in filled[0] and any(mark in filled[0] for mark in SEPARATORS):
        return max(SEPARATORS, key=weight)
    return max((",", *SEPARATORS), key=weight)


def _rows(lines: Sequence[str], separator: str) -> list[Row]:
    reader = csv.reader(lines, delimiter=separator, skipinitialspace=True)
    numbered = ((reader.line_num, [field.strip() for field in fields]) for fields in reader)
    return [(number, fields) for number, fields in numbered if any(fields)]


# A header names its columns without figures, and the rows below it have as many fields, with
# figures in some of them. Rows above a table may look so too, but fewer follow them.
def _header(rows: Sequence[Row], columns: Columns) -> Row | None:
    """The row that seems to name the columns."""
    likely = [
        (_rows_below(rows, index), len(fields), -index)
        for index, (_, fields) in enumerate(rows)
        if _is_header(fields, columns)
    ]
    below, _, index = max(likely, default=(0, 0, 0))
    return rows[-index] if below else None


def _rows_below(rows: Sequence[Row], index: int) -> int:
    """How many rows follow one that have as many fields as it, and figures."""
    width = len(rows[index][1])
    below = takewhile(lambda row: len(row[1]) == width and _has_figures(row[1]), rows[index + 1 :])
    return sum(1 for _ in below)


def _is_header(fields: Sequence[str], columns: Columns) -> bool:
    named = [field for field in fields if field]
    if any(field in columns.known or meant_by(field, columns.known) for field in named):
        return len(named) >= HEADER_FIELDS_MIN
    return len(named) >= HEADER_FIELDS_MIN and not _has_figures(named)


def _has_figures(fields: Sequence[str]) -> bool:
    return any(character.isdigit() for field in fields for character in field)


def _replacement(rows: Sequence[Row], separator: str, *, below: bool) -> str:
    """How to make commas of a separator; where numbers have commas, these must go first."""
    name = repr(separator) if separator != "\t" else "tabs"
    row = "" if below else f"row {rows[0][0]}: "
    comma = next(
        (
            (number, field)
            for number, fields in rows
            for field in fields
            if has_decimal_comma(field)
        ),
        None,
    )
    if comma is None:
        return f"{row}the columns are separated by {name}, and must be by ','"
    return (
        f"{row}the columns are separated by {name}, and numbers have a decimal comma "
        f"({comma[1]!r} in row {comma[0]}): write them as 1.5 and separate columns by ','; in an "
        f"editor, first replace every ',' by '.', and only then every {name} by ','"
    )
