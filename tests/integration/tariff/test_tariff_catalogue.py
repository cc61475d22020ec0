"""Regions within regions, lists in any order, drafts that change and go, and versions in force."""

import asyncio
from datetime import date, timedelta
from random import Random

from gridtally.tariff.domain.regions import REGION_LEVELS_MAX
from integration.tariff.steps import (
    CALENDAR,
    DOCUMENT,
    REGION,
    SERIES,
    TARIFF,
    WRONG,
    created,
    drafted,
    events,
    path_of,
    paths,
    problem,
    published,
    walk,
)

ANY = {"If-Match": "*"}


async def regions_within_regions(client, count):
    """So many regions, each within the one before."""
    made = []
    for n in range(count):
        parent = {"parent_id": made[-1]["id"]} if made else {}
        made.append(await created(client, "/v1/regions", REGION | {"code": f"r{n}"} | parent))
    return made


async def test_regions_lie_within_regions_and_pass_tariffs_on(clients):
    acme = await clients("acme")
    area, city = await regions_within_regions(acme, 2)
    assert (area["kind"], area["parent_id"], city["parent_id"]) == (
        "municipality", None, area["id"],
    )  # fmt: skip
    for code, region in (("wide", area), ("local", city)):
        await created(acme, "/v1/tariffs", TARIFF | {"code": code, "region_id": region["id"]})
    path = f"/v1/regions/{city['id']}/tariffs"
    assert await walk(acme, path, "code") == ["local"]
    assert await walk(acme, path, "code", inherited=True) == ["wide", "local"]
    assert await walk(acme, path, "code", inherited=True, in_force_on="2025-01-01") == []
    assert await walk(acme, "/v1/regions", "code", parent_id=area["id"]) == ["r1"]
    other = await clients("other")
    assert problem(await other.get(path)) == (404, "region_unknown")


async def test_no_region_lies_within_itself(clients):
    acme = await clients("acme")
    chain = await regions_within_regions(acme, 3)

    async def put_within(region, parent_id):
        path = f"/v1/regions/{region['id']}"
        return await acme.patch(path, json={"parent_id": parent_id}, headers=ANY)

    for parent in chain:
        answer = await put_within(chain[0], parent["id"])
        assert problem(answer) == (422, "region_cycle")
        assert paths(answer) == ["/parent_id"]
    nowhere = "00000000-0000-0000-0000-000000000009"
    assert problem(await put_within(chain[0], nowhere)) == (422, "unknown_region")
    assert (await put_within(chain[1], None)).json()["parent_id"] is None
    first, second = await regions_within_regions_named(acme, "a", "b")
    answers = await asyncio.gather(put_within(first, second["id"]), put_within(second, first["id"]))
    assert sorted(answer.status_code for answer in answers) == [200, 422]


async def regions_within_regions_named(client, *codes):
    return [await created(client, "/v1/regions", REGION | {"code": code}) for code in codes]


async def test_regions_are_nested_so_deep_and_no_deeper(clients):
    acme = await clients("acme")
    chain = await regions_within_regions(acme, REGION_LEVELS_MAX)
    beyond = REGION | {"code": "deep", "parent_id": chain[-1]["id"]}
    assert problem(await acme.post("/v1/regions", json=beyond)) == (422, "region_depth")
    (top,) = await regions_within_regions_named(acme, "top")
    answer = await acme.patch(
        f"/v1/regions/{chain[0]['id']}", json={"parent_id": top["id"]}, headers=ANY
    )
    assert problem(answer) == (422, "region_depth")


