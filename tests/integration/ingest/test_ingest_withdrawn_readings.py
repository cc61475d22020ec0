"""Register readings that are withdrawn: their intervals are void, and periods follow."""

import asyncio
import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest

from gridtally.ingest.domain.local_days import OLDEST_AT
from gridtally.metering.intervals import MISSING, spread_evenly
from gridtally.metering.readings import RegisterReading, counted_energy, exceptions, microseconds

HOURLY = ({"flow": "import", "minutes": 60, "interval_wh_max": 100_000},)
LIMIT_S = 300
MARCH = (date(2025, 3, 1), date(2025, 4, 1))
MARCH_1 = datetime(2025, 2, 28, 23, tzinfo=UTC)
"""Midnight in Berlin."""
APRIL_1 = datetime(2025, 3, 31, 22, tzinfo=UTC)
HOURS = 743
"""Of March: the clocks go forward in it."""
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
ALL_VALUES = "SELECT day, values, quality, present FROM channel_day ORDER BY day"
EXCEPTIONS = (
    "SELECT start_at, end_at, reason, start_value, end_value FROM register_exception "
    "ORDER BY start_at"
)


async def values_of(ingest):
    """All values there are, from the first day on."""
    return [value for row in await ingest.rows(ALL_VALUES) for value in row["values"]]


async def get(clients, path, **query):
    client = await clients()
    answer = await client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def reconciled(clients):
    return (await get(clients, "/v1/reconciliation"))["holds"]


@pytest.fixture
async def month(ingest, reader):
    """A meter that was read on 1 March and on 1 April; the readings' ids."""
    await ingest.register(reader.meter_id, channels=HOURLY)
    ids = [await reader(MARCH_1, "0"), await reader(APRIL_1, "743")]
    await ingest.convert()
    return ids


@pytest.fixture
def withdraw(ingest, reader):
    """Withdraws a reading and converts what follows from it."""

    async def deliver(read_at, reading_id):
        await reader(read_at, "0", reading_id=reading_id, kind="withdrawn")
        await ingest.convert()

    return deliver


async def test_the_last_reading_withdrawn_voids_what_it_made(
    ingest, reader, month, withdraw, clients
):
    """Completeness and series show it, what was known stays known, the month closes again."""
    await ingest.agree(reader.meter_id, *MARCH)
    [first] = await ingest.close()
    before = ingest.now
    await withdraw(APRIL_1, month[1])
    assert await values_of(ingest) == [None] * HOURS
    assert {row["quality"].strip("-") for row in await ingest.rows(ALL_VALUES)} == {""}

    window = {"flow": "import", "from": "2025-03-01", "to": "2025-04-01"}
    path = f"/v1/meters/{reader.meter_id}/series"
    assert set((await get(clients, path, **window))["values_wh"]) == {None}
    known = await get(clients, path, as_known_at=before.isoformat(), **window)
    assert known["values_wh"] == [1_000] * HOURS
    path = f"/v1/meters/{reader.meter_id}/completeness"
    days = (await get(clients, path, **{"from": "2025-03-01", "to": "2025-04-01"}))["days"]
    assert {(day["present"], day["estimated"], day["version"]) for day in days} == {(0, 0, 2)}
    assert await reconciled(clients)

    ingest.later(seconds=3)
    [_, second] = await ingest.close()
    assert (second["revision"], second["closed_by"]) == (2, "complete")
    assert (second["present_intervals"], second["expected_intervals"]) == (0, HOURS)
    assert set(second["series"][0]["values"]) == {None}

    await reader(APRIL_1, "1486")
    await ingest.convert()
    ingest.later(seconds=3)
    third = (await ingest.close())[-1]
    assert (third["revision"], third["closed_by"]) == (3, "complete")
    assert third["series"][0]["values"] == [2_000] * HOURS
    assert first["digest"] != third["digest"]
    assert await reconciled(clients)


async def test_a_void_month_is_billed_with_what_is_there_once_its_grace_has_ended(
    ingest, reader, withdraw
):
    ingest.now = APRIL_1 + HOUR
    await ingest.register(reader.meter_id, channels=HOURLY)
    await reader(MARCH_1, "0")
    last = await reader(APRIL_1, "743")
    await ingest.convert()
    await ingest.agree(reader.meter_id, *MARCH, closing="bill_present", grace_hours=48)
    await ingest.close()
    await withdraw(APRIL_1, last)
    ingest.later(seconds=3)
    assert [event["closed_by"] for event in await ingest.close()] == ["complete"] * 2
    ingest.now = APRIL_1 + 2 * DAY - HOUR
    assert len(await ingest.close()) == 2
    ingest.later(hours=1)
    closed = (await ingest.close())[-1]
    assert (closed["revision"], closed["closed_by"]) == (3, "grace")
    assert closed["present_intervals"] == 0
    ingest.later(days=1)
    assert len(await ingest.close()) == 3, "and once only"


