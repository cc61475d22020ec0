"""Rows as columns of Arrow, and the files made of them: CSV and Parquet.

Owns how a cell is written as text. Nothing here runs over cells in Python, but for rows that were
made in Python. Loaded by `serving.exports` when something is exported, since Arrow takes tens of
megabytes.
"""

from collections.abc import Sequence
from decimal import Decimal
from io import RawIOBase
from typing import Any, Protocol
from uuid import UUID

import pyarrow as pa
from pyarrow import compute as pc
from pyarrow import csv, parquet

from serving.cells import FORMULA
from serving.exports import Column, Kind, Row

DECIMAL_DIGITS, DECIMAL_SCALE = 38, 12
"""Of decimals in Parquet: enough for any register times its multiplier."""
GROUP_BYTES = 16 * 1024 * 1024
"""Of a row group in Parquet, before compression: the file's end lists every group, so there must be
few."""

_TYPES: dict[Kind, pa.DataType] = {
    "text": pa.string(),
    "id": pa.string(),
    "instant": pa.timestamp("us", tz="UTC"),
    "day": pa.date32(),
    "decimal": pa.string(),  # with the decimals that it came with
    "whole": pa.int64(),
    "truth": pa.bool_(),
}


class File(Protocol):
    """A file under construction."""

    def write(self, batch: pa.RecordBatch) -> None:
        """Add rows."""

    def close(self) -> None:
        """Write what comes last; once."""


def of_rows(columns: Sequence[Column], rows: Sequence[Row]) -> pa.RecordBatch:
    """Rows made in Python."""
    cells = zip(*rows, strict=True) if rows else [()] * len(columns)
    arrays = [
        pa.array([_told(cell) for cell in each], _TYPES[column.kind])
        for column, each in zip(columns, cells, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, names=[column.name for column in columns])


def _told(cell: object) -> object:
    match cell:
        case Decimal():
            return f"{cell:f}"
        case UUID():
            return str(cell)
        case _:
            return cell


def of_csv(columns: Sequence[Column], lines: bytes) -> pa.RecordBatch:
    """Rows as PostgreSQL's COPY writes them as CSV, without headings, in its zone UTC."""
    types = {column.name: _TYPES[column.kind] for column in columns}
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
    return [_text(batch.column(n), column.kind) for n, column in enumerate(columns)]


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


class CsvFile:
    """RFC 4180, in UTF-8."""

    def __init__(self, out: RawIOBase, columns: Sequence[Column]) -> None:
        self._out, self._columns = out, columns
        out.write(",".join(column.name for column in columns).encode() + b"\r\n")

    def write(self, batch: pa.RecordBatch) -> None:
        """Add rows."""
        texts = texts_of(batch, self._columns)
        cells = [
            _quoted(_harmless(each)) if column.kind == "text" else each
            for column, each in zip(self._columns, texts, strict=True)
        ]
        self._out.write(encoded(concatenated([concatenated(cells, ","), ""], "\r\n"), ""))

    def close(self) -> None:
        """Nothing comes last."""


def _harmless(texts: pa.StringArray) -> pa.StringArray:
    """Texts that no spreadsheet takes for a formula; a number may begin with a minus."""
    return pc.replace_substring_regex(texts, pattern=FORMULA, replacement=r"'\0")


def _quoted(texts: pa.StringArray) -> pa.StringArray:
    quoted = concatenated(['"', pc.replace_substring(texts, '"', '""'), '"'], "")
    return pc.if_else(pc.match_substring_regex(texts, r'[",\r\n]'), quoted, texts)


class ParquetFile:
    """Apache Parquet, compressed; decimals are decimals."""

    def __init__(self, out: RawIOBase, columns: Sequence[Column]) -> None:
        types = [
            pa.decimal128(DECIMAL_DIGITS, DECIMAL_SCALE) if column.kind == "decimal" else kind
            for column in columns
            for kind in [_TYPES[column.kind]]
        ]
        names = [column.name for column in columns]
        self._schema = pa.schema(list(zip(names, types, strict=True)))
        self._writer = parquet.ParquetWriter(out, self._schema, compression="zstd")
        self._waiting: list[pa.RecordBatch] = []
        self._bytes = 0

    def write(self, batch: pa.RecordBatch) -> None:
        """Add rows; a group is written when it is full."""
        self._waiting.append(batch)
        self._bytes += batch.nbytes
        if self._bytes >= GROUP_BYTES:
            self._write_group()

    def close(self) -> None:
        """Write the last group, and the list of all."""
        if self._waiting:
            self._write_group()
        self._writer.close()

    def _write_group(self) -> None:
        table: Any = pa.Table.from_batches(self._waiting).cast(self._schema)
        self._writer.write_table(table, row_group_size=len(table))
        self._waiting, self._bytes = [], 0
