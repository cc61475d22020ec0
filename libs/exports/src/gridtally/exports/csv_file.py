"""CSV (RFC 4180), in UTF-8; no cell of it is a formula to a spreadsheet."""

from collections.abc import Sequence
from io import RawIOBase

import pyarrow as pa
from pyarrow import compute as pc

from gridtally.exports.arrow import concatenated, encoded, texts_of
from gridtally.exports.columns import Column
from gridtally.exports.csv_safety import FORMULA


class CsvFile:
    """A file of comma-separated values under construction; its first line is the headings."""

    def __init__(self, out: RawIOBase, columns: Sequence[Column]) -> None:
        self._out, self._columns = out, columns
        out.write(",".join(column.name for column in columns).encode() + b"\r\n")

    def write(self, batch: pa.RecordBatch) -> None:
        """Add rows."""
        cells = [
            _quoted(_harmless(texts)) if column.kind == "text" else texts
            for column, texts in zip(self._columns, texts_of(batch, self._columns), strict=True)
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