async def test_a_void_month_can_be_closed_by_hand(ingest, reader, month, withdraw, clients):
    agreement_id = await ingest.agree(reader.meter_id, *MARCH)
    await ingest.close()
    client = await clients()
    close = f"/v1/agreements/{agreement_id}/periods/2025-03-01/close"
    assert (await client.post(close)).status_code == 409
    await withdraw(APRIL_1, month[1])
    ingest.later(seconds=3)
    await ingest.close()
    assert (await client.post(close)).json()["closed_by"] == "forced"
    assert (await client.post(close)).status_code == 409
    closed_by = [event["closed_by"] for event in await ingest.close()]
    assert closed_by == ["complete", "complete", "forced"]


async def test_what_a_gateway_sent_wins_again(ingest, reader, month, withdraw, clients):
    """Measured values stay, and estimates that came before the reading come back."""
    sent = [ingest.block(reader.meter_id, MARCH_1, [7, 7], minutes=60),
            ingest.block(reader.meter_id, MARCH_1 + 2 * HOUR, [8, 8], minutes=60,
                         quality="estimated", read_at=MARCH_1)]  # fmt: skip
    await ingest.deliver(*sent)
    assert (await values_of(ingest))[:5] == [7, 7, 1_000, 1_000, 1_000]
    await withdraw(APRIL_1, month[1])
    assert (await values_of(ingest))[:5] == [7, 7, 8, 8, None]
    [row, *_] = await ingest.rows(ALL_VALUES)
    assert (row["quality"][:5], row["present"]) == ("AAEE-", 4)
    assert await reconciled(clients)
    await ingest.deliver(*sent)
    assert (await values_of(ingest))[:5] == [7, 7, 8, 8, None]


async def test_the_first_reading_withdrawn(ingest, reader, withdraw):
    await ingest.register(reader.meter_id, channels=HOURLY)
    first = await reader(MARCH_1, "0")
    await reader(MARCH_1 + DAY + HOUR / 2, "24.5")
    await reader(MARCH_1 + 2 * DAY, "48")
    await ingest.convert()
    assert await values_of(ingest) == [1_000] * 48
    await withdraw(MARCH_1, first)
    assert await values_of(ingest) == [None] * 24 + [500] + [1_000] * 23


async def test_a_withdrawal_comes_before_its_reading_and_twice(ingest, reader):
    await ingest.register(reader.meter_id, channels=HOURLY)
    await reader(MARCH_1, "0")
    recorded = reader.entry(MARCH_1 + DAY, "24")
    withdrawn = reader.entry(MARCH_1 + DAY, "24", reading_id=recorded.reading_id, kind="withdrawn")
    for event in (withdrawn, recorded, withdrawn):
        await reader.deliver(event)
        await ingest.convert()
        assert await values_of(ingest) == []
    await reader.deliver(recorded, withdrawn, recorded)
    await ingest.convert()
    assert await values_of(ingest) == []


async def test_readings_are_withdrawn_while_two_convert(ingest, reader):
    """Each second one; in the end only the others have made values."""
    await ingest.register(reader.meter_id, channels=HOURLY)
    ids = [await reader(MARCH_1 + n * HOUR, str(n)) for n in range(13)]
    async with asyncio.timeout(LIMIT_S):
        for n in range(1, 13, 2):
            withdrawn = reader(MARCH_1 + n * HOUR, "0", reading_id=ids[n], kind="withdrawn")
            await asyncio.gather(withdrawn, ingest.convert(), ingest.convert())
        await reader(MARCH_1 + 12 * HOUR, "0", reading_id=ids[12], kind="withdrawn")
        await asyncio.gather(ingest.convert(), ingest.convert())
    await ingest.convert()
    assert await values_of(ingest) == [1_000] * 10 + [None] * 14
    assert await ingest.rows("SELECT * FROM register_channel WHERE from_at IS NOT NULL") == []


async def test_an_exchange_is_withdrawn_one_half_after_the_other(ingest, reader):
    """What nobody knows between the two events is an exception, and never made up."""
    await ingest.register(reader.meter_id, channels=HOURLY)
    at = [MARCH_1 + n * DAY for n in range(4)]
    await reader(at[0], "10")
    final = await reader(at[1], "34", kind="exchange_final")
    initial = await reader(at[1], "100000", kind="exchange_initial", digits=7)
    last = await reader(at[3], "100048", digits=7)
    await ingest.convert()
    assert await values_of(ingest) == [1_000] * 72
    await reader(at[1], "34", reading_id=final, kind="withdrawn")
    await ingest.convert()
    assert await values_of(ingest) == [None] * 24 + [1_000] * 48
    [row] = await ingest.rows(EXCEPTIONS)
    assert (row["reason"], row["start_at"], row["end_at"]) == ("register_mismatch", at[0], at[1])
    await reader(at[1], "100000", reading_id=initial, kind="withdrawn", digits=7)
    await reader(at[3], "82", reading_id=last)
    await ingest.convert()
    assert await values_of(ingest) == [1_000] * 72
    assert await ingest.rows(EXCEPTIONS) == []


