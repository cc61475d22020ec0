"""What meters counted and show, by the API: golden figures, derived meters, tables, balances."""

from datetime import datetime
from decimal import Decimal
from uuid import uuid4

import pytest

from integration.ledger.properties import GOLDEN, meter_of, problem, read

MARCH, APRIL, MAY = "2025-02-28T23:00:00Z", "2025-03-31T22:00:00Z", "2025-04-30T22:00:00Z"
IN_MARCH = {"from": "2025-03-01", "to": "2025-04-01"}


async def consumption(client, home, meter, **params):
    answer = await client.get(f"/v1/properties/{home['id']}/consumption", params=params)
    assert answer.status_code == 200, answer.text
    [counted] = [item for item in answer.json()["items"] if item["meter_id"] == meter]
    return counted


async def test_golden_register_rollover(acme, home):
    case = GOLDEN["register-rollover"]
    meter = await meter_of(
        acme, home, "main", registers=[{"flow": "import", "digits": case["digits"]}]
    )
    await read(acme, meter, (case["previous"], MARCH), (case["current"], APRIL))
    counted = await consumption(acme, home, meter, **IN_MARCH)
    assert (counted["kwh"], counted["rollovers"], counted["complete"], counted["quality"]) == (
        case["expect"]["kwh"], 1, True, "actual",
    )  # fmt: skip


async def test_golden_meter_exchange(acme, home):
    case = GOLDEN["meter-exchange"]
    await read(acme, home["total"], (case["old_previous"], MARCH))
    exchanged = await acme.post(
        f"/v1/meters/{home['total']}/exchanges",
        json={
            "final_value": case["old_final"], "initial_value": case["new_initial"],
            "read_at": "2025-03-10T10:00:00Z", "register": {"digits": 5, "multiplier": "1"},
        },
    )  # fmt: skip
    assert exchanged.status_code == 201, exchanged.text
    await read(acme, home["total"], (case["new_current"], APRIL))
    counted = await consumption(acme, home, home["total"], **IN_MARCH)
    assert (counted["kwh"], counted["exchanges"], counted["decreases"]) == (
        case["expect"]["kwh"],
        1,
        0,
    )
    [register] = (await acme.get(f"/v1/meters/{home['total']}")).json()["registers"]
    assert register["digits"] == 5


async def test_an_exchange_is_entered_and_taken_back_as_a_whole(acme, home):
    await read(acme, home["total"], ("100", MARCH))
    path = f"/v1/meters/{home['total']}/exchanges"
    body = {"final_value": "200", "initial_value": "0", "read_at": APRIL, "register": {"digits": 4}}
    for wrong, code in (
        ({"final_value": "-1"}, "negative_value"),
        ({"initial_value": "10000"}, "beyond_register"),
        ({"read_at": "2200-01-01T00:00:00Z"}, "future_reading"),
        ({"flow": "export"}, "register_unknown"),
    ):
        assert problem(await acme.post(path, json=body | wrong)) == (422, code)
    derived = await acme.post(f"/v1/meters/{home['unmetered']}/exchanges", json=body)
    assert problem(derived) == (422, "derived_meter")
    taken = await acme.post(path, json=body | {"read_at": MARCH})
    assert problem(taken) == (409, "reading_exists")
    made = (await acme.post(path, json=body)).json()
    assert (made["final"]["digits"], made["initial"]["digits"]) == (9, 4)
    late = await acme.post(  # of the old meter, by its own register, though there is a new one
        f"/v1/meters/{home['total']}/readings",
        json={"value": "123456", "read_at": "2025-03-15T00:00:00Z"},
    )
    assert (late.status_code, late.json()["digits"]) == (201, 9)
    assert (await acme.delete(f"/v1/readings/{late.json()['id']}")).status_code == 204
    moved = await acme.put(
        f"/v1/readings/{made['initial']['id']}", json={"value": "1", "read_at": MAY}
    )
    assert problem(moved) == (422, "exchange_moves_whole")
    corrected = await acme.put(
        f"/v1/readings/{made['initial']['id']}", json={"value": "7", "read_at": APRIL}
    )
    assert (corrected.status_code, corrected.json()["kind"]) == (200, "exchange_initial")
    await read(acme, home["total"], ("10", MAY))
    held = await acme.delete(f"/v1/readings/{made['final']['id']}")
    assert problem(held) == (409, "exchange_has_readings")
    early = await acme.post(path, json=body | {"read_at": "2025-03-05T00:00:00Z"})
    assert problem(early) == (409, "readings_after_exchange")
    [last] = (await acme.get("/v1/readings", params={"sort": "-read_at", "limit": 1})).json()[
        "items"
    ]
    assert (await acme.delete(f"/v1/readings/{last['id']}")).status_code == 204
    assert (await acme.delete(f"/v1/readings/{made['final']['id']}")).status_code == 204
    left = (await acme.get("/v1/readings")).json()["items"]
    assert [reading["value"] for reading in left] == ["100"]
    [register] = (await acme.get(f"/v1/meters/{home['total']}")).json()["registers"]
    assert register["digits"] == 9


