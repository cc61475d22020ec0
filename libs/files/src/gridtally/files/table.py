"""The rows of a CSV file, each with as many fields as the header has names.

Owns that nothing in the file is passed over. Rows that say nothing (blank lines, commas alone) are
left out; a row that is longer or shorter than the header is refused, since a decimal comma makes
two fields of a number.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice, pairwise

from gridtally.files.header import Columns
from gridtally.files.layout import ROWS_SEEN_MAX, explain


@dataclass(frozen=True, slots=True)
class Table:
    """A file's rows in their order, its `columns` by name, and the line that each row ends on."""

    columns: dict[str, int]
    rows: list[list[str]]
    lines: list[int]

    def column(self, name: str) -> list[str]:
        """The texts of a column, from the first row to the last."""
        index = self.columns[name]
        return [row[index] for row in self.rows]


def read_table(text: str, columns: Columns, *, rows_max: int) -> Table:
    """The table in a CSV file's text; ValueError with the number of the row at fault."""
    reader = csv.reader(io.StringIO(text, newline=""), skipinitialspace=True, strict=True)
    try:
        names = next((row for row in reader if any(map(str.strip, row))), None)
        if names is None:
            raise ValueError("is empty: it has no row")
        names = [name.strip() for name in names]
        indexes = _indexes(text, names, columns, reader.line_num)
        rows: list[list[str]] = []
        lines: list[int] = []
        width = len(names)
        for row in reader:
            if len(row) != width or not any(row):
                if not "".join(row).strip():
                    continue
                raise ValueError(f"row {reader.line_num}: {width_fault(row, width)}")
            rows.append(row)
            lines.append(reader.line_num)
            if len(rows) > rows_max:
                raise ValueError(f"row {reader.line_num}: at most {rows_max} rows in a file")
    except csv.Error as error:
        raise ValueError(f"row {reader.line_num}: {error}") from None
    _check_unnamed(names, rows, lines)
    return Table(indexes, rows, lines)


def _indexes(text: str, names: Sequence[str], columns: Columns, line: int) -> dict[str, int]:
    """The columns of the first row; ValueError, which explains the layout where it is another."""
    try:
        return columns.indexes(names)
    except ValueError as error:
        beginning = list(islice(io.StringIO(text, newline=""), ROWS_SEEN_MAX))
        explained = explain(beginning, columns)
        raise ValueError(explained or f"row {line}: {error}") from None


def _check_unnamed(names: Sequence[str], rows: list[list[str]], lines: list[int]) -> None:
    """ValueError where a column without a name, such as a comma at the ends makes, has a text."""
    for index in (index for index, name in enumerate(names) if not name):
        for row, line in zip(rows, lines, strict=True):
            if row[index].strip():
                raise ValueError(f"row {line}: has {row[index][:40]!r} in a column without a name")


def width_fault(row: Sequence[str], width: int) -> str:
    """What a refusal says of a row with more or fewer fields than the header's `width`."""
    fields = "1 field" if len(row) == 1 else f"{len(row)} fields"
    fault = f"has {fields}, and row 1 names {width} columns"
    if len(row) < width:
        return f"{fault}: is the row cut off? Get the file once more, or delete the row"
    if not row[-1].strip():
        return f"{fault}: it ends in a comma, which must go"
    pairs = [
        (left, right) for left, right in pairwise(row) if left.strip().isdigit() and right.isdigit()
    ]
    if not pairs:
        return f"{fault}: name each column in row 1, and put a text with commas between quotes"
    whole, part = pairs[-1]
    return (
        f"{fault}: is there a decimal comma, {whole.strip()},{part} for {whole.strip()}.{part}? "
        "Write numbers with a point"
    )
