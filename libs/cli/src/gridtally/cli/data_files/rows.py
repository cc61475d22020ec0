"""The rows of a CSV file of any length, one after the other.

Owns that a file is read as it was written: a row that is longer or shorter than the header is
refused with its number, and so is a file that is no table. Holds one row in memory.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from gridtally.cli.errors import CommandError
from gridtally.files.formats import HEAD_BYTES, recognize
from gridtally.files.header import Columns
from gridtally.files.layout import explain
from gridtally.files.table import width_fault

LINE_CHARS_MAX = 65_536
"""Far more than a row has: a file without ends of lines is not read whole."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row by the number that an editor shows: its fields by column, without the empty ones, or
    why it cannot be read."""

    number: int
    fields: dict[str, str]
    fault: str | None = None


def read_rows(path: Path, columns: Columns) -> Iterator[Row]:
    """The rows of a file; CommandError where it is no such table."""
    try:
        with path.open("rb") as content:
            head = content.read(HEAD_BYTES)
        if (known := recognize(head, "csv")) is not None:
            raise CommandError(f"{path}: is {known}")
        with path.open(encoding="utf-8-sig", newline="") as text:
            yield from _rows(path, text, columns)
    except UnicodeDecodeError:
        raise CommandError(f"{path}: is not in UTF-8: save it as text in UTF-8") from None
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from None


def _rows(path: Path, text: TextIO, columns: Columns) -> Iterator[Row]:
    reader = csv.reader(_lines(path, text), skipinitialspace=True, strict=True)
    try:
        names = next((row for row in reader if any(map(str.strip, row))), None)
        if names is None:
            raise CommandError(f"{path}: is empty: it has no row")
        names = [name.strip() for name in names]
        try:
            indexes = columns.indexes(names)
        except ValueError as error:
            explained = explain([",".join(names)], columns)
            raise CommandError(f"{path}: {explained or error}") from None
        for row in reader:
            if len(row) != len(names):
                if "".join(row).strip():
                    yield Row(reader.line_num, {}, width_fault(row, len(names)))
                continue
            fields = {name: row[index].strip() for name, index in indexes.items()}
            if any(fields.values()):
                yield Row(reader.line_num, {name: field for name, field in fields.items() if field})
    except csv.Error as error:
        raise CommandError(f"{path}: row {reader.line_num}: {error}") from None


def _lines(path: Path, text: TextIO) -> Iterator[str]:
    while line := text.readline(LINE_CHARS_MAX):
        if len(line) == LINE_CHARS_MAX and not line.endswith("\n"):
            raise CommandError(f"{path}: has a row of more than {LINE_CHARS_MAX} characters")
        yield line
