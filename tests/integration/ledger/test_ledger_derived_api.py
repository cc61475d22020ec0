"""Derived meters and balances by the API: the golden sum, definitions through time, refusals."""

from datetime import date
from decimal import Decimal

from gridtally.contracts.metering import MeterDefined
from gridtally.database import ALL_TENANTS, snapshot
from integration.ledger.properties import GOLDEN, meter_of, problem, property_of, read
from problems import paths

MARCH, APRIL, MAY = "2025-02-28T23:00:00Z", "2025-03-31T22:00:00Z", "2025-04-30T22:00:00Z"
IN_MARCH = {"from": "2025-03-01", "to": "2025-04-01"}


async def test_golden_derived_meter(acme, home):
    case = GOLDEN["derived-meter"]
    for type_ in ("total", "gg", "sg"):
        await read(acme, home[type_], (case[type_], APRIL))
    value = await acme.get(f"/v1/meters/{home['unmetered']}/value", params={"at": APRIL})
    assert (value.json()["value"], value.json()["quality"]) == (
        case["expect"]["unmetered"], "actual",
    )  # fmt: skip
    current = (await acme.get(f"/v1/properties/{home['id']}/current-readings")).json()["items"]
    assert [(r["meter_type"], r["value"], r["is_derived"]) for r in current] == [
        ("gg", case["gg"], False),
        ("sg", case["sg"], False),
        ("total", case["total"], False),
        ("unmetered", case["expect"]["unmetered"], True),
    ]
    assert (current[3]["read_at"], current[3]["aligned"]) == (APRIL, True)


async def test_current_readings_of_different_moments_are_no_exact_sum(acme, home):
    await read(acme, home["total"], ("100", MAY))
    path = f"/v1/properties/{home['id']}/current-readings"
    missing = (await acme.get(path)).json()["items"][3]
    assert (missing["value"], sorted(missing["missing"])) == (
        None,
        sorted([home["gg"], home["sg"]]),
    )
    await read(acme, home["gg"], ("10", APRIL))
    await read(acme, home["sg"], ("20", MAY))
    rest = (await acme.get(path)).json()["items"][3]
    assert (rest["value"], rest["aligned"], rest["quality"], rest["read_at"]) == (
        "70", False, "estimated", APRIL,
    )  # fmt: skip
    early = (await acme.get(path, params={"as_of": "2025-01-01T00:00:00Z"})).json()["items"]
    assert [reading["value"] for reading in early] == [None] * 4


async def test_a_derived_meter_is_defined_from_a_day_on(acme, home):
    subs = [await meter_of(acme, home, "sub") for _ in range(3)]
    virtual = await meter_of(acme, home, "derived")
    path = f"/v1/meters/{virtual}"
    assert problem(await acme.get(f"{path}/value")) == (422, "undefined")
    for sub, used in zip(subs, (100, 10, 1), strict=True):
        await read(acme, sub, ("0", MARCH), (f"{used}", APRIL), (f"{2 * used}", MAY))
    for from_on, terms in (
        ("2025-01-01", [{"meter_id": subs[0]}, {"meter_id": subs[1]}]),
        ("2025-04-01", [{"meter_id": subs[0]}, {"meter_id": subs[2], "sign": -1}]),
    ):
        made = await acme.post(f"{path}/definitions", json={"from_on": from_on, "terms": terms})
        assert made.status_code == 201, made.text
    table = f"/v1/properties/{home['id']}/consumption/table"
    answer = await acme.get(table, params={"from": "2025-03-01", "to": "2025-05-01"})
    rows = [row for row in answer.json()["items"] if row["meter_id"] == virtual]
    assert [row["kwh"] for row in rows] == ["110", "99"]
    stats = (await acme.get(f"{path}/stats", params={"to": "2026-01-01"})).json()
    assert (stats["count"], stats["first"]["value"], stats["last"]["value"]) == (3, "0", "198")
    register = await acme.get(f"{path}/value", params={"at": MAY, "flow": "import"})
    assert problem(register) == (404, "register_unknown")
    versions = (await acme.get(f"{path}/definitions")).json()
    assert [(v["version"], v["from_on"], len(v["terms"])) for v in versions] == [
        (1, "2025-01-01", 2), (2, "2025-04-01", 2),
    ]  # fmt: skip
    held = await acme.delete(f"/v1/meters/{subs[2]}")
    assert problem(held) == (409, "meter_in_use")
    assert (await acme.delete(path)).status_code == 204
    assert (await acme.delete(f"/v1/meters/{subs[2]}")).status_code == 204


