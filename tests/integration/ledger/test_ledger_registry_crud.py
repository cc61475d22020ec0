"""The registry as people use it: lists in their order, replacements, missing meters made again."""

import asyncio
import json
from uuid import uuid4

from gridtally.database import ALL_TENANTS, snapshot
from integration.ledger.properties import HOME, problem


def channel(flow):
    return {"flow": flow, "minutes": 15, "interval_wh_max": 5_000}


async def created(client, **fields):
    answer = await client.post("/v1/properties", json=HOME | fields)
    assert answer.status_code == 201, answer.text
    assert answer.headers["Location"] == f"/v1/properties/{answer.json()['id']}"
    return answer.json()


async def events(ledger):
    """What lies in the outbox: (topic, key, value), in order per key."""
    async with snapshot(ledger, tenant=ALL_TENANTS) as read:
        rows = await read.raw.fetch("SELECT topic, key, value FROM outbox ORDER BY seq")
    return [(row["topic"], row["key"], json.loads(row["value"] or "null")) for row in rows]


async def test_lists_are_sorted_filtered_and_paged(clients):
    acme = await clients("acme")
    station = await created(acme, name="Station")
    feeder = await created(acme, name="Feeder", parent_id=station["id"])
    names = ["b", "a\nb", "Ö" * 500, "a", "b"]
    for name in names:
        await created(acme, name=name, parent_id=feeder["id"])
    for sort, expected in (
        ("name", sorted(names)),
        ("-name", sorted(names, reverse=True)),
        ("created_at", names),
        ("-created_at", names[::-1]),
    ):
        seen, cursor = [], None
        while cursor is not None or not seen:
            params = {"limit": 2, "sort": sort, "parent_id": feeder["id"]}
            page = await acme.get(
                "/v1/properties", params=params | ({"cursor": cursor} if cursor else {})
            )
            assert page.status_code == 200, page.text
            seen += [item["name"] for item in page.json()["items"]]
            cursor = page.json()["next_cursor"]
        assert sorted(seen) == sorted(names)
        if sort.endswith("created_at"):
            assert seen == expected
        assert [name for name in seen if name in ("a", "b")] == [
            name for name in expected if name in ("a", "b")
        ]
    first = await acme.get("/v1/properties", params={"limit": 1, "sort": "name"})
    other = {"sort": "-name", "cursor": first.json()["next_cursor"]}
    assert problem(await acme.get("/v1/properties", params=other)) == (422, "invalid_cursor")
    wild = await acme.get("/v1/properties", params={"sort": "zone; DROP TABLE property"})
    assert problem(wild) == (422, "invalid_request")
    below = await acme.get("/v1/properties", params={"under": station["id"], "limit": 100})
    assert len(below.json()["items"]) == 1 + len(names)
    for path, sort in (("meters", "-name"), ("users", "-email"), ("users", "name")):
        assert (await acme.get(f"/v1/{path}", params={"sort": sort})).status_code == 200


async def test_a_resource_is_replaced_by_put(clients, ledger):
    acme = await clients("acme")
    home = await created(acme, address="Oak Lane 1", connected_kw="14.5")
    path = f"/v1/properties/{home['id']}"
    body = {"name": "New", "zone": "Asia/Kolkata"}
    assert problem(await acme.put(path, json=body)) == (428, "version_required")
    put = await acme.put(path, json=body, headers={"If-Match": '"1"'})
    assert (put.status_code, put.headers["ETag"]) == (200, '"2"')
    assert (put.json()["address"], put.json()["connected_kw"], put.json()["zone"]) == (
        "", None, "Asia/Kolkata",
    )  # fmt: skip
    assert len(await events(ledger)) == 5 + 1 + 4
    assert (await acme.put(path, json=body, headers={"If-Match": "*"})).headers["ETag"] == '"2"'
    nowhere = await acme.put(f"/v1/properties/{uuid4()}", json=body, headers={"If-Match": "*"})
    assert problem(nowhere) == (404, "property_unknown")
    meter = f"/v1/meters/{home['meters'][2]['id']}"
    whole = {"name": "Main", "registers": [{"flow": "export", "digits": 6}]}
    put = await acme.put(meter, json=whole, headers={"If-Match": "*"})
    assert (put.json()["channels"], [r["flow"] for r in put.json()["registers"]]) == (
        [], ["export"],
    )  # fmt: skip
    derived = f"/v1/meters/{home['meters'][3]['id']}"
    refused = await acme.put(derived, json=whole, headers={"If-Match": "*"})
    assert problem(refused) == (422, "invalid_meter")
    user = {
        "name": "Ada",
        "email": "ada@example.org",
        "phone_number": "+49 30 1",
        "property_id": home["id"],
    }
    ada = (await acme.post("/v1/users", json=user)).json()
    del user["phone_number"]
    put = await acme.put(f"/v1/users/{ada['id']}", json=user, headers={"If-Match": '"1"'})
    assert (put.json()["phone_number"], put.headers["ETag"]) == (None, '"2"')