async def test_an_exchange_ends_the_old_meter_before_it_begins_the_new_one(acme, home):
    path = f"/v1/meters/{home['total']}"
    for day in range(1, 9):
        body = {"final_value": "200", "initial_value": "7", "read_at": f"2025-04-0{day}T00:00:00Z"}
        assert (await acme.post(f"{path}/exchanges", json=body)).status_code == 201
    listed = (await acme.get(f"{path}/readings")).json()["items"]
    assert [reading["kind"] for reading in listed] == ["exchange_final", "exchange_initial"] * 8
    stats = (await acme.get(f"{path}/stats")).json()
    assert [stats[name]["value"] for name in ("first", "last")] == ["200", "7"]


async def test_a_register_that_was_read_changes_with_an_exchange_only(acme, home):
    path = f"/v1/meters/{home['total']}"
    any_version = {"If-Match": "*"}
    change = {"registers": [{"flow": "import", "digits": 6, "multiplier": "40"}]}
    assert (await acme.patch(path, json=change, headers=any_version)).status_code == 200
    await read(acme, home["total"], ("1", MARCH), ("3", APRIL))
    other = {"registers": [{"flow": "import", "digits": 7}]}
    assert problem(await acme.patch(path, json=other, headers=any_version)) == (
        409, "register_in_use",
    )  # fmt: skip
    finer = {"registers": [{"flow": "import", "digits": 6, "multiplier": "40.0", "decimals": 2}]}
    assert (await acme.patch(path, json=finer, headers=any_version)).status_code == 200
    assert (await consumption(acme, home, home["total"], **IN_MARCH))["kwh"] == "80"


async def test_between_readings_a_straight_line_is_drawn_and_reported(acme, home):
    await read(acme, home["total"], ("1000", "2025-03-01T00:00:00Z"), ("1240", "2025-03-11T00:00Z"))
    path = f"/v1/meters/{home['total']}"
    at = {"at": "2025-03-02T00:00:00Z"}
    value = (await acme.get(f"{path}/value", params=at)).json()
    assert (value["value"], value["quality"]) == ("1024.000", "interpolated")
    params = {"from": "2025-03-01", "to": "2025-03-11", "by": "day"}
    rows = (await acme.get(f"{path}/series", params=params)).json()["items"]
    assert len(rows) == 10
    assert [rows[0]["complete"], rows[1]["complete"]] == [False, True]  # midnight is 23:00 UTC
    assert sum(Decimal(row["kwh"]) for row in rows) == 239
    assert (rows[-1]["value"], rows[-1]["quality"]) == ("1239.000", "interpolated")
    after = (await acme.get(f"{path}/value", params={"at": MAY})).json()
    assert (after["value"], after["quality"], after["missing"]) == (
        None,
        "missing",
        [home["total"]],
    )


async def test_days_of_23_and_25_hours_are_whole_rows(acme, home):
    await read(acme, home["total"], ("0", "2025-01-01T00:00:00Z"), ("8760", "2026-01-01T00:00:00Z"))
    table = f"/v1/properties/{home['id']}/consumption/table"
    for first, last, expected in (
        ("2025-03-29", "2025-04-01", ["24", "23", "24"]),
        ("2025-10-25", "2025-10-28", ["24", "25", "24"]),
    ):
        answer = await acme.get(table, params={"from": first, "to": last, "by": "day"})
        rows = [r for r in answer.json()["items"] if r["meter_id"] == home["total"]]
        assert [Decimal(row["kwh"]) for row in rows] == [Decimal(kwh) for kwh in expected]
    months = await acme.get(table, params={"from": "2025-02-01", "to": "2026-01-01"})
    rows = [r for r in months.json()["items"] if r["meter_id"] == home["total"]]
    assert [Decimal(row["kwh"]) for row in rows] == [
        672, 743, 720, 744, 720, 744, 744, 720, 745, 720, 744,
    ]  # fmt: skip
    whole = await consumption(
        acme, home, home["total"], **{"from": "2025-02-01", "to": "2026-01-01"}
    )
    assert sum(Decimal(row["kwh"]) for row in rows) == Decimal(whole["kwh"])