async def test_what_others_are_built_on_is_not_deleted(clients):
    acme = await clients("acme")
    region = await created(acme, "/v1/regions", REGION)
    city = await created(acme, "/v1/regions", REGION | {"code": "c", "parent_id": region["id"]})
    home = await created(acme, "/v1/tariffs", TARIFF | {"region_id": city["id"]})
    draft = await drafted(acme, home)
    calendar = await created(acme, "/v1/calendars", CALENDAR)
    version = await created(
        acme, f"/v1/calendars/{calendar['id']}/versions", {"document": {"seasons": []}}
    )
    series = await created(acme, "/v1/price-series", SERIES)
    prices = {"items": [{"start": "2025-01-01T00:00", "price": "1"}]}
    await acme.post(f"/v1/price-series/{series['id']}/prices", json=prices)
    in_use = [
        f"/v1/regions/{region['id']}",
        f"/v1/regions/{city['id']}",
        f"/v1/tariffs/{home['id']}",
        f"/v1/calendars/{calendar['id']}",
        f"/v1/price-series/{series['id']}",
    ]
    for path in in_use:
        assert problem(await acme.delete(path)) == (428, "version_required")
        assert problem(await acme.delete(path, headers={"If-Match": '"9"'}))[0] == 412
        assert problem(await acme.delete(path, headers=ANY)) == (409, "in_use"), path
    drafts = [path_of(draft), f"/v1/calendars/{calendar['id']}/versions/{version['number']}"]
    for path in (*drafts, in_use[2], in_use[1], in_use[0], in_use[3]):
        assert (await acme.delete(path, headers=ANY)).status_code == 204, path
        assert problem(await acme.get(path))[0] == 404
        assert problem(await acme.delete(path, headers=ANY))[0] == 404


async def test_lists_come_in_pages_in_the_requested_order(clients):
    acme, other = await clients("acme"), await clients("other")
    names = {"t0": "Night\nrate", "t1": "100 % green", "t2": "Night\nrate", "t3": "a_b", "t4": "é"}
    for path, body in (
        ("/v1/regions", REGION),
        ("/v1/tariffs", TARIFF),
        ("/v1/calendars", CALENDAR),
        ("/v1/price-series", SERIES),
    ):
        for code, name in names.items():
            await created(acme, path, body | {"code": code, "name": name})
        codes = list(names)
        assert await walk(acme, path, "code") == codes
        assert await walk(acme, path, "code", sort="-created_at") == codes[::-1]
        assert await walk(acme, path, "code", sort="-code") == codes[::-1]
        by_name = await walk(acme, path, "name", sort="name", limit=1)
        assert sorted(by_name) == sorted(names.values())
        assert by_name[::-1] == await walk(acme, path, "name", sort="-name", limit=1)
        assert await walk(acme, path, "code", code="t3") == ["t3"]
        assert await walk(acme, path, "code", text="NIGHT") == ["t0", "t2"]
        assert await walk(acme, path, "code", text="%") == ["t1"]
        assert await walk(acme, path, "code", text="_") == ["t3"]
        assert await walk(other, path, "code") == []
        cursor = (await acme.get(path, params={"limit": 1})).json()["next_cursor"]
        for forged in (cursor[:-4], "WyI5OTk5OTk5OTk5OTkiXQ=="):
            answer = await acme.get(path, params={"cursor": forged})
            assert problem(answer) == (422, "invalid_cursor")
        answer = await acme.get(path, params={"cursor": cursor, "sort": "code"})
        assert problem(answer) == (422, "invalid_cursor")
        assert problem(await acme.get(path, params={"sort": "zone; --"}))[0] == 422