async def test_a_meter_measures_reactive_energy_in_intervals_and_counts_none_of_it(clients, ledger):
    """A channel is told to the other services; a register of kvarh is refused, and none is made."""
    acme = await clients("acme")
    home = await created(acme)
    flows = ["import", "export", "load", "generation", "reactive_import", "reactive_export"]
    body = {"meter_type": "sub", "name": "Workshop", "channels": [channel(f) for f in flows]}
    path = f"/v1/properties/{home['id']}/meters"
    meter = await acme.post(path, json=body)
    assert meter.status_code == 201, meter.text
    assert [entry["flow"] for entry in meter.json()["channels"]] == sorted(flows)
    assert [entry["flow"] for entry in meter.json()["registers"]] == sorted(flows[:4])
    *_, (topic, _, event) = await events(ledger)
    assert (topic, [entry["flow"] for entry in event["channels"]]) == (
        "meter.registered.v1", sorted(flows),
    )  # fmt: skip
    refused = await acme.post(path, json=body | {"registers": [{"flow": "reactive_import"}]})
    assert problem(refused) == (422, "invalid_request")
    only = body | {"channels": [channel("reactive_import")]}
    assert (await acme.post(path, json=only)).json()["registers"] == []


async def test_the_default_meter_is_one_of_the_users_property(clients):
    acme = await clients("acme")
    home, other = await created(acme), await created(acme)
    user = {"name": "Ada", "email": "ada@example.org", "property_id": home["id"]}
    ada = (await acme.post("/v1/users", json=user)).json()
    path = f"/v1/users/{ada['id']}/default-meter"
    chosen = home["meters"][1]["id"]
    put = await acme.put(path, json={"meter_id": chosen})
    assert (put.status_code, put.json()["default_meter_id"]) == (200, chosen)
    for wrong in (other["meters"][0]["id"], str(uuid4())):
        refused = await acme.put(path, json={"meter_id": wrong})
        assert problem(refused) == (422, "foreign_meter")
    stale = await acme.put(path, json={"meter_id": None}, headers={"If-Match": '"1"'})
    assert problem(stale) == (412, "version_moved")
    gone = await acme.delete(f"/v1/meters/{chosen}")
    assert gone.status_code == 204
    assert (await acme.get(f"/v1/users/{ada['id']}")).json()["default_meter_id"] is None
    assert (await acme.put(path, json={"meter_id": None})).status_code == 200
    nobody = await acme.put(f"/v1/users/{uuid4()}/default-meter", json={"meter_id": None})
    assert problem(nobody) == (404, "user_unknown")


