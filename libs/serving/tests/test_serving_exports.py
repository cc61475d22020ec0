"""Tables as files: the same rows in each format, exactly, and however many there are."""

import csv
import io
import zipfile
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID
from xml.etree import ElementTree as ET

import pytest
from pyarrow import parquet

from serving import exports
from serving.exports import FORMATS, Column, export

COLUMNS = [
    Column("name"), Column("id", "id"), Column("at", "instant"), Column("on", "day"),
    Column("kwh", "decimal"), Column("count", "whole"), Column("ok", "truth"),
]  # fmt: skip
AT = datetime(2025, 4, 1, 8, tzinfo=timezone(timedelta(hours=2)))
ROWS = [
    ("Öl & <Gas>", UUID(int=1), AT, date(2025, 4, 1), Decimal("-3888.90"), 3, True),
    ("=1+1", UUID(int=2), AT, date(2025, 4, 1), Decimal("1E+3"), -1, False),
    (None, None, None, None, None, None, None),
]
SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


async def batches_of(rows, size=2):
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


async def exported(format_, rows=ROWS, columns=COLUMNS):
    answer = export("table", format_, columns, batches_of(rows))
    assert answer.headers["content-disposition"] == f'attachment; filename="table.{format_}"'
    return b"".join([chunk async for chunk in answer.body_iterator])


def sheets(body):
    """The cells of each sheet of an Excel file, as text; formulas would show as such."""
    book = zipfile.ZipFile(io.BytesIO(body))
    names = sorted(name for name in book.namelist() if "worksheets/sheet" in name)
    for name in names:
        sheet = ET.fromstring(book.read(name))  # noqa: S314 - our own file
        assert not list(sheet.iter(f"{SHEET}f")), "a formula"
        yield [
            ["".join(cell.itertext()) for cell in row.iter(f"{SHEET}c")]
            for row in sheet.iter(f"{SHEET}row")
        ]


async def test_csv():
    rows = list(csv.reader(io.StringIO((await exported("csv")).decode(), newline="")))
    assert rows == [
        [column.name for column in COLUMNS],
        ["Öl & <Gas>", str(UUID(int=1)), "2025-04-01T06:00:00Z", "2025-04-01", "-3888.90", "3",
         "true"],
        ["'=1+1", str(UUID(int=2)), "2025-04-01T06:00:00Z", "2025-04-01", "1000", "-1", "false"],
        [""] * 7,
    ]  # fmt: skip


@pytest.mark.parametrize("begin", exports.FORMULA_BEGINS)
async def test_no_text_is_taken_for_a_formula(begin):
    text = f"{begin}cmd|' /C calc'!A0"
    body = await exported("csv", [(text,)], [Column("name")])
    [_, [cell]] = csv.reader(io.StringIO(body.decode(), newline=""))
    assert cell == f"'{text}"


async def test_parquet():
    table = parquet.read_table(io.BytesIO(await exported("parquet")))
    assert table.column("kwh").to_pylist() == [Decimal("-3888.90"), Decimal(1000), None]
    assert table.column("at").to_pylist()[0] == AT.astimezone(UTC)
    assert table.column("name").to_pylist() == ["Öl & <Gas>", "=1+1", None]
    assert [str(kind) for kind in table.schema.types] == [
        "string", "string", "timestamp[us, tz=UTC]", "date32[day]", "decimal128(38, 12)", "int64",
        "bool",
    ]  # fmt: skip


async def test_excel():
    [rows] = sheets(await exported("xlsx"))
    assert rows == [
        [column.name for column in COLUMNS],
        ["Öl & <Gas>", str(UUID(int=1)), "2025-04-01T06:00:00Z", "2025-04-01", "-3888.90", "3",
         "1"],
        ["=1+1", str(UUID(int=2)), "2025-04-01T06:00:00Z", "2025-04-01", "1E+3", "-1", "0"],
    ]  # fmt: skip


async def test_a_number_too_long_for_excel_stays_exact():
    long = Decimal("1234567890123456.789")
    [[_, [cell]]] = sheets(await exported("xlsx", [(long,)], [Column("kwh", "decimal")]))
    assert cell == str(long)


async def test_more_rows_than_a_sheet_holds_go_on_in_the_next(monkeypatch):
    monkeypatch.setattr(exports, "SHEET_ROWS_MAX", 3)
    rows = [(n,) for n in range(7)]
    found = list(sheets(await exported("xlsx", rows, [Column("n", "whole")])))
    assert [[cell for [cell] in sheet] for sheet in found] == [
        ["n", "0", "1", "2"], ["n", "3", "4", "5"], ["n", "6"],
    ]  # fmt: skip


@pytest.mark.parametrize("format_", FORMATS)
async def test_a_table_without_rows_has_its_headings(format_):
    body = await exported(format_, [])
    if format_ == "csv":
        assert body == b"name,id,at,on,kwh,count,ok\r\n"
    elif format_ == "parquet":
        assert parquet.read_table(io.BytesIO(body)).num_rows == 0
    else:
        assert list(sheets(body)) == [[[column.name for column in COLUMNS]]]


@pytest.mark.parametrize("format_", ["csv", "parquet"])
async def test_what_is_written_is_sent_before_the_next_batch_is_asked_for(format_):
    asked = []

    async def batches():
        for n in range(3):
            asked.append(n)
            yield [(f"row {n}",)] * 10

    answer = export("table", format_, [Column("name")], batches())
    sent = [(len(asked), len(chunk)) async for chunk in answer.body_iterator if chunk]
    assert [count for count, _ in sent][:3] == [1, 2, 3]
