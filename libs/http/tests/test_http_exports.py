"""Tables as answers: what fails, who waits for whom, and how many at once."""

import asyncio

import pytest

from gridtally.exports.columns import FORMATS, Column
from gridtally.http.exports import EXPORTS_MAX, EXPORTS_OF_TENANT_MAX, Exporter
from gridtally.http.problems import HttpRefusal
from gridtally.kernel.errors import Transient

COLUMNS = [Column("name"), Column("count", "whole")]
ROWS = [("a", 1), ("b", None)]
SCRATCH_BYTES_MAX = 100_000


async def export(format_, columns, fill, *, exporter=None, tenant="north"):
    exporter = exporter or Exporter(10**9)
    return await exporter.export(tenant, "table", format_, columns, fill)


def filling(rows, size=2):
    async def fill(file):
        for start in range(0, len(rows), size):
            await file.take_rows(rows[start : start + size])

    return fill


async def test_an_export_is_a_file_to_be_saved():
    answer = await export("csv", COLUMNS, filling(ROWS))
    assert answer.headers["content-disposition"] == 'attachment; filename="table.csv"'
    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert await read_all(answer) == b"name,count\r\na,1\r\nb,\r\n"


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
        with pytest.raises(HttpRefusal) as refusal:
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
