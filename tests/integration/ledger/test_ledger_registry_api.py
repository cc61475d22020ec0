"""The registry by its API: what is registered, published, and refused."""

import asyncio
import base64
import json
from uuid import UUID, uuid4

import pytest

from gridtally.contracts.metering import MeterRegistered, PropertyChanged
from gridtally.database import ALL_TENANTS, snapshot
from integration.ledger.properties import problem
from problems import paths

HOME = {"name": "Oak Lane 1", "zone": "Europe/Berlin", "connected_kw": "14.5"}


async def events(ledger):
    """What lies in the outbox: (topic, key, value), in order per key."""
    async with snapshot(ledger, tenant=ALL_TENANTS) as read:
        rows = await read.raw.fetch("SELECT topic, key, value FROM outbox ORDER BY seq")
    return [(row["topic"], row["key"], json.loads(row["value"] or "null")) for row in rows]


async def created(client, **fields):
    answer = await client.post("/v1/properties", json=HOME | fields)
    assert answer.status_code == 201, answer.text
    assert answer.headers["Location"] == f"/v1/properties/{answer.json()['id']}"
    return answer.json()


async def test_a_property_comes_with_four_meters_and_tells_of_them(clients, ledger):
    acme = await clients("acme")
    home = await created(acme, channels={"gg": [channel("import")], "sg": [channel("export")]})
    assert [(m["meter_type"], m["is_derived"], len(m["channels"])) for m in home["meters"]] == [
        ("gg", False, 1),
        ("sg", False, 1),
        ("total", False, 1),
        ("unmetered", True, 0),
    ]
    published = await events(ledger)
    assert [topic for topic, _, _ in published] == [PropertyChanged.TOPIC] + [
        MeterRegistered.TOPIC
    ] * 4
    assert [key for _, key, _ in published[1:]] == [f"acme:{m['id']}" for m in home["meters"]]
    total = published[3][2]
    assert (total["meter_type"], total["zone"], total["connected_kw"]) == (
        "total", "Europe/Berlin", "14.5",
    )  # fmt: skip
    assert total["channels"] == [
        {"flow": "import", "minutes": 15, "interval_wh_max": 100_000, "start_at": None,
         "end_at": None},
    ]  # fmt: skip
    assert (await acme.get(f"/v1/properties/{home['id']}")).json() == home
    assert (await acme.get(f"/v1/properties/{home['id']}/meters")).json() == home["meters"]


def channel(flow):
    return {"flow": flow, "minutes": 15, "interval_wh_max": 5_000}


async def test_creating_is_idempotent_by_the_callers_id(clients, ledger):
    acme = await clients("acme")
    home = await created(acme, id=str(uuid4()))
    again = await acme.post("/v1/properties", json=HOME | {"id": home["id"]})
    assert (again.status_code, again.json()) == (200, home)
    other = await acme.post("/v1/properties", json=HOME | {"id": home["id"], "name": "Other"})
    assert problem(other) == (409, "property_exists")
    channels = await acme.post(
        "/v1/properties", json=HOME | {"id": home["id"], "channels": {"total": []}}
    )
    assert problem(channels) == (409, "property_exists")
    assert len(await events(ledger)) == 5


