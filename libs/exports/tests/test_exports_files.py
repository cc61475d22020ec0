"""Tables as files: the same rows in each format, exactly, and however many there are."""

import csv
import io
import zipfile
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID
from xml.etree import ElementTree as ET

import openpyxl
import pytest
from pyarrow import parquet

from gridtally.exports import excel_file as excel
from gridtally.exports.arrow import of_csv
from gridtally.exports.columns import FORMATS, Column
from gridtally.exports.export import file_chunks
from gridtally.exports.growing_file import GrowingFile, Scratch
from gridtally.kernel.errors import Transient

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


def filling(rows, size=2):
    async def fill(file):
        for start in range(0, len(rows), size):
            await file.take_rows(rows[start : start + size])

    return fill


async def exported(format_, rows=ROWS, columns=COLUMNS):
    return await read_all(format_, columns, filling(rows))


async def read_all(format_, columns, fill):
    return b"".join([chunk async for chunk in file_chunks(Scratch(10**9), format_, columns, fill)])


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


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r"])
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
    assert table.column("id").to_pylist() == [str(UUID(int=1)), str(UUID(int=2)), None]
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
        ["=1+1", str(UUID(int=2)), "2025-04-01T06:00:00Z", "2025-04-01", "1000", "-1", "0"],
        [],
    ]  # fmt: skip


async def test_another_program_reads_an_excel_file():
    """openpyxl, which shares no code with us: the same cells, with their types."""
    book = openpyxl.load_workbook(io.BytesIO(await exported("xlsx")), read_only=True)
    [sheet] = book.worksheets
    heading, first, second, *_ = sheet.iter_rows(values_only=True)
    assert list(heading) == [column.name for column in COLUMNS]
    assert first[:2] == ("Öl & <Gas>", str(UUID(int=1)))
    assert second[0] == "=1+1"  # a text, not a formula
    assert [Decimal(str(row[4])) for row in (first, second)] == [Decimal("-3888.9"), Decimal(1000)]
    assert (first[5], first[6]) == (3, True)


async def test_an_excel_file_has_the_parts_that_it_names():
    book = zipfile.ZipFile(io.BytesIO(await exported("xlsx")))
    parts = {name: ET.fromstring(book.read(name)) for name in book.namelist()}  # noqa: S314 - ours
    named = {f"xl/{relation.get('Target')}" for relation in parts["xl/_rels/workbook.xml.rels"]}
    named |= {relation.get("Target") for relation in parts["_rels/.rels"]}
    typed = {override.get("PartName") for override in parts["[Content_Types].xml"]} - {None}
    assert named == {name.lstrip("/") for name in typed}
    assert named == {name for name in parts if name.startswith("xl/") and "_rels" not in name}
    assert all(len(fill) == 1 for fill in parts["xl/styles.xml"].find(f"{SHEET}fills"))


async def test_a_number_too_long_for_excel_stays_exact():
    long = Decimal("1234567890123456.789")
    [[_, [cell]]] = sheets(await exported("xlsx", [(long,)], [Column("kwh", "decimal")]))
    assert cell == str(long)


async def test_more_rows_than_a_sheet_holds_continue_in_the_next(monkeypatch):
    monkeypatch.setattr(excel, "SHEET_ROWS_MAX", 3)
    rows = [(n,) for n in range(7)]
    written = list(sheets(await exported("xlsx", rows, [Column("n", "whole")])))
    assert [[cell for [cell] in sheet] for sheet in written] == [
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


FROM_COPY = b"""1-1,2025-04-01 06:00:00+00,2025-04-01,-3888.90,3,t,"a ""b""
c"
,2025-04-01 06:00:00.5+00,,,,f,""
"""


async def test_rows_as_postgresql_copies_them():
    columns = [
        Column("id", "id"), Column("at", "instant"), Column("on", "day"), Column("kwh", "decimal"),
        Column("count", "whole"), Column("ok", "truth"), Column("name"),
    ]  # fmt: skip

    async def fill(file):
        for _ in range(3):
            await file.take_csv(FROM_COPY)

    body = await read_all("csv", columns, fill)
    [_, *rows] = csv.reader(io.StringIO(body.decode(), newline=""))
    assert rows == 3 * [
        ["1-1", "2025-04-01T06:00:00Z", "2025-04-01", "-3888.90", "3", "true", 'a "b"\nc'],
        ["", "2025-04-01T06:00:00.500000Z", "", "", "", "false", ""],
    ]
    read = of_csv(columns, FROM_COPY).to_pydict()
    assert (read["id"][1], read["name"][1]) == (None, "")


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("a\x00b\x1f\ufffe", "a_x0000_b_x001F__xFFFE_"),
        ("a\r\n\tb", "a_x000D_\n\tb"),
        ("_x0041_", "_x005F_x0041_"),
        ("  <&>]]> ", "  <&>]]> "),
        ("ü" * 40_000, "ü" * excel.CELL_CHARS_MAX),
    ],
)
async def test_texts_that_xml_and_excel_cannot_hold_as_they_are(text, stored):
    [[_, [cell]]] = sheets(await exported("xlsx", [(text,)], [Column("note")]))
    assert cell == stored


def test_a_file_returns_its_space_when_it_is_closed():
    scratch = Scratch(10)
    file, other = GrowingFile(scratch), GrowingFile(scratch)
    assert file.write(b"12345678") == 8
    with pytest.raises(Transient, match="fill the disk"):
        other.write(b"123")
    assert (file.read_from(2), file.read_from(8), file.tell()) == (b"345678", b"", 8)
    file.close()
    file.close()
    assert (file.read_from(0), other.write(b"1234567890")) == (b"", 10)
    other.close()


def test_what_nobody_waits_for_takes_no_space():
    file = GrowingFile(Scratch(1))
    file.discards = True
    assert (file.write(b"1234"), file.tell(), file.read_from(0)) == (4, 4, b"")
    file.close()