async def test_where_readings_cover_a_part_the_answer_says_which(acme, home):
    await read(acme, home["total"], ("100", "2025-03-10T00:00:00Z"), ("150", "2025-03-20T00:00Z"))
    counted = await consumption(acme, home, home["total"], **IN_MARCH)
    assert (counted["kwh"], counted["complete"]) == ("50", False)
    assert (counted["known_from"], counted["known_to"]) == (
        "2025-03-10T00:00:00Z", "2025-03-20T00:00:00Z",
    )  # fmt: skip
    nothing = await consumption(acme, home, home["gg"], **IN_MARCH)
    assert (nothing["kwh"], nothing["quality"], nothing["complete"]) == (None, "missing", False)
    derived = await consumption(acme, home, home["unmetered"], **IN_MARCH)
    assert derived["kwh"] is None


async def test_what_was_known_stays_known(acme, home):
    await read(acme, home["total"], ("0", MARCH), ("100", APRIL))
    [_, last] = (await acme.get("/v1/readings")).json()["items"]
    known = {"as_of": last["created_at"]}
    await acme.put(f"/v1/readings/{last['id']}", json={"value": "90", "read_at": APRIL})
    for params, kwh in ((known, "100"), ({}, "90")):
        counted = await consumption(acme, home, home["total"], **IN_MARCH, **params)
        assert counted["kwh"] == kwh
        stats = (await acme.get(f"/v1/meters/{home['total']}/stats", params=params)).json()
        assert stats["max"] == kwh
        value = await acme.get(f"/v1/meters/{home['total']}/value", params={"at": APRIL} | params)
        assert value.json()["value"] == kwh


async def test_statistics(acme, home):
    await read(acme, home["total"], ("1", MARCH), ("2", APRIL), ("4.5", MAY))
    path = f"/v1/meters/{home['total']}/stats"
    stats = (await acme.get(path)).json()
    assert [stats[name] for name in ("count", "min", "max", "mean")] == [3, "1", "4.5", "2.500000"]
    assert [stats[name]["value"] for name in ("first", "last")] == ["1", "4.5"]
    april = (await acme.get(path, params={"from": "2025-04-01", "to": "2025-05-01"})).json()
    assert (april["count"], april["mean"], april["last"]["value"]) == (1, "2.000000", "2")
    none = (await acme.get(path, params={"to": "2025-01-01"})).json()
    assert [none[name] for name in ("count", "min", "mean", "first")] == [0, None, None, None]
    await read(acme, home["gg"], ("0", MARCH), ("1", MAY))
    await read(acme, home["sg"], ("0", MARCH), ("0", MAY))
    derived = (await acme.get(f"/v1/meters/{home['unmetered']}/stats")).json()
    assert (derived["count"], Decimal(derived["min"]), derived["max"]) == (3, 1, "3.5")
    assert (derived["last"]["read_at"], derived["last"]["reading_id"]) == (MAY, None)


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"from": "2025-04-01", "to": "2025-03-01"}, "empty_window"),
        ({"from": MARCH, "to": MARCH}, "empty_window"),
        ({"from": "2025-04-01"}, "invalid_request"),
        ({"from": "2025-04-01T00:00:00", "to": "2025-05-01"}, "invalid_request"),
        ({"from": "0001-01-01", "to": "2025-05-01"}, "invalid_request"),
        ({"from": "1900-01-01", "to": "2199-01-01", "by": "day"}, "window_too_wide"),
        ({"from": "0002-01-01T00:00:00Z", "to": "2025-05-01"}, "window_too_far"),
    ],
)
async def test_times_that_cannot_be(acme, home, params, code):
    answer = await acme.get(f"/v1/properties/{home['id']}/consumption/table", params=params)
    assert problem(answer) == (422, code)


async def test_what_is_unknown_is_not_found(acme, home):
    for path, params in (
        ("current-readings", {}),
        ("consumption", IN_MARCH),
        ("consumption/table", IN_MARCH),
        ("conservation", IN_MARCH),
    ):
        answer = await acme.get(f"/v1/properties/{uuid4()}/{path}", params=params)
        assert problem(answer) == (404, "property_unknown"), path
    flow = await acme.get(f"/v1/meters/{home['total']}/value", params={"flow": "export"})
    assert problem(flow) == (404, "register_unknown")


async def test_instants_and_days_mean_the_same_midnight(acme, home):
    await read(acme, home["total"], ("0", MARCH), ("100", APRIL))
    by_day = await consumption(acme, home, home["total"], **IN_MARCH)
    by_instant = await consumption(
        acme, home, home["total"],
        **{"from": "2025-03-01T00:00:00+01:00", "to": "2025-04-01T00:00:00+02:00"},
    )  # fmt: skip
    assert by_day == by_instant
    assert datetime.fromisoformat(by_day["start_at"]) == datetime.fromisoformat(MARCH)