async def test_concurrent_creators_of_one_property_make_one(clients, ledger):
    acme = await clients("acme")
    body = HOME | {"id": str(uuid4())}
    answers = await asyncio.gather(*(acme.post("/v1/properties", json=body) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    assert len({answer.text for answer in answers}) == 1
    assert len(await events(ledger)) == 5


async def test_meters_are_added_together_or_not_at_all(clients, ledger):
    acme, other = await clients("acme"), await clients("other")
    homes = [await created(acme, id=str(uuid4())) for _ in range(2)]
    items = [
        {"id": str(uuid4()), "property_id": homes[n % 2]["id"], "meter_type": "sub", "name": f"{n}"}
        for n in range(4)
    ]
    lost = [*items, items[0] | {"id": str(uuid4()), "property_id": str(uuid4())}]
    bad = await acme.post("/v1/meters/batch", json={"items": lost})
    assert problem(bad) == (404, "property_unknown")
    assert bad.json()["errors"][0]["pointer"] == "#/items/4"
    before = len(await events(ledger))
    good = await acme.post("/v1/meters/batch", json={"items": items})
    assert good.status_code == 201, good.text
    assert [item["name"] for item in good.json()["items"]] == ["0", "1", "2", "3"]
    assert len(await events(ledger)) == before + 4
    again = await acme.post("/v1/meters/batch", json={"items": items})
    assert (again.status_code, again.json()) == (200, good.json())
    assert problem(await other.post("/v1/meters/batch", json={"items": items})) == (
        404,
        "property_unknown",
    )

    at = "2025-01-01T00:00:00Z"
    readings = [{"meter_id": item["id"], "value": "7", "read_at": at} for item in items]
    wrong = {"meter_type": "sub", "value": "7", "read_at": at}
    entered = await acme.post(
        "/v1/readings/batch", json={"items": [*readings, wrong], "mode": "item_by_item"}
    )
    assert (entered.status_code, entered.json()["accepted"], entered.json()["refused"]) == (
        201,
        4,
        1,
    )
    assert entered.json()["items"][4]["code"] == "meter_unnamed"
    repeated = await acme.post("/v1/readings/batch", json={"items": readings})
    assert (repeated.status_code, repeated.json()["unchanged"]) == (200, 4)
    foreign = await other.post("/v1/readings/batch", json={"items": readings})
    assert problem(foreign)[0] in (404, 422)


def good_ids(items, answer):
    """What was asked for, with the ids that were given."""
    made = answer.json()["items"]
    return [item | {"id": given["id"]} for item, given in zip(items, made, strict=True)]


async def test_a_batch_is_all_or_nothing(clients, ledger):
    acme = await clients("acme")
    known = await created(acme, id=str(uuid4()))
    feeder = str(uuid4())
    items = [HOME | {"name": f"Home {n}", "parent_id": feeder} for n in range(999)]
    bad = await acme.post(
        "/v1/properties/batch", json={"items": [*items, HOME | {"parent_id": str(uuid4())}]}
    )
    assert problem(bad) == (422, "unknown_parent")
    items[0] = HOME | {"id": feeder, "name": "Feeder"}
    items[1] = HOME | {"id": known["id"]}
    good = await acme.post("/v1/properties/batch", json={"items": items})
    assert good.status_code == 201, good.text
    assert [item["name"] for item in good.json()["items"][:3]] == ["Feeder", HOME["name"], "Home 2"]
    assert good.json()["items"][1] == known
    again = await acme.post("/v1/properties/batch", json={"items": good_ids(items, good)})
    assert (again.status_code, again.json()) == (200, good.json())
    assert len(await events(ledger)) == 5 * 999
    page = (await acme.get("/v1/properties", params={"parent_id": feeder, "limit": 500})).json()
    assert len(page["items"]) == 500
    rest = await acme.get(
        "/v1/properties",
        params={"parent_id": feeder, "limit": 500, "cursor": page["next_cursor"]},
    )
    assert (len(rest.json()["items"]), rest.json()["next_cursor"]) == (497, None)


REFUSED = {
    "zone": ({"zone": "Mars/Olympus"}, "/zone"),
    "name": ({"name": ""}, "/name"),
    "kW": ({"connected_kw": "-1"}, "/connected_kw"),
    "unknown field": ({"conected_kw": "1"}, "/conected_kw"),
    "type": ({"channels": {"solar": []}}, "/channels/solar/[key]"),
    "interval": (
        {"channels": {"total": [{"flow": "import", "minutes": 7, "interval_wh_max": 1}]}},
        "/channels/total/0/minutes",
    ),
}


@pytest.mark.parametrize(("fields", "path"), REFUSED.values(), ids=REFUSED)
async def test_a_wrong_property_is_refused_with_the_path_of_its_fault(clients, fields, path):
    answer = await (await clients("acme")).post("/v1/properties", json=HOME | fields)
    assert problem(answer) == (422, "invalid_request")
    assert paths(answer.json()) == [path]


@pytest.mark.parametrize(
    ("channels", "why"),
    [
        ({"unmetered": [channel("import")]}, "derived"),
        ({"gg": [channel("import"), channel("import")]}, "one channel per flow"),
    ],
)
async def test_channels_that_cannot_be(clients, channels, why):
    answer = await (await clients("acme")).post(
        "/v1/properties", json=HOME | {"channels": channels}
    )
    assert problem(answer) == (422, "invalid_meter")
    assert why in answer.json()["detail"]


async def test_a_change_names_the_version_it_was_made_from(clients, ledger):
    acme = await clients("acme")
    home = await created(acme)
    path = f"/v1/properties/{home['id']}"
    assert (await acme.get(path)).headers["ETag"] == '"1"'
    assert problem(await acme.patch(path, json={"name": "x"})) == (428, "version_required")
    first = {"If-Match": '"1"'}
    named = await acme.patch(path, json={"name": "New"}, headers=first)
    assert (named.status_code, named.headers["ETag"], named.json()["name"]) == (200, '"2"', "New")
    lost = await acme.patch(path, json={"name": "Lost"}, headers=first)
    assert problem(lost) == (412, "version_moved")
    nothing = await acme.patch(path, json={"name": "New"}, headers={"If-Match": '"2"'})
    assert nothing.json() == named.json()
    null = await acme.patch(path, json={"zone": None}, headers={"If-Match": '"2"'})
    assert paths(null.json())[0] == "/zone"
    await acme.patch(path, json={"zone": "Asia/Kolkata"}, headers={"If-Match": '"2"'})
    published = [
        (topic, value["version"], value["zone"]) for topic, _, value in await events(ledger)
    ]
    assert published[5:] == [
        (PropertyChanged.TOPIC, 2, "Europe/Berlin"),
        (PropertyChanged.TOPIC, 3, "Asia/Kolkata"),
        *[(MeterRegistered.TOPIC, 2, "Asia/Kolkata")] * 4,
    ]


async def test_of_two_concurrent_changes_one_has_to_read_again(clients):
    acme = await clients("acme")
    path = f"/v1/properties/{(await created(acme))['id']}"
    answers = await asyncio.gather(
        *(acme.patch(path, json={"name": f"{n}"}, headers={"If-Match": '"1"'}) for n in range(6))
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 5


async def test_properties_form_a_tree(clients):
    acme = await clients("acme")
    station = await created(acme)
    feeder = await created(acme, parent_id=station["id"])
    site = await created(acme, parent_id=feeder["id"])
    match = {"If-Match": "*"}
    circle = await acme.patch(
        f"/v1/properties/{station['id']}", json={"parent_id": site["id"]}, headers=match
    )
    assert problem(circle) == (422, "circular_tree")
    a, b = str(uuid4()), str(uuid4())
    pair = [HOME | {"id": a, "parent_id": b}, HOME | {"id": b, "parent_id": a}]
    answer = await acme.post("/v1/properties/batch", json={"items": pair})
    assert problem(answer) == (422, "circular_tree")
    assert problem(await acme.delete(f"/v1/properties/{feeder['id']}")) == (409, "has_children")
    moved = await acme.patch(
        f"/v1/properties/{site['id']}", json={"parent_id": station["id"]}, headers=match
    )
    assert moved.json()["parent_id"] == station["id"]
    assert (await acme.delete(f"/v1/properties/{feeder['id']}")).status_code == 204


async def test_two_moves_at_once_never_close_a_circle(clients):
    acme = await clients("acme")
    first, second = [(await created(acme))["id"] for _ in range(2)]
    answers = await asyncio.gather(
        *(
            acme.patch(f"/v1/properties/{a}", json={"parent_id": b}, headers={"If-Match": "*"})
            for a, b in ((first, second), (second, first))
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200, 422]


async def test_deleting_takes_meters_and_users_along_and_leaves_tombstones(clients, ledger):
    acme = await clients("acme")
    home = await created(acme)
    meter = home["meters"][2]["id"]
    user = await acme.post(
        "/v1/users",
        json={
            "name": "Ada", "email": "Ada@Example.org", "property_id": home["id"],
            "default_meter_id": meter,
        },
    )  # fmt: skip
    assert (user.status_code, user.json()["email"]) == (201, "ada@example.org")
    assert (await acme.delete(f"/v1/properties/{home['id']}")).status_code == 204
    for gone in (f"properties/{home['id']}", f"meters/{meter}", f"users/{user.json()['id']}"):
        assert (await acme.get(f"/v1/{gone}")).status_code == 404
    published = (await events(ledger))[6:]
    assert all(value is None for _, _, value in published)
    assert {key for _, key, _ in published} == {
        f"acme:{id_}" for id_ in (home["id"], user.json()["id"], *(m["id"] for m in home["meters"]))
    }


async def test_meters_are_added_and_changed(clients, ledger):
    acme = await clients("acme")
    home = await created(acme)
    body = {
        "id": str(uuid4()),
        "meter_type": "solar",
        "name": "Roof",
        "channels": [channel("generation")],
    }
    added = await acme.post(f"/v1/properties/{home['id']}/meters", json=body)
    assert (added.status_code, added.json()["meter_type"]) == (201, "solar")
    assert added.headers["Location"] == f"/v1/meters/{added.json()['id']}"
    again = await acme.post(f"/v1/properties/{home['id']}/meters", json=body)
    assert "Location" not in again.headers
    assert (again.status_code, again.json()) == (200, added.json())
    other = await acme.post(f"/v1/properties/{home['id']}/meters", json=body | {"channels": []})
    assert problem(other) == (409, "meter_exists")
    own = await acme.post(
        f"/v1/properties/{home['id']}/meters", json=body | {"meter_type": "total"}
    )
    assert problem(own) == (422, "invalid_request")
    path = f"/v1/meters/{body['id']}"
    changed = await acme.patch(path, json={"channels": []}, headers={"If-Match": '"1"'})
    assert (changed.json()["channels"], changed.headers["ETag"]) == ([], '"2"')
    assert (await acme.get(path)).json() == changed.json()
    assert [value["version"] for *_, value in (await events(ledger))[5:]] == [1, 2]
    answer = await acme.get("/v1/meters", params={"meter_type": "solar", "property_id": home["id"]})
    assert answer.json()["items"] == [changed.json()]


async def test_users(clients):
    acme = await clients("acme")
    home, other = await created(acme), await created(acme)
    body = {"name": "Ada", "email": "ada@example.org", "property_id": home["id"]}
    registered = await acme.post("/v1/users", json=body)
    ada = registered.json()
    assert registered.headers["Location"] == f"/v1/users/{ada['id']}"
    assert problem(await acme.post("/v1/users", json=body)) == (409, "email_taken")
    foreign = await acme.post(
        "/v1/users",
        json=body | {"email": "b@c.de", "default_meter_id": other["meters"][0]["id"]},
    )
    assert problem(foreign) == (422, "foreign_meter")
    nowhere = await acme.post(
        "/v1/users", json=body | {"email": "b@c", "property_id": str(uuid4())}
    )
    assert problem(nowhere) == (422, "unknown_property")
    same = await acme.post("/v1/users", json=body | {"id": ada["id"]})
    assert (same.status_code, same.json()) == (200, ada)
    path = f"/v1/users/{ada['id']}"
    changed = await acme.patch(
        path, json={"default_meter_id": home["meters"][1]["id"]}, headers={"If-Match": '"1"'}
    )
    assert changed.headers["ETag"] == '"2"'
    moved = await acme.patch(path, json={"property_id": other["id"]}, headers={"If-Match": '"2"'})
    assert problem(moved) == (422, "foreign_meter")
    answer = await acme.get("/v1/users", params={"email": "ADA@example.org"})
    assert [item["id"] for item in answer.json()["items"]] == [ada["id"]]
    assert (await acme.delete(path)).status_code == 204
    assert problem(await acme.get(path)) == (404, "user_unknown")


@pytest.mark.parametrize(
    ("email", "answer"),
    [
        ("JOS\u00c9@example.org", (409, "email_taken")),
        ("jose\u0301@example.org", (409, "email_taken")),
        ("jos\u00e9@example.org\u200b", (422, "invalid_request")),
        (" jos\u00e9@example.org", (422, "invalid_request")),
        ("\u0130" * 240 + "@example.org", (422, "invalid_request")),
    ],
    ids=["in capitals", "accent apart", "something unseen", "a space", "longer in small letters"],
)
async def test_an_address_has_one_spelling(acme, email, answer):
    home = await created(acme)
    jose = {"name": "Jos\u00e9", "email": "jos\u00e9@example.org", "property_id": home["id"]}
    assert (await acme.post("/v1/users", json=jose)).status_code == 201
    assert problem(await acme.post("/v1/users", json=jose | {"email": email})) == answer


async def test_tenants_and_scopes(clients):
    acme, other = await clients("acme"), await clients("other")
    reader = await clients("reader", "ledger:read")
    home = await created(acme)
    assert problem(await other.get(f"/v1/properties/{home['id']}")) == (404, "property_unknown")
    assert (await other.get("/v1/meters")).json()["items"] == []
    mine = await other.post("/v1/properties", json=HOME | {"id": home["id"]})
    assert mine.status_code == 201
    assert not {m["id"] for m in mine.json()["meters"]} & {m["id"] for m in home["meters"]}
    child = await other.post("/v1/properties", json=HOME | {"parent_id": str(uuid4())})
    assert problem(child) == (422, "unknown_parent")
    assert problem(await reader.post("/v1/properties", json=HOME)) == (403, "forbidden")
    assert (await reader.get("/v1/properties")).status_code == 200


@pytest.mark.parametrize(
    "parts",
    [
        None,
        [],
        ["2025-01-01", "x"],
        ["created_at", "2025-01-01T00:00:00", str(UUID(int=1))],
        ["created_at", "0001-01-01T00:00:00+14:00", str(UUID(int=1))],
        ["created_at", "9999-12-31T23:59:59-14:00", str(UUID(int=1))],
    ],
)
async def test_a_forged_cursor_is_refused(acme, parts):
    cursor = "x" if parts is None else base64.urlsafe_b64encode(json.dumps(parts).encode()).decode()
    answer = await acme.get("/v1/meters", params={"cursor": cursor})
    assert problem(answer) == (422, "invalid_cursor")
