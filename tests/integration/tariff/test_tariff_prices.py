"""Price series by their API: uploads, corrections that keep what was, gaps, and events."""

import asyncio
import gzip
from collections import Counter
from datetime import date, timedelta

import asyncpg
import pytest

from gridtally.contracts.catalogue import PricesPublished
from gridtally.database import ALL_TENANTS, transaction
from integration.tariff.steps import SERIES, created, events, key_of, paths, problem, walk

SPRING, AUTUMN = "2025-03-30", "2025-10-26"


async def series_of(client, **other):
    series = await created(client, "/v1/price-series", SERIES | other)
    return f"/v1/price-series/{series['id']}"


async def uploaded(client, path, *items, **days):
    """Prices by their start, or by day: `uploaded(acme, spot, ("2025-01-01T00:00", "0.1"))`."""
    body = {"items": [{"start": start, "price": price} for start, price in items]}
    body["days"] = [{"day": day, "prices": prices} for day, prices in days.items()]
    answer = await client.post(f"{path}/prices", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def csv_file(rows, start="start_local"):
    return f"{start},price\n" + "".join(f"{at},{price}\n" for at, price in rows)


async def read(client, path, start_on, end_on, **params):
    query = {"from": start_on, "to": end_on} | params
    answer = await client.get(f"{path}/prices", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def test_prices_come_in_by_day_and_are_published_by_day(clients, catalogue):
    acme = await clients("acme")
    spot = await series_of(acme)
    spring = ["0.08123", "-0.005", *(f"0.{n:02}" for n in range(21))]
    autumn = [f"{n}.5" for n in range(25)]
    receipt = await uploaded(acme, spot, **{SPRING: spring, AUTUMN: autumn})
    assert (receipt["new"], receipt["corrected"], receipt["unchanged"]) == (48, 0, 0)
    assert receipt["days"] == [{"day": day, "version": 1} for day in (SPRING, AUTUMN)]
    (first,) = await read(acme, spot, SPRING, "2025-03-31")
    expected = ["0.08123", "-0.005", "0", *(f"0.{n:02}".rstrip("0") for n in range(1, 21))]
    assert first["prices"] == expected
    assert (first["start_at"], first["minutes"], first["key_id"]) == (
        "2025-03-29T23:00:00Z", 60, key_of(acme),
    )  # fmt: skip
    emitted = {key: PricesPublished.model_validate(value) for key, value in await events(catalogue)}
    series_id = spot.rpartition("/")[2]
    assert set(emitted) == {f"acme:{series_id}:{day}" for day in (SPRING, AUTUMN)}
    event = emitted[f"acme:{series_id}:{SPRING}"]
    assert [str(price) for price in event.prices] == expected
    assert (event.zone, event.minutes, event.currency, event.version) == (
        "Europe/Berlin", 60, "EUR", 1,
    )  # fmt: skip
    assert len(emitted[f"acme:{series_id}:{AUTUMN}"].prices) == 25


async def test_a_correction_makes_a_version_and_the_old_one_stays_readable(clients, catalogue):
    acme = await clients("acme")
    spot = await series_of(acme)
    day = ("2025-01-01", "2025-01-02")
    before = await uploaded(acme, spot, ("2025-01-01T00:00", "0.1"), ("2025-01-01T01:00", "0.2"))
    same = await uploaded(acme, spot, ("2025-01-01T00:00", "0.10"))
    assert (same["unchanged"], same["days"]) == (1, [])
    after = await uploaded(acme, spot, ("2025-01-01T00:00", "-0.1"), ("2025-01-01T02:00", "0"))
    assert (after["new"], after["corrected"], after["days"]) == (
        1, 1, [{"day": "2025-01-01", "version": 2}],
    )  # fmt: skip
    for as_of, shown in (
        ({}, ["-0.1", "0.2", "0"]),
        ({"as_of": after["recorded_at"]}, ["-0.1", "0.2", "0"]),
        ({"as_of": before["recorded_at"]}, ["0.1", "0.2", None]),
    ):
        (known,) = await read(acme, spot, *day, **as_of)
        assert known["prices"] == shown + [None] * 21
    assert await read(acme, spot, *day, as_of="2020-01-01T00:00:00Z") == []
    for what in ("prices", "gaps"):  # an instant that no calendar has in UTC
        query = {"from": day[0], "to": day[1], "as_of": "9999-12-31T23:59:59-14:00"}
        answer = await acme.get(f"{spot}/{what}", params=query)
        assert (answer.status_code, paths(answer)[0]) == (422, "/query/as_of")
    assert await walk(acme, f"{spot}/prices/2025-01-01/versions", "version", limit=1) == [1, 2]
    assert [value["version"] for _, value in await events(catalogue)] == [1, 2]


async def test_a_csv_file_in_local_time_and_the_same_in_utc_are_the_same(clients):
    acme = await clients("acme")
    spot = await series_of(acme, minutes=15)
    local = [
        (f"{AUTUMN} {hour:02}:{minute:02}", f"{n}.{minute:02}")
        for n, hour in enumerate([0, 1, 2, 2, *range(3, 24)])
        for minute in (0, 15, 30, 45)
    ]
    headers = {"Content-Type": "text/csv; charset=utf-8"}
    answer = await acme.post(f"{spot}/prices", content=csv_file(local), headers=headers)
    assert answer.json()["new"] == 100, answer.text
    utc = [
        (f"2025-10-{25 + (n + 22) // 24}T{(n + 22) % 24:02}:{minute:02}", f"{n}.{minute:02}")
        for n in range(25)
        for minute in (0, 15, 30, 45)
    ]
    packed = gzip.compress(csv_file(utc, "start_utc").encode())
    zipped = headers | {"Content-Encoding": "gzip"}
    answer = await acme.post(f"{spot}/prices", content=packed, headers=zipped)
    assert (answer.json()["unchanged"], answer.json()["days"]) == (100, []), answer.text


async def test_a_year_of_quarter_hours_comes_in_at_once(clients, catalogue):
    acme = await clients("acme")
    spot = await series_of(acme, minutes=15, zone="UTC")
    days = [date(2024, 1, 1) + timedelta(days=n) for n in range(366)]
    quarters = [f"{hour:02}:{minute:02}" for hour in range(24) for minute in (0, 15, 30, 45)]
    rows = [(f"{day}T{at}", f"0.{n:03}") for day in days for n, at in enumerate(quarters)]
    headers = {"Content-Type": "text/csv"}
    answer = await acme.post(f"{spot}/prices", content=csv_file(rows), headers=headers)
    assert (answer.json()["new"], len(answer.json()["days"])) == (35_136, 366)
    listed = await walk(
        acme, f"{spot}/prices", "day", limit=100, **{"from": "2024-01-01", "to": "2025-01-01"}
    )
    assert listed == [day.isoformat() for day in days]
    assert len(await events(catalogue)) == 366


async def test_gaps_are_listed(clients):
    acme = await clients("acme")
    spot = await series_of(acme)
    await uploaded(acme, spot, **{"2025-03-29": ["1"] * 24, SPRING: ["1"] * 22 + [None]})
    await uploaded(acme, spot, ("2025-03-31T12:00", "1"))
    query = {"from": "2025-03-29", "to": "2025-04-01"}
    answer = await acme.get(f"{spot}/gaps", params=query)
    assert answer.json()["items"] == [
        {"start_at": "2025-03-30T21:00:00Z", "end_at": "2025-03-31T10:00:00Z", "intervals": 13},
        {"start_at": "2025-03-31T11:00:00Z", "end_at": "2025-03-31T22:00:00Z", "intervals": 11},
    ]
    assert await walk(acme, f"{spot}/gaps", "intervals", limit=1, **query) == [13, 11]
    long = {"from": "2020-01-01", "to": "2025-01-01"}
    assert problem(await acme.get(f"{spot}/gaps", params=long)) == (422, "long_period")


async def test_a_wrong_upload_stores_nothing_and_names_every_fault(clients, catalogue):
    acme = await clients("acme")
    spot = await series_of(acme)
    items = [("2025-01-01T00:00", "0.1"), ("2025-03-30T02:00", "0.1"),
             ("2025-01-01T00:00", "0.1"), ("2025-01-02T00:30", "0.1")]  # fmt: skip
    body = {"items": [{"start": start, "price": price} for start, price in items]}
    body["days"] = [{"day": SPRING, "prices": ["1"] * 24}]
    answer = await acme.post(f"{spot}/prices", json=body)
    assert problem(answer) == (422, "invalid_prices")
    assert paths(answer) == [
        "/items/1/start", "/items/2/start", "/items/3/start", "/days/0/prices",
    ]  # fmt: skip
    floats = {"items": [{"start": "2025-01-01T00:00", "price": 0.1}]}
    answer = await acme.post(f"{spot}/prices", json=floats)
    assert (problem(answer), paths(answer)) == ((422, "invalid_request"), ["/items/0/price"])
    for content, content_type, expected in (
        ("{", "application/json", (422, "invalid_request")),
        ("start_local\n", "text/csv", (422, "invalid_csv")),
        ("a,b", "text/plain", (415, "unsupported_media_type")),
        ("", "text/csv", (422, "invalid_prices")),
    ):
        headers = {"Content-Type": content_type}
        answer = await acme.post(f"{spot}/prices", content=content, headers=headers)
        assert problem(answer) == expected
    assert await read(acme, spot, "2025-01-01", "2026-01-01") == []
    assert await events(catalogue) == []


async def test_uploads_at_once_lose_nothing_and_number_their_versions_in_turn(clients, catalogue):
    acme = await clients("acme")
    spot = await series_of(acme)
    receipts = await asyncio.gather(
        *(uploaded(acme, spot, (f"2025-01-01T{hour:02}:00", str(hour))) for hour in range(24))
    )
    assert sorted(receipt["days"][0]["version"] for receipt in receipts) == list(range(1, 25))
    in_turn = sorted(receipts, key=lambda receipt: receipt["days"][0]["version"])
    recorded = [receipt["recorded_at"] for receipt in in_turn]
    assert recorded == sorted(set(recorded)), "each version is later than the one before"
    (day,) = await read(acme, spot, "2025-01-01", "2025-01-02")
    assert (day["version"], day["prices"]) == (24, [str(hour) for hour in range(24)])
    emitted = [value for _, value in await events(catalogue)]
    assert [value["version"] for value in emitted] == list(range(1, 25))
    known = [Counter(price is None for price in value["prices"])[False] for value in emitted]
    assert known == list(range(1, 25))


async def test_prices_belong_to_their_tenant_and_writing_needs_its_scope(clients):
    acme, other = await clients("acme"), await clients("other")
    reader = await clients("reader", "tariff:read")
    spot = await series_of(acme)
    prices = {"items": [{"start": "2025-01-01T00:00", "price": "1"}]}
    for path, call in (("prices", other.post), ("prices", reader.post)):
        answer = await call(f"{spot}/{path}", json=prices)
        assert answer.status_code in (403, 404)
    query = {"from": "2025-01-01", "to": "2025-01-02"}
    for path in ("prices", "gaps"):
        answer = await other.get(f"{spot}/{path}", params=query)
        assert problem(answer) == (404, "price_series_unknown")
    for body, path in (
        (SERIES | {"code": "b", "minutes": 20}, "/minutes"),
        (SERIES | {"code": "b", "zone": "Mars/Olympus"}, "/zone"),
        (SERIES | {"code": "a b"}, "/code"),
    ):
        answer = await acme.post("/v1/price-series", json=body)
        assert (problem(answer), paths(answer)) == ((422, "invalid_request"), [path])
    assert problem(await acme.post("/v1/price-series", json=SERIES)) == (409, "code_taken")
    named = await acme.patch(spot, json={"name": "Spot"}, headers={"If-Match": '"1"'})
    assert (named.json()["name"], named.headers["ETag"]) == ("Spot", '"2"')
    assert (
        problem(await acme.patch(spot, json={"minutes": 15}, headers={"If-Match": "*"}))[0] == 422
    )


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE price_day SET prices = '{1}'",
        "DELETE FROM price_day",
        "TRUNCATE price_day",
        "UPDATE calendar_version SET document = '{}'",
        "UPDATE calendar_version SET status = 'draft', published_at = NULL, published_by = NULL",
        "DELETE FROM calendar_version",
        "TRUNCATE calendar_version CASCADE",
    ],
)
async def test_the_database_keeps_what_was_published(clients, catalogue, statement):
    acme = await clients("acme")
    await uploaded(acme, await series_of(acme), ("2025-01-01T00:00", "1"))
    calendar = await created(acme, "/v1/calendars", {"code": "c", "name": "C"})
    versions = f"/v1/calendars/{calendar['id']}/versions"
    await created(acme, versions, {"document": {}})
    assert (await acme.post(f"{versions}/1/publish")).status_code == 200
    refused = (asyncpg.RestrictViolationError, asyncpg.InsufficientPrivilegeError)
    with pytest.raises(refused):
        async with transaction(catalogue, tenant=ALL_TENANTS) as tx:
            await tx.raw.execute(statement)
