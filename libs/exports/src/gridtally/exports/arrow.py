"""Rows as columns of Arrow, and how a cell is written as text.

Nothing here runs over cells in Python, but for rows that were made in Python.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Protocol
from uuid import UUID

import pyarrow as pa
from pyarrow import compute as pc
from pyarrow import csv

from gridtally.exports.columns import Column, Kind, Row

TYPES: dict[Kind, pa.DataType] = {
    "text": pa.string(),
    "id": pa.string(),
    "instant": pa.timestamp("us", tz="UTC"),
    "day": pa.date32(),
    "decimal": pa.string(),  # with the decimals that it came with
    "whole": pa.int64(),
    "truth": pa.bool_(),
}


class BatchFile(Protocol):
    """A file of one of the formats, under construction."""

    def write(self, batch: pa.RecordBatch) -> None:
        """Add rows."""

    def close(self) -> None:
        """Write what comes last; once."""


def of_rows(columns: Sequence[Column], rows: Sequence[Row]) -> pa.RecordBatch:
    """Rows made in Python."""
    cells = zip(*rows, strict=True) if rows else [()] * len(columns)
    arrays = [
        pa.array([_cell_text(cell) for cell in values], TYPES[column.kind])
        for column, values in zip(columns, cells, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, names=[column.name for column in columns])


def _cell_text(cell: object) -> object:
    """A decimal or an id as the text that its column of Arrow holds; other cells as they are."""
    match cell:
        case Decimal():
            return f"{cell:f}"
        case UUID():
            return str(cell)
        case _:
            return cell


def of_csv(columns: Sequence[Column], lines: bytes) -> pa.RecordBatch:
    """Rows as PostgreSQL's COPY writes them as CSV, without headings, in its zone UTC."""
    types = {column.name: TYPES[column.kind] for column in columns}
    table = csv.read_csv(
        pa.py_buffer(lines),
        csv.ReadOptions(use_threads=False, column_names=list(types), block_size=2 * len(lines)),
        csv.ParseOptions(newlines_in_values=True),
        csv.ConvertOptions(
            column_types=types,
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            true_values=["t"],
            false_values=["f"],
        ),
    )
    return table.combine_chunks().to_batches()[0]


def texts_of(batch: pa.RecordBatch, columns: Sequence[Column]) -> list[pa.StringArray]:
    """Every column as people write it: ISO 8601, instants in UTC, no exponents."""
    return [_text(batch.column(index), column.kind) for index, column in enumerate(columns)]


def _text(array: pa.Array, kind: Kind) -> pa.StringArray:
    texts = pc.cast(array, pa.string())
    if kind != "instant":
        return texts
    pattern = r"^(\S+) (\S+?)(?:\.000000)?Z$"
    return pc.replace_substring_regex(texts, pattern=pattern, replacement=r"\1T\2Z")


def concatenated(texts: Sequence[pa.StringArray | str], separator: str) -> pa.StringArray:
    """One text for each row; what is missing counts as empty."""
    return pc.binary_join_element_wise(
        *texts, separator, null_handling="replace", null_replacement=""
    )


def encoded(texts: pa.StringArray, separator: str) -> bytes:
    """All texts one after another, in UTF-8."""
    offsets = pa.array([0, len(texts)], pa.int32())
    [joined] = pc.binary_join(pa.ListArray.from_arrays(offsets, texts), separator)
    written: bytes = joined.as_buffer().to_pybytes()
    return written