async def test_tariffs_are_found_by_region_currency_and_their_versions(clients):
    acme = await clients("acme")
    region = await created(acme, "/v1/regions", REGION)
    none = await created(acme, "/v1/tariffs", TARIFF | {"code": "none"})
    draft = await created(acme, "/v1/tariffs", TARIFF | {"code": "draft"})
    await drafted(acme, draft)
    spring = await created(
        acme, "/v1/tariffs", TARIFF | {"code": "spring", "region_id": region["id"]}
    )
    await published(acme, spring, "2025-03-01", effective_to="2025-06-01")
    cut = await created(acme, "/v1/tariffs", TARIFF | {"code": "cut"})
    version = await published(acme, cut, "2025-03-01")
    await acme.post(path_of(version, "withdraw"), json=WRONG | {"from_on": "2025-05-01"})
    swiss = TARIFF | {"code": "swiss", "currency": "CHF", "zone": "Europe/Zurich"}
    await created(acme, "/v1/tariffs", swiss)
    for expected, filters in (
        (["swiss"], {"currency": "CHF"}),
        (["swiss"], {"zone": "Europe/Zurich"}),
        (["spring"], {"region_id": region["id"]}),
        (["draft"], {"status": "draft"}),
        (["spring"], {"status": "published"}),
        (["cut"], {"status": "withdrawn"}),
        (["spring", "cut"], {"in_force_on": "2025-04-30"}),
        (["spring"], {"in_force_on": "2025-05-01"}),
        ([], {"in_force_on": "2025-06-01"}),
        ([], {"in_force_on": "2025-04-30", "currency": "CHF"}),
    ):
        assert await walk(acme, "/v1/tariffs", "code", **filters) == expected, filters
    versions = f"/v1/tariffs/{spring['id']}/versions"
    for n in range(3):
        await drafted(acme, spring, f"2026-0{n + 1}-01")
    assert await walk(acme, versions, "number") == [1, 2, 3, 4]
    assert await walk(acme, versions, "number", status="published") == [1]
    forged = await acme.get(versions, params={"cursor": "WyI5OTk5OTk5OTk5OTkiXQ=="})
    assert problem(forged) == (422, "invalid_cursor")
    nothing = f"/v1/tariffs/{none['id']}/versions"
    assert await walk(acme, nothing, "number") == []
    other = await clients("other")
    assert problem(await other.get(versions)) == (404, "tariff_unknown")
    assert problem(await other.get(f"{versions}/2")) == (404, "version_unknown")
    assert problem(await other.post(f"{versions}/1/publish")) == (404, "tariff_unknown")


async def test_a_draft_changes_in_part_and_goes_and_its_number_is_not_given_again(clients):
    acme = await clients("acme")
    home = await created(acme, "/v1/tariffs", TARIFF)
    draft = await drafted(acme, home, note="first try")
    assert draft["note"] == "first try"
    change = {"effective_to": "2025-07-01", "note": "until July"}
    assert problem(await acme.patch(path_of(draft), json=change)) == (428, "version_required")
    changed = await acme.patch(path_of(draft), json=change, headers={"If-Match": '"1"'})
    assert changed.json() | change == changed.json()
    assert changed.json()["document"] == DOCUMENT
    stale = await acme.patch(path_of(draft), json=change, headers={"If-Match": '"1"'})
    assert problem(stale) == (412, "version_moved")
    empty = {"effective_to": "2025-01-01"}
    answer = await acme.patch(path_of(draft), json=empty, headers=ANY)
    assert (problem(answer), paths(answer)) == ((422, "empty_period"), ["/effective_to"])
    assert problem(await acme.delete(path_of(draft), headers={"If-Match": '"1"'}))[0] == 412
    assert (await acme.delete(path_of(draft), headers=ANY)).status_code == 204
    assert (await drafted(acme, home))["number"] == 2
    version = await published(acme, home)
    assert version["number"] == 3
    for answer in (
        await acme.patch(path_of(version), json=change, headers=ANY),
        await acme.delete(path_of(version), headers=ANY),
    ):
        assert problem(answer) == (409, "version_immutable")


async def test_validating_reports_every_fault_and_stores_nothing(clients, catalogue):
    acme = await clients("acme", "tariff:read", "tariff:write")
    home = await created(acme, "/v1/tariffs", TARIFF)
    path = f"/v1/tariffs/{home['id']}/versions/validate"
    good = {"effective_from": "2025-01-01", "document": DOCUMENT}
    assert (await acme.post(path, json=good)).json() == {"valid": True, "errors": []}
    wrong = {
        "effective_from": "2025-02-01",
        "effective_to": "2025-01-01",
        "document": DOCUMENT
        | {
            "calendar_id": home["id"],
            "components": [
                {"kind": "energy", "id": "a", "rate": "x", "per": "day"},
                {"kind": "magic", "id": "b"},
            ],
        },
    }
    answer = await acme.post(path, json=wrong)
    assert (answer.status_code, answer.json()["valid"]) == (200, False)
    assert {
        "/effective_to",
        "/document/calendar_id",
        "/document/components/0/rate",
        "/document/components/0/per",
        "/document/components/1/kind",
    } <= set(paths(answer))
    assert len(set(paths(answer))) == len(paths(answer))
    foreign = good | {"document": DOCUMENT | {"currency": "USD", "zone": "Asia/Tokyo"}}
    answer = await acme.post(path, json=foreign)
    assert paths(answer) == ["/document/currency", "/document/zone"]
    assert await walk(acme, f"/v1/tariffs/{home['id']}/versions", "number") == []
    assert await events(catalogue) == []
    other = await clients("other")
    assert problem(await other.post(path, json=good)) == (404, "tariff_unknown")