async def test_before_its_first_definition_a_derived_meter_shows_nothing(acme, home):
    sub, virtual = await meter_of(acme, home, "sub"), await meter_of(acme, home, "derived")
    await read(acme, sub, ("5", "2025-01-31T23:00:00Z"), ("7", MARCH), ("9", APRIL))
    path = f"/v1/meters/{virtual}"
    body = {"from_on": "2025-03-01", "terms": [{"meter_id": sub}]}
    assert (await acme.post(f"{path}/definitions", json=body)).status_code == 201
    params = {"from": "2025-01-01", "to": "2025-04-01", "by": "month"}
    answer = await acme.get(f"{path}/series", params=params)
    assert answer.status_code == 200, answer.text
    assert [(row["kwh"], row["value"], row["complete"]) for row in answer.json()["items"]] == [
        (None, None, False), (None, "7", False), ("2", "9", True),
    ]  # fmt: skip
    for to, count in (("2025-03-01", 0), ("2025-05-01", 2)):
        stats = (await acme.get(f"{path}/stats", params={"to": to})).json()
        assert stats["count"] == count, to


async def test_unmetered_is_built_in_and_can_be_defined_otherwise(acme, home):
    path = f"/v1/meters/{home['unmetered']}/definitions"
    [built_in] = (await acme.get(path)).json()
    assert {term["meter_id"]: term["sign"] for term in built_in["terms"]} == {
        home["total"]: 1, home["gg"]: -1, home["sg"]: -1,
    }  # fmt: skip
    solar = await meter_of(acme, home, "solar")
    terms = [{"meter_id": home["total"]}, {"meter_id": solar, "sign": -1}]
    made = await acme.post(path, json={"from_on": "2025-04-01", "terms": terms})
    assert (made.status_code, made.json()["version"]) == (201, 1)
    for meter, value in (
        (home["total"], "100"),
        (home["gg"], "1"),
        (home["sg"], "2"),
        (solar, "5"),
    ):
        await read(acme, meter, (value, "2025-03-01T12:00:00Z"), (value, "2025-05-01T12:00:00Z"))
    for at, value in (("2025-03-31T21:59:59Z", "97"), ("2025-03-31T22:00:00Z", "95")):
        answer = await acme.get(f"/v1/meters/{home['unmetered']}/value", params={"at": at})
        assert Decimal(answer.json()["value"]) == Decimal(value)


async def test_wrong_definitions_are_refused(acme, home):
    other = await property_of(acme)
    feeder = await property_of(acme, parent_id=home["id"])
    first, second = [await meter_of(acme, home, "derived") for _ in range(2)]

    async def defined(meter, *terms, from_on="2025-01-01"):
        return await acme.post(
            f"/v1/meters/{meter}/definitions",
            json={"from_on": from_on, "terms": [{"meter_id": meter_id} for meter_id in terms]},
        )

    assert problem(await defined(home["total"], home["gg"])) == (422, "not_derived")
    foreign = await defined(first, home["gg"], other["total"])
    assert problem(foreign) == (422, "invalid_terms")
    assert paths(foreign.json())[0] == "/terms/1/meter_id"
    assert problem(await defined(first, home["gg"], home["gg"])) == (422, "invalid_terms")
    assert problem(await defined(first)) == (422, "invalid_request")
    assert problem(await defined(first, home["gg"], from_on="0001-01-01")) == (
        422,
        "invalid_request",
    )
    assert problem(await defined(first, first)) == (422, "circular_definition")
    assert (await defined(first, second, feeder["total"])).status_code == 201  # of the subtree
    assert problem(await defined(second, first)) == (422, "circular_definition")
    assert problem(await acme.get(f"/v1/meters/{home['gg']}/definitions")) == (422, "not_derived")
    main = await defined(home["unmetered"], home["unmetered"])
    assert problem(main) == (422, "circular_definition")
    held = await acme.delete(f"/v1/properties/{feeder['id']}")
    assert problem(held) == (409, "meter_in_use")