async def test_what_a_channel_cannot_carry_hinders_nothing_else_from_being_void(
    ingest, reader, clients
):
    """The middle is corrected to too much just as the last is withdrawn; when it is replayed after
    the middle was withdrawn too, it makes no value any more."""
    await ingest.register(reader.meter_id, channels=HOURLY)
    await reader(MARCH_1, "0")
    middle = await reader(MARCH_1 + DAY, "24")
    last = await reader(MARCH_1 + 2 * DAY, "48")
    await ingest.convert()
    await reader(MARCH_1 + DAY, "24000", reading_id=middle)
    await reader(MARCH_1 + 2 * DAY, "48", reading_id=last, kind="withdrawn")
    await ingest.convert()
    assert await values_of(ingest) == [None] * 48
    [block] = await ingest.rows("SELECT id, reason FROM quarantine")
    assert block["reason"] == "over_maximum"
    await reader(MARCH_1 + DAY, "24000", reading_id=middle, kind="withdrawn")
    await ingest.convert()
    carrying = ({"flow": "import", "minutes": 60, "interval_wh_max": 1_000_000},)
    await ingest.register(reader.meter_id, channels=carrying, version=2)
    client = await clients()
    answer = await client.post(f"/v1/quarantine/{block['id']}/replay")
    assert answer.status_code == 200, answer.text
    assert await values_of(ingest) == [None] * 48
    assert await reconciled(clients)


async def test_a_register_that_decreases_is_an_exception_until_it_is_corrected(
    ingest, reader, clients
):
    """The month waits meanwhile, and closes by itself."""
    await ingest.register(reader.meter_id, channels=HOURLY)
    await ingest.agree(reader.meter_id, *MARCH)
    await reader(MARCH_1, "0")
    middle = await reader(MARCH_1 + DAY, "900")
    await reader(APRIL_1, "743")
    await ingest.convert()
    assert (await values_of(ingest))[24:] == []
    [exception] = (await get(clients, "/v1/register-exceptions"))["items"]
    assert exception == {
        "meter_id": str(reader.meter_id), "flow": "import", "reason": "decrease",
        "start_at": "2025-03-01T23:00:00Z", "end_at": "2025-03-31T22:00:00Z",
        "start_value": "900", "end_value": "743",
    }  # fmt: skip
    assert await ingest.close() == []
    others = await clients("umbra")
    assert (await others.get("/v1/register-exceptions")).json()["items"] == []
    await reader(MARCH_1 + DAY, "24", reading_id=middle)
    await ingest.convert()
    assert (await get(clients, "/v1/register-exceptions"))["items"] == []
    [closed] = await ingest.close()
    assert closed["series"][0]["values"] == [1_000] * HOURS


