"""The rows of a CSV file of any separator, with their line numbers, below its header."""

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from gridtally.files.formats import recognize
from gridtally.files.header import listed
from gridtally.meter_files.channels import FileError

ROWS_MAX = 2_000_000
_CODECS = {"utf-8": "utf-8-sig", "utf-16": "utf-16", "windows-1252": "cp1252"}


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The names of the columns, and the rows below that say something, each with its line."""

    names: list[str]
    rows: list[list[str]]
    lines: list[int]

    def index(self, name: str) -> int:
        """Where a column is; FileError where there is none of that name."""
        try:
            return self.names.index(name)
        except ValueError:
            raise FileError(f"there is no column {name!r}: found {listed(self.names)}") from None

    def texts(self, name: str) -> list[str]:
        """A column from the first row to the last."""
        index = self.index(name)
        return [row[index] for row in self.rows]


def text_of(content: bytes, encoding: str) -> str:
    """The text of a file; FileError where it is another format or encoding."""
    if encoding != "utf-16" and (known := recognize(content, "csv")) is not None:
        raise FileError(f"the file is {known}")
    try:
        return content.decode(_CODECS[encoding])
    except UnicodeDecodeError as error:
        row = content.count(b"\n", 0, error.start) + 1
        raise FileError(f"row {row}: is not in {encoding}: declare another encoding") from None


def read_rows(text: str, separator: str, header_row: int, footer_rows: int = 0) -> Rows:
    """The rows of a file; FileError with the number of a row that is longer or shorter than the
    header."""
    numbered = rows_of(text, separator)
    if header_row:
        header = next((row for line, row in numbered if line == header_row), None)
        if header is None:
            raise FileError(f"row {header_row}: is blank or not there, so it names no columns")
        names = column_names(header)
    else:
        names = column_names([""] * len(numbered[0][1] if numbered else ()))
    below = [(line, row) for line, row in numbered if line > header_row]
    below = below[: len(below) - footer_rows] if footer_rows else below
    width = len(names)
    for line, row in below:
        if len(row) > width and not any(row[width:]):
            del row[width:]
        if len(row) != width:
            raise FileError(
                f"row {line}: has {len(row)} fields where {width} columns are named: is it cut "
                "off, a total, or are numbers written with the separator in them?"
            )
    if not below:
        raise FileError("the file holds no interval below its header")
    return Rows(names, [row for _, row in below], [line for line, _ in below])


def rows_of(text: str, separator: str) -> list[tuple[int, list[str]]]:
    """The rows that say something, with the line that each ends on; separators at the very end of
    all rows make no column."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
    rows: list[tuple[int, list[str]]] = []
    try:
        for row in reader:
            if any(map(str.strip, row)):
                rows.append((reader.line_num, [field.strip() for field in row]))
                if len(rows) > ROWS_MAX:
                    raise FileError(f"row {reader.line_num}: at most {ROWS_MAX} rows in a file")
    except csv.Error as error:
        raise FileError(f"row {reader.line_num}: {error}") from None
    return rows


def column_names(header: Sequence[str]) -> list[str]:
    """A name for each column: `#3` where the header has none, `kWh#3` where it has it twice."""
    times = Counter(header)
    return [
        f"{name}#{number}" if not name or times[name] > 1 else name
        for number, name in enumerate(header, 1)
    ]
