"""Tables as files: the same rows in each format, exactly, and however many there are."""

import asyncio
import csv
import io
import zipfile
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID
from xml.etree import ElementTree as ET

import pytest
from pyarrow import parquet

from kernel.errors import Transient
from serving import sheets as excel
from serving.columnar import of_csv
from serving.exports import EXPORTS_MAX, EXPORTS_OF_TENANT_MAX, FORMATS, Column, Exporter
from serving.problems import Refusal

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


SCRATCH_BYTES_MAX = 100_000


async def export(format_, columns, fill, *, exporter=None, tenant="north"):
    exporter = exporter or Exporter(10**9)
    return await exporter.export(tenant, "table", format_, columns, fill)


def filling(rows, size=2):
    async def fill(file):
        for start in range(0, len(rows), size):
            await file.take_rows(rows[start : start + size])

    return fill


async def exported(format_, rows=ROWS, columns=COLUMNS):
    answer = await export(format_, columns, filling(rows))
    assert answer.headers["content-disposition"] == f'attachment; filename="table.{format_}"'
    return await read_all(answer)


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


async def test_an_excel_file_has_the_parts_that_it_names():
    book = zipfile.ZipFile(io.BytesIO(await exported("xlsx")))
    parts = {name: ET.fromstring(book.read(name)) for name in book.namelist()}  # noqa: S314 - ours
    named = {f"xl/{one.get('Target')}" for one in parts["xl/_rels/workbook.xml.rels"]}
    named |= {one.get("Target") for one in parts["_rels/.rels"]}
    typed = {one.get("PartName") for one in parts["[Content_Types].xml"]} - {None}
    assert named == {name.lstrip("/") for name in typed}
    assert named == {name for name in parts if name.startswith("xl/") and "_rels" not in name}
    assert all(len(fill) == 1 for fill in parts["xl/styles.xml"].find(f"{SHEET}fills"))


async def test_a_number_too_long_for_excel_stays_exact():
    long = Decimal("1234567890123456.789")
    [[_, [cell]]] = sheets(await exported("xlsx", [(long,)], [Column("kwh", "decimal")]))
    assert cell == str(long)


async def test_more_rows_than_a_sheet_holds_go_on_in_the_next(monkeypatch):
    monkeypatch.setattr(excel, "SHEET_ROWS_MAX", 3)
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

    body = await read_all(await export("csv", columns, fill))
    [_, *rows] = csv.reader(io.StringIO(body.decode(), newline=""))
    assert rows == 3 * [
        ["1-1", "2025-04-01T06:00:00Z", "2025-04-01", "-3888.90", "3", "true", 'a "b"\nc'],
        ["", "2025-04-01T06:00:00.500000Z", "", "", "", "false", ""],
    ]
    found = of_csv(columns, FROM_COPY).to_pydict()
    assert (found["id"][1], found["name"][1]) == (None, "")


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


@pytest.mark.parametrize("format_", FORMATS)
async def test_what_goes_wrong_before_the_first_row_is_raised_at_once(format_):
    async def fill(_):
        raise LookupError("nothing there")

    with pytest.raises(LookupError):
        await export(format_, COLUMNS, fill)


@pytest.mark.parametrize("format_", FORMATS)
async def test_what_goes_wrong_later_breaks_the_file_off(format_):
    async def fill(file):
        await file.take_rows(ROWS)
        raise LookupError("gone")

    with pytest.raises(LookupError):
        await read_all(await export(format_, COLUMNS, fill))


@pytest.mark.parametrize("format_", FORMATS)
async def test_nothing_waits_for_a_slow_client_and_one_that_goes_away_ends_the_filling(format_):
    ahead, ended = asyncio.Event(), asyncio.Event()

    async def fill(file):
        try:
            for _ in range(5):
                await file.take_rows(ROWS)
            ahead.set()
            await asyncio.Event().wait()
        finally:
            ended.set()

    answer = await export(format_, COLUMNS, fill)
    await ahead.wait()  # though nobody has read anything
    await gone_away(answer)
    await ended.wait()


async def test_a_tenant_and_all_together_have_so_many_exports_under_way_and_no_more():
    exporter = Exporter(10**9)

    async def begun(tenant):
        return await export("csv", COLUMNS, filling(ROWS), exporter=exporter, tenant=tenant)

    async def refused(tenant):
        with pytest.raises(Refusal) as refusal:
            await begun(tenant)
        return refusal.value.status_code, refusal.value.code

    under_way = []
    for n in range(EXPORTS_MAX // EXPORTS_OF_TENANT_MAX):
        under_way += [await begun(f"tenant-{n}") for _ in range(EXPORTS_OF_TENANT_MAX)]
        assert await refused(f"tenant-{n}") == (503, "too_many_exports")
    assert await refused("late") == (503, "too_many_exports")
    await gone_away(under_way.pop())
    await read_all(under_way.pop())
    under_way += [await begun("late"), await begun("late")]
    assert await refused("late") == (503, "too_many_exports")
    for answer in under_way:
        await gone_away(answer)


@pytest.mark.parametrize("format_", FORMATS)
async def test_what_fails_leaves_its_place(format_):
    async def fill(_):
        raise LookupError("nothing there")

    exporter = Exporter(10**9)
    for _ in range(EXPORTS_MAX + 1):
        with pytest.raises(LookupError):
            await export(format_, COLUMNS, fill, exporter=exporter)


async def test_exports_fill_the_disk_that_they_may_and_no_more():
    exporter = Exporter(SCRATCH_BYTES_MAX)
    row = ("x" * (SCRATCH_BYTES_MAX // 2),)

    async def begun(rows):
        columns = [Column("name")]
        return await export("csv", columns, filling([row] * rows, 1), exporter=exporter)

    held = await begun(1)
    with pytest.raises(Transient):  # before its first row is whole, or when it is sent
        await read_all(await begun(1))
    await read_all(held)
    with pytest.raises(Transient):
        await read_all(await begun(2))
    await read_all(await begun(1))  # what failed has given back what it held


async def read_all(answer):
    return b"".join([chunk async for chunk in answer.body_iterator])


async def gone_away(answer):
    """Serve an answer to a client that hangs up as soon as there is something."""
    something = asyncio.Event()

    async def receive():
        await something.wait()
        return {"type": "http.disconnect"}

    async def send(message):
        if message.get("body"):
            something.set()

    await answer({"type": "http"}, receive, send)
