"""Tables as files: CSV, Parquet and Excel, written as the rows come and sent as they are written.

Owns the three formats and what a spreadsheet must not take for a formula. Whoever exports says the
columns and hands over batches of rows; however many there are, one batch is in memory. Refuses
floats: decimals stay decimals, in Parquet too.
"""

import asyncio
import csv
import io
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, get_args
from uuid import UUID

from fastapi.responses import StreamingResponse

Format = Literal["csv", "parquet", "xlsx"]
FORMATS: tuple[Format, ...] = get_args(Format)
Kind = Literal["text", "id", "instant", "day", "decimal", "whole", "truth"]
Row = Sequence[object]
Batches = AsyncIterator[Sequence[Row]]

MEDIA_TYPES: dict[Format, str] = {
    "csv": "text/csv; charset=utf-8; header=present",
    "parquet": "application/vnd.apache.parquet",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
FORMULA_BEGINS = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet takes a cell that begins so for a formula (OWASP, "CSV Injection")."""
DECIMAL_DIGITS, DECIMAL_SCALE = 38, 12
"""Of decimals in Parquet: enough for any register times its multiplier."""
EXCEL_DIGITS_MAX = 15
"""Excel counts in binary floating point: a longer number is written as text, so it stays exact."""
SHEET_ROWS_MAX = 1_000_000
"""A sheet of Excel has 1 048 576 rows; what is more goes on in the next sheet."""
CELL_CHARS_MAX = 32_767
CHUNK_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Column:
    """A column's heading and what its cells are."""

    name: str
    kind: Kind = "text"


def export(
    name: str, format_: Format, columns: Sequence[Column], batches: Batches
) -> StreamingResponse:
    """The answer that sends a table as a file called `name`."""
    writers = {"csv": _csv, "parquet": _parquet, "xlsx": _xlsx}
    return StreamingResponse(
        writers[format_](columns, batches),
        media_type=MEDIA_TYPES[format_],
        headers={"Content-Disposition": f'attachment; filename="{name}.{format_}"'},
    )


def _plain(value: object) -> object:
    """A cell as text, as people write it; numbers without exponents, instants in UTC."""
    match value:
        case Decimal():
            return format(value, "f")
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case bool():
            return str(value).lower()
        case _:
            return value


def _harmless(value: object) -> object:
    """A text that no spreadsheet takes for a formula; a number may begin with a minus."""
    if isinstance(value, str) and value.startswith(FORMULA_BEGINS):
        return f"'{value}"
    return _plain(value)


async def _csv(columns: Sequence[Column], batches: Batches) -> AsyncIterator[bytes]:
    """RFC 4180, in UTF-8."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([column.name for column in columns])
    async for batch in batches:
        writer.writerows([_harmless(cell) for cell in row] for row in batch)
        yield text.getvalue().encode()
        text.seek(0)
        text.truncate()
    yield text.getvalue().encode()


class _Outlet(io.RawIOBase):
    """A file that keeps what is written only until it is taken."""

    def __init__(self) -> None:
        self._waiting: list[bytes] = []
        self._written = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        taken = bytes(data)
        self._waiting.append(taken)
        self._written += len(taken)
        return len(taken)

    def tell(self) -> int:
        return self._written

    def take(self) -> bytes:
        """What was written since the last time."""
        taken, self._waiting = b"".join(self._waiting), []
        return taken


async def _parquet(columns: Sequence[Column], batches: Batches) -> AsyncIterator[bytes]:
    """One row group per batch."""
    import pyarrow as pa
    from pyarrow import parquet

    types: dict[Kind, Any] = {
        "text": pa.string(),
        "id": pa.string(),
        "instant": pa.timestamp("us", tz="UTC"),
        "day": pa.date32(),
        "decimal": pa.decimal128(DECIMAL_DIGITS, DECIMAL_SCALE),
        "whole": pa.int64(),
        "truth": pa.bool_(),
    }
    schema = pa.schema([(column.name, types[column.kind]) for column in columns])
    outlet = _Outlet()

    def write(batch: Sequence[Row]) -> None:
        cells = list(zip(*batch, strict=True))
        arrays = [
            pa.array([str(v) if isinstance(v, UUID) else v for v in cell], types[column.kind])
            for column, cell in zip(columns, cells, strict=True)
        ]
        writer.write_table(pa.Table.from_arrays(arrays, schema=schema))

    writer = parquet.ParquetWriter(outlet, schema, compression="zstd")
    try:
        async for batch in batches:
            if batch:
                await asyncio.to_thread(write, batch)
                yield outlet.take()
    finally:
        writer.close()
    yield outlet.take()


async def _xlsx(columns: Sequence[Column], batches: Batches) -> AsyncIterator[bytes]:
    """Written to a file on disk row by row, since a ZIP's directory comes last; then sent."""
    with tempfile.TemporaryDirectory(prefix="gridtally-export-") as folder:
        path = Path(folder) / "export.xlsx"
        book = _Book(path, columns)
        try:
            async for batch in batches:
                await asyncio.to_thread(book.write, batch)
        finally:
            await asyncio.to_thread(book.close)
        with path.open("rb") as file:
            while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
                yield chunk


class _Book:
    """An Excel file under construction, with as many sheets as its rows need."""

    def __init__(self, path: Path, columns: Sequence[Column]) -> None:
        import xlsxwriter

        options = {"constant_memory": True, "tmpdir": str(path.parent), "default_date_format": ""}
        self._book = xlsxwriter.Workbook(str(path), options)
        self._columns = columns
        self._bold = self._book.add_format({"bold": True})
        self._rows = 0
        self._begin()

    def _begin(self) -> None:
        self._sheet = self._book.add_worksheet()
        self._rows = 1
        for n, column in enumerate(self._columns):
            self._sheet.write_string(0, n, column.name, self._bold)

    def write(self, batch: Sequence[Row]) -> None:
        """Add rows; instants and days as ISO 8601 texts, since Excel knows no zones."""
        for row in batch:
            if self._rows > SHEET_ROWS_MAX:
                self._begin()
            for n, cell in enumerate(row):
                self._write_cell(n, cell)
            self._rows += 1

    def _write_cell(self, n: int, cell: object) -> None:
        match cell:
            case None:
                return
            case bool():
                self._sheet.write_boolean(self._rows, n, cell)
            case int() | Decimal() if len(Decimal(cell).as_tuple().digits) <= EXCEL_DIGITS_MAX:
                self._sheet.write_number(self._rows, n, cell)
            case datetime() | Decimal():
                self._sheet.write_string(self._rows, n, str(_plain(cell)))
            case date():
                self._sheet.write_string(self._rows, n, cell.isoformat())
            case _:
                self._sheet.write_string(self._rows, n, str(cell)[:CELL_CHARS_MAX])

    def close(self) -> None:
        """Finish the file."""
        self._book.close()