async def test_a_withdrawal_from_a_date_on_keeps_the_days_before_it(clients, catalogue):
    acme = await clients("acme")
    home = await created(acme, "/v1/tariffs", TARIFF)
    version = await published(acme, home, "2025-01-01", effective_to="2026-01-01")
    path = path_of(version, "withdraw")
    late = await acme.post(path, json=WRONG | {"from_on": "2026-01-01"})
    assert (problem(late), paths(late)) == ((422, "withdrawn_too_late"), ["/from_on"])
    request = WRONG | {"from_on": "2025-07-01"}
    gone = await acme.post(path, json=request, headers={"If-Match": '"2"'})
    assert (gone.json()["status"], gone.json()["withdrawal"]) == ("withdrawn", request)
    again = await acme.post(path, json=request, headers={"If-Match": '"2"'})
    assert again.json() == gone.json()
    assert problem(await acme.post(path, json=WRONG)) == (409, "version_withdrawn")
    in_force = f"/v1/tariffs/{home['id']}/versions/in-force"
    assert (await acme.get(in_force, params={"on": "2025-06-30"})).json()["number"] == 1
    answer = await acme.get(in_force, params={"on": "2025-07-01"})
    assert problem(answer) == (404, "no_version_in_force")
    before, after = [value for _, value in await events(catalogue)]
    assert after == before | {
        "effective_to": "2025-07-01",
        "withdrawn_from": "2025-07-01",
        "withdrawal_reason": WRONG["reason"],
    }


def naive_in_force(versions, day):
    """By the words of the README: a search through all of them."""
    best = None
    for version in versions:
        if version["status"] == "draft" or version["effective_from"] > day:
            continue
        if version["effective_to"] is not None and version["effective_to"] <= day:
            continue
        if version["withdrawal"] is not None and version["withdrawal"]["from_on"] <= day:
            continue
        rank = (version["effective_from"], version["number"])
        if best is None or rank > (best["effective_from"], best["number"]):
            best = version
    return best and best["number"]


async def test_the_version_in_force_is_that_of_a_naive_search(clients):
    """Thirty versions with random dates, half of them withdrawn, on every day of a quarter."""
    acme, random = await clients("acme"), Random(7)
    home = await created(acme, "/v1/tariffs", TARIFF)
    days = [(date(2025, 1, 1) + timedelta(days=n)).isoformat() for n in range(90)]
    for _ in range(30):
        first, last = sorted(random.sample(days, 2))
        terms = {} if random.random() < 0.3 else {"effective_to": last}
        version = await drafted(acme, home, first, **terms)
        if random.random() < 0.8:
            await acme.post(path_of(version, "publish"))
        if random.random() < 0.5:
            from_on = {"from_on": random.choice(days)} if random.random() < 0.7 else {}
            await acme.post(path_of(version, "withdraw"), json=WRONG | from_on)
    path = f"/v1/tariffs/{home['id']}/versions"
    versions = (await acme.get(path, params={"limit": 100})).json()["items"]
    assert {version["status"] for version in versions} == {"draft", "published", "withdrawn"}
    for day in days:
        answer = await acme.get(f"{path}/in-force", params={"on": day})
        assert answer.json().get("number") == naive_in_force(versions, day), day