async def test_what_a_sum_counts_does_not_leave_its_tree(acme, home):
    """Until the sum is defined otherwise; what it was before stays."""
    block = await property_of(acme, name="Block", parent_id=home["id"])
    flat = await property_of(acme, name="Flat", parent_id=block["id"])
    every = await meter_of(acme, home, "derived")
    path = f"/v1/meters/{every}/definitions"

    async def defined(from_on, *terms):
        body = {"from_on": from_on, "terms": [{"meter_id": meter_id} for meter_id in terms]}
        assert (await acme.post(path, json=body)).status_code == 201

    async def moved(property_, parent):
        seen = await acme.get(f"/v1/properties/{property_['id']}")
        return await acme.patch(
            f"/v1/properties/{property_['id']}",
            json={"parent_id": parent and parent["id"]},
            headers={"If-Match": seen.headers["ETag"]},
        )

    await defined("2025-01-01", home["total"], flat["total"])
    elsewhere = await property_of(acme, name="Elsewhere")
    for property_ in (block, flat):
        for parent in (elsewhere, None):
            assert problem(await moved(property_, parent)) == (409, "meter_in_use")
    assert (await moved(flat, home)).status_code == 200  # it stays below the sum's own
    assert (await moved(home, elsewhere)).status_code == 200  # with the sum
    await defined("2099-01-01", home["total"])
    assert problem(await moved(flat, elsewhere)) == (409, "meter_in_use")  # it counts until then
    await defined("2025-03-01", home["total"])
    assert (await moved(flat, elsewhere)).status_code == 200
    for meter in (home["total"], flat["total"]):
        await read(acme, meter, ("1", "2025-01-01T12:00:00Z"), ("9", "2025-06-01T12:00:00Z"))
    for at, value in (("2025-02-28T12:00:00Z", 2), ("2025-03-31T12:00:00Z", 1)):
        answer = (await acme.get(f"/v1/meters/{every}/value", params={"at": at})).json()
        known = Decimal(answer["value"])
        total = (await acme.get(f"/v1/meters/{home['total']}/value", params={"at": at})).json()
        assert known == value * Decimal(total["value"])


async def test_the_balance_of_a_feeder(acme, home):
    main = await meter_of(acme, home, "main")
    sub = await meter_of(acme, home, "sub")
    site = await property_of(acme, parent_id=home["id"])
    for meter, used in ((main, "1000"), (sub, "300"), (site["total"], "640.5")):
        await read(acme, meter, ("0", MARCH), (used, APRIL))
    path = f"/v1/properties/{home['id']}/conservation"
    check = (await acme.get(path, params=IN_MARCH)).json()
    assert [check[name] for name in ("supplied_kwh", "metered_kwh", "unaccounted_kwh")] == [
        "1000", "940.5", "59.5",
    ]  # fmt: skip
    assert (check["unaccounted_percent"], check["ok"], check["quality"]) == ("5.95", True, "actual")
    assert {part["meter_id"] for part in check["metered"]} == {sub, site["total"]}
    strict = await acme.get(path, params=IN_MARCH | {"loss_percent_max": "5"})
    assert strict.json()["ok"] is False
    later = await acme.get(path, params={"from": "2025-03-01", "to": "2025-05-01"})
    assert (later.json()["unaccounted_kwh"], later.json()["ok"]) == (None, None)
    alone = await acme.get(f"/v1/properties/{site['id']}/conservation", params=IN_MARCH)
    assert problem(alone) == (422, "nothing_to_compare")


DEFINED = "SELECT value FROM outbox WHERE topic = 'meter.defined.v1' ORDER BY seq"


async def test_each_definition_is_published_with_all_that_count(acme, home, ledger):
    """By the flows that count: the main one of a meter that is read, none of a derived one."""
    sub, solar = await meter_of(acme, home, "sub"), await meter_of(acme, home, "solar")
    virtual = await meter_of(acme, home, "derived")
    terms = [{"meter_id": sub}, {"meter_id": solar, "sign": -1}, {"meter_id": home["unmetered"]}]
    key = {"Idempotency-Key": "twice"}
    for _ in range(2):
        body = {"from_on": "2025-03-01", "terms": terms}
        path = f"/v1/meters/{virtual}/definitions"
        assert (await acme.post(path, json=body, headers=key)).status_code == 201
    path = f"/v1/meters/{home['unmetered']}/definitions"
    for day in ("2025-04-01", "2025-04-01"):
        body = {"from_on": day, "terms": [{"meter_id": sub, "flow": "import"}]}
        assert (await acme.post(path, json=body)).status_code == 201
    async with snapshot(ledger, tenant=ALL_TENANTS) as read:
        rows = await read.raw.fetch(DEFINED)
    events = [MeterDefined.model_validate_json(row["value"]) for row in rows]
    assert [(str(event.meter_id), event.version) for event in events] == [
        (virtual, 1), (home["unmetered"], 1), (home["unmetered"], 2),
    ]  # fmt: skip
    [definition] = events[0].definitions
    assert [(str(term.meter_id), term.sign, term.flow) for term in definition.terms] == [
        (sub, 1, "import"), (solar, -1, "generation"), (home["unmetered"], 1, None),
    ]  # fmt: skip
    assert [(own.from_on, len(own.terms)) for own in events[2].definitions] == [
        (None, 3), (date(2025, 4, 1), 1),
    ]  # fmt: skip