async def test_a_propertys_own_meters_are_made_once_and_made_again(clients, ledger):
    acme = await clients("acme")
    home = await created(acme)
    path = f"/v1/properties/{home['id']}/initialize-meters"
    again = await acme.post(path)
    assert (again.status_code, again.json()) == (200, home["meters"])
    gone = home["meters"][0]["id"]
    assert (await acme.delete(f"/v1/meters/{gone}")).status_code == 204
    left = (await acme.get(f"/v1/properties/{home['id']}/meters")).json()
    assert len(left) == 3
    answers = await asyncio.gather(*(acme.post(path) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200] * 3 + [201]
    assert {meter["id"] for meter in answers[0].json()} == {m["id"] for m in home["meters"]}
    published = [(key, value and value["version"]) for _, key, value in (await events(ledger))[5:]]
    assert published == [(f"acme:{gone}", None), (f"acme:{gone}", 1)]
    nowhere = await acme.post(f"/v1/properties/{uuid4()}/initialize-meters")
    assert problem(nowhere) == (404, "property_unknown")


async def test_registers_follow_from_channels_and_type_unless_declared(clients):
    acme = await clients("acme")
    home = await created(acme, channels={"sg": [channel("export"), channel("import")]})
    flows = {m["meter_type"]: [r["flow"] for r in m["registers"]] for m in home["meters"]}
    assert flows == {
        "gg": ["import"], "sg": ["export", "import"], "total": ["import"], "unmetered": [],
    }  # fmt: skip
    path = f"/v1/properties/{home['id']}/meters"
    for type_, registers, expected in (
        ("solar", None, ["generation"]),
        ("device", [], []),
        ("sub", [{"flow": "load", "multiplier": "40"}], ["load"]),
        ("derived", None, []),
    ):
        body = {"meter_type": type_, "name": type_} | (
            {} if registers is None else {"registers": registers}
        )
        made = (await acme.post(path, json=body)).json()
        assert [register["flow"] for register in made["registers"]] == expected
    for registers in ([{"flow": "load"}, {"flow": "load"}], [{"flow": "load", "digits": 16}]):
        wrong = await acme.post(
            path, json={"meter_type": "sub", "name": "x", "registers": registers}
        )
        assert wrong.status_code == 422


async def test_a_property_without_meters_is_still_one(clients):
    acme = await clients("acme")
    home = await created(acme)
    for meter in home["meters"]:
        assert (await acme.delete(f"/v1/meters/{meter['id']}")).status_code == 204
    path = f"/v1/properties/{home['id']}"
    assert (await acme.get(f"{path}/meters")).json() == []
    assert (await acme.get(f"{path}/current-readings")).json()["items"] == []
    reading = {"items": [{"meter_type": "total", "value": "1"}]}
    assert problem(await acme.post(f"{path}/readings", json=reading)) == (422, "foreign_meter")
    assert (await acme.delete(path)).status_code == 204


async def test_of_many_who_remove_a_meter_one_does(clients):
    acme = await clients("acme")
    home = await created(acme)
    path = f"/v1/meters/{home['meters'][2]['id']}"
    change = {"name": "x"}
    answers = await asyncio.gather(
        *(acme.delete(path) for _ in range(4)),
        *(acme.patch(path, json=change, headers={"If-Match": "*"}) for _ in range(4)),
        *(acme.post(f"{path}/readings", json={"value": f"{n}"}) for n in range(4)),
    )
    assert sorted(answer.status_code for answer in answers[:4]) == [204, 404, 404, 404]
    assert {answer.status_code for answer in answers[4:]} <= {200, 201, 404}
    assert problem(await acme.get(path)) == (404, "meter_unknown")


async def test_whatever_is_made_by_post_is_made_once_per_key(clients, ledger):
    acme = await clients("acme")
    home = await created(acme)
    derived = await acme.post(
        f"/v1/properties/{home['id']}/meters", json={"meter_type": "derived", "name": "Sum"}
    )
    term = {"meter_id": home["meters"][2]["id"]}
    for path, body in (
        ("/v1/properties", HOME),
        ("/v1/properties/batch", {"items": [HOME, HOME]}),
        (f"/v1/properties/{home['id']}/meters", {"meter_type": "sub", "name": "Sub"}),
        ("/v1/users", {"name": "Ada", "email": "a@b.org", "property_id": home["id"]}),
        (
            f"/v1/meters/{derived.json()['id']}/definitions",
            {"from_on": "2025-01-01", "terms": [term]},
        ),
    ):
        key = {"Idempotency-Key": str(uuid4())}
        first = await acme.post(path, json=body, headers=key)
        assert first.status_code == 201, first.text
        published = await events(ledger)
        again = await acme.post(path, json=body, headers=key)
        assert (again.status_code, again.content) == (201, first.content), path
        assert again.headers["Idempotency-Replayed"] == "true"
        assert again.headers.get("ETag") == first.headers.get("ETag")
        assert await events(ledger) == published
