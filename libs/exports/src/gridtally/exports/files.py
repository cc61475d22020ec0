"""The formats by their names: each a file that takes rows, or lines of CSV, through Arrow."""

from collections.abc import Sequence
from io import RawIOBase

from gridtally.exports.arrow import BatchFile, of_csv, of_rows
from gridtally.exports.columns import Column, Format, Row
from gridtally.exports.csv_file import CsvFile
from gridtally.exports.excel_file import ExcelFile
from gridtally.exports.parquet_file import ParquetFile


class ArrowFile:
    """A file under construction, of any of the formats."""

    def __init__(self, file: BatchFile, columns: Sequence[Column]) -> None:
        self._file = file
        self._columns = columns

    def write_rows(self, rows: Sequence[Row]) -> None:
        """Add rows that were made in Python."""
        self._file.write(of_rows(self._columns, rows))

    def write_csv(self, lines: bytes) -> None:
        """Add whole lines of CSV as PostgreSQL's COPY writes them."""
        self._file.write(of_csv(self._columns, lines))

    def close(self) -> None:
        """Write what comes last; once."""
        self._file.close()


def open_file(format_: Format, out: RawIOBase, columns: Sequence[Column]) -> ArrowFile:
    """A file of the format that writes to `out` front to back; its headings are written at once."""
    match format_:
        case "csv":
            return ArrowFile(CsvFile(out, columns), columns)
        case "parquet":
            return ArrowFile(ParquetFile(out, columns), columns)
        case "xlsx":
            return ArrowFile(ExcelFile(out, columns), columns)
