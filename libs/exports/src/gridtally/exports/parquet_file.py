"""Apache Parquet, compressed; decimals are decimals."""

from collections.abc import Sequence
from io import RawIOBase
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from gridtally.exports.arrow import TYPES
from gridtally.exports.columns import Column

DECIMAL_DIGITS, DECIMAL_SCALE = 38, 12
"""Of decimals: enough for any register times its multiplier."""
GROUP_BYTES = 16 * 1024 * 1024
"""Of a row group, before compression: the file's end lists every group, so there must be few."""


class ParquetFile:
    """A Parquet file under construction."""

    def __init__(self, out: RawIOBase, columns: Sequence[Column]) -> None:
        decimal = pa.decimal128(DECIMAL_DIGITS, DECIMAL_SCALE)
        self._schema = pa.schema(
            [
                (column.name, decimal if column.kind == "decimal" else TYPES[column.kind])
                for column in columns
            ]
        )
        self._writer = parquet.ParquetWriter(out, self._schema, compression="zstd")
        self._group: list[pa.RecordBatch] = []
        self._group_bytes = 0

    def write(self, batch: pa.RecordBatch) -> None:
        """Add rows; a group is written when it is full."""
        self._group.append(batch)
        self._group_bytes += batch.nbytes
        if self._group_bytes >= GROUP_BYTES:
            self._write_group()

    def close(self) -> None:
        """Write the last group, and the list of all."""
        if self._group:
            self._write_group()
        self._writer.close()

    def _write_group(self) -> None:
        table: Any = pa.Table.from_batches(self._group).cast(self._schema)
        self._writer.write_table(table, row_group_size=len(table))
        self._group, self._group_bytes = [], 0