async def test_register_exceptions_come_in_pages(ingest, reader, clients):
    await ingest.register(reader.meter_id, channels=HOURLY)
    for day in range(5):
        await reader(MARCH_1 + day * DAY, str(9 - day))
    await ingest.convert()
    begins, query = [], {"limit": 3, "meter_id": str(reader.meter_id)}
    while True:
        page = await get(clients, "/v1/register-exceptions", **query)
        begins += [exception["start_at"] for exception in page["items"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert begins == [f"2025-0{2 + (day > 0)}-{(27 + day) % 28 + 1:02}T23:00:00Z"
                      for day in range(4)]  # fmt: skip


async def test_a_register_that_is_read_now_waits_for_the_hour_to_pass(ingest, reader):
    """An interval that has not passed is refused, and must not take the others with it."""
    await ingest.register(reader.meter_id, zone="UTC", channels=HOURLY)
    now = ingest.now = datetime(2025, 3, 4, 10, 40, tzinfo=UTC)
    await reader(now.replace(hour=8, minute=0), "100")
    await reader(now, "108")
    await ingest.convert()
    assert await ingest.rows("SELECT * FROM quarantine") == []
    assert [value for value in await values_of(ingest) if value is not None] == [3_000, 3_000]
    ingest.now = datetime(2025, 3, 4, 11, tzinfo=UTC)
    await ingest.convert()
    assert [value for value in await values_of(ingest) if value is not None] == [
        3_000,
        3_000,
        2_000,
    ]
    ingest.later(minutes=15)
    await reader(ingest.now, "111")
    await ingest.convert()
    assert [value for value in await values_of(ingest) if value is not None][2] > 2_000


async def test_a_mistyped_year_is_an_exception_and_corrected(ingest, reader):
    await ingest.register(reader.meter_id, channels=HOURLY)
    mistyped = await reader(MARCH_1.replace(year=202), "0")
    await reader(MARCH_1 + DAY, "24")
    await ingest.convert()
    assert await values_of(ingest) == []
    assert [row["reason"] for row in await ingest.rows(EXCEPTIONS)] == ["too_old"]
    await reader(MARCH_1, "0", reading_id=mistyped)
    await ingest.convert()
    assert await values_of(ingest) == [1_000] * 24
    assert await ingest.rows(EXCEPTIONS) == []


def chains(dice, reader):
    """A register from the last week of March on, with its mistakes: entries, and what counts at
    last.

    It rolls over, is exchanged, and its readings are corrected, moved and withdrawn.
    """
    entries, final = [], {}
    shown, digits, at = 95_000, 5, MARCH_1 + 25 * DAY
    for n in range(dice.randint(4, 8)):
        at += dice.randint(1, 40 * 60) * timedelta(minutes=1)
        shown = (shown + dice.randint(0, 2_000)) % 10**digits
        exchanged = n and dice.random() < 0.15
        kinds = ("exchange_final", "exchange_initial") if exchanged else ("reading",)
        for kind in kinds:
            if kind == "exchange_initial":
                shown, digits = dice.randint(0, 900_000), 6
            event = reader.entry(at, str(shown), kind=kind, digits=digits)
            chain = [event]
            for _ in range(dice.randint(0, 2)):
                moved = at + dice.randint(-90, 90) * timedelta(minutes=1)
                value, moment = str(dice.randint(0, 10**digits - 1)), moved
                if exchanged:
                    moment = at
                chain.append(reader.entry(moment, value, kind=kind, digits=digits,
                                          reading_id=event.reading_id))  # fmt: skip
            end = dice.choice(["withdrawn", "right", "right"])
            if end == "withdrawn":
                chain.append(reader.entry(chain[-1].read_at, str(shown), kind="withdrawn",
                                          digits=digits, reading_id=event.reading_id))  # fmt: skip
            elif len(chain) > 1:
                chain.append(reader.entry(at, str(shown), kind=kind, digits=digits,
                                          reading_id=event.reading_id))  # fmt: skip
            entries += chain
            final[event.reading_id] = chain[-1]
    return entries, [entry for entry in final.values() if entry.kind != "withdrawn"]


@pytest.mark.parametrize("seed", range(8))
async def test_any_order_of_entries_gives_the_same_intervals(ingest, reader, clients, seed):
    """Converted in the middle of it or not; measured values stay through all of it."""
    dice = random.Random(seed)
    many = ({"flow": "import", "minutes": 60, "interval_wh_max": 2**31 - 1},)
    await ingest.register(reader.meter_id, channels=many)
    measured = MARCH_1 + 28 * DAY
    await ingest.deliver(ingest.block(reader.meter_id, measured, [1, 2, 3], minutes=60))
    entries, live = chains(dice, reader)
    dice.shuffle(entries)
    for event in entries:
        await reader.deliver(event)
        if dice.random() < 0.5:
            await ingest.convert()
    await ingest.convert()

    readings = [
        RegisterReading(
            entry.read_at, entry.recorded_at, entry.kind, entry.value, entry.digits, Decimal(1)
        )
        for entry in live
    ]
    edges = [MARCH_1 + n * HOUR for n in range(50 * 24)]
    edges_us = np.array([microseconds(edge) for edge in edges])
    spread = spread_evenly(counted_energy(readings, OLDEST_AT), edges_us).tolist()
    known = [None if value == MISSING else value for value in spread]
    expected = dict(zip(edges, known, strict=False))
    expected |= {measured + n * HOUR: n + 1 for n in range(3)}
    stored = await ingest.rows("SELECT start_at, energy_wh, quality FROM reading")
    assert {
        row["start_at"]: row["energy_wh"] for row in stored if row["energy_wh"] is not None
    } == {start_at: value for start_at, value in expected.items() if value is not None}
    assert {row["quality"] for row in stored} <= {"A", "E", "-"}
    assert [tuple(row.values()) for row in await ingest.rows(EXCEPTIONS)] == [
        (x.start_at, x.end_at, x.reason, x.start_value, x.end_value)
        for x in exceptions(readings, OLDEST_AT)
    ]
    assert await reconciled(clients)
