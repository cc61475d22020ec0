"""A tenant's defaults: a property needs name and address, and gets the meters of a template."""

import json
from uuid import uuid4

import pytest

from gridtally.contracts.registry import TenantDefaultsChanged
from gridtally.database import ALL_TENANTS, snapshot
from integration.ledger.properties import problem
from problems import paths

CHANNEL = {"flow": "import", "minutes": 15, "interval_wh_max": 25_000}
HOUSE = {"meter_type": "main", "name": "house", "channels": [CHANNEL]}
ROOF = {"meter_type": "solar", "name": "roof", "channels": []}
DEFAULTS = {"zone": "Europe/Oslo", "currency": "NOK", "country": "NO", "meters": [HOUSE, ROOF]}
NEW = {"name": "Fjellveien 3", "address": "Bergen"}


@pytest.fixture
async def acme(clients):
    return await clients("acme")


def kinds(home):
    return [
        (meter["meter_type"], meter["name"], len(meter["channels"])) for meter in home["meters"]
    ]


async def test_name_and_address_suffice_once_the_tenant_has_defaults(acme, clients, ledger):
    refused = await acme.post("/v1/properties", json=NEW)
    assert problem(refused) == (422, "zone_missing")
    assert paths(refused.json()) == ["/zone"]
    own = (await acme.get("/v1/tenant-defaults")).json()
    assert (own["zone"], [meter["meter_type"] for meter in own["meters"]]) == (
        None, ["gg", "sg", "total", "unmetered"],
    )  # fmt: skip

    set_ = await acme.put("/v1/tenant-defaults", json=DEFAULTS)
    assert set_.status_code == 200, set_.text
    home = (await acme.post("/v1/properties", json=NEW)).json()
    assert (home["zone"], kinds(home)) == (
        "Europe/Oslo",
        [("main", "house", 1), ("solar", "roof", 0)],
    )
    assert [meter["registers"][0]["flow"] for meter in home["meters"]] == ["import", "generation"]
    read = {"value": "7", "read_at": "2025-03-01T00:00:00Z"}
    answer = await acme.post(f"/v1/meters/{home['meters'][0]['id']}/readings", json=read)
    assert answer.status_code == 201, answer.text
    other = await clients("other")
    assert problem(await other.post("/v1/properties", json=NEW)) == (422, "zone_missing")

    async with snapshot(ledger, tenant=ALL_TENANTS) as rows:
        query = "SELECT key, value FROM outbox WHERE topic = $1"
        (row,) = await rows.raw.fetch(query, TenantDefaultsChanged.TOPIC)
    event = json.loads(row["value"])
    assert (row["key"], event["currency"], event["version"]) == ("acme:default", "NOK", 1)


async def test_what_a_request_names_comes_before_the_defaults(acme):
    await acme.put("/v1/tenant-defaults", json=DEFAULTS)
    none = await acme.post("/v1/properties", json=NEW | {"zone": "Asia/Tokyo", "meters": []})
    assert (none.json()["zone"], none.json()["meters"]) == ("Asia/Tokyo", [])
    one = await acme.post("/v1/properties", json=NEW | {"meters": [ROOF]})
    assert kinds(one.json()) == [("solar", "roof", 0)]
    total = {"meter_type": "total", "name": "total", "channels": [CHANNEL]}
    wider = {"meters": [total], "channels": {"total": [CHANNEL | {"minutes": 60}]}}
    named = (await acme.post("/v1/properties", json=NEW | wider)).json()
    assert [meter["channels"][0]["minutes"] for meter in named["meters"]] == [60]
    absent = await acme.post("/v1/properties", json=NEW | {"channels": {"total": [CHANNEL]}})
    assert problem(absent) == (422, "invalid_meter")


async def test_the_same_property_again_is_the_one_that_there_is_whatever_the_defaults(acme):
    await acme.put("/v1/tenant-defaults", json=DEFAULTS)
    new = NEW | {"id": str(uuid4())}
    home = (await acme.post("/v1/properties", json=new)).json()
    await acme.put("/v1/tenant-defaults", json={"zone": "Europe/Paris"})
    again = await acme.post("/v1/properties", json=new)
    assert (again.status_code, again.json()) == (200, home)
    other = await acme.post("/v1/properties", json=new | {"zone": "Europe/Paris"})
    assert problem(other) == (409, "property_exists")
    four = (await acme.post("/v1/properties", json=NEW)).json()
    assert len(four["meters"]) == 4
    assert four["zone"] == "Europe/Paris"


@pytest.mark.parametrize(
    ("defaults", "code"),
    [
        ({"zone": "Nowhere"}, "invalid_request"),
        ({"currency": "euro"}, "invalid_request"),
        ({"country": "Norway"}, "invalid_request"),
        ({"meters": [HOUSE, HOUSE]}, "invalid_meter"),
        ({"meters": [{"meter_type": "gg", "name": name} for name in "ab"]}, "invalid_meter"),
        (
            {"meters": [{"meter_type": "main", "name": str(n)} for n in range(21)]},
            "invalid_request",
        ),
    ],
)
async def test_defaults_that_cannot_be_are_refused(acme, defaults, code):
    assert problem(await acme.put("/v1/tenant-defaults", json=defaults)) == (422, code)
    assert (await acme.get("/v1/tenant-defaults")).json()["zone"] is None


async def test_days_begin_where_the_question_is_about(acme):
    """Read at midnight of the 1st in Oslo, which is eight in the morning in Tokyo."""
    await acme.put("/v1/tenant-defaults", json=DEFAULTS | {"zone": "Asia/Tokyo"})
    home = (await acme.post("/v1/properties", json=NEW | {"zone": "Europe/Oslo"})).json()
    meter = home["meters"][0]["id"]
    for value, at in (("1", "2025-02-28T22:59:59Z"), ("2", "2025-02-28T23:00:00Z")):
        await acme.post(f"/v1/meters/{meter}/readings", json={"value": value, "read_at": at})
    for query, values in (
        (f"meter_id={meter}&from=2025-03-01", ["2"]),
        (f"property_id={home['id']}&to=2025-03-01", ["1"]),
        ("from=2025-03-01", ["1", "2"]),  # in Tokyo the day began eight hours earlier
        ("from=2025-03-01T00:00:00%2B01:00", ["2"]),
    ):
        page = (await acme.get(f"/v1/readings?{query}")).json()
        assert [item["value"] for item in page["items"]] == values, query
        file = await acme.get(f"/v1/readings/export?{query}")
        assert len(file.text.splitlines()) == 1 + len(values), query
    own = (await acme.get(f"/v1/meters/{meter}/readings?from=2025-03-01")).json()
    assert [item["value"] for item in own["items"]] == ["2"]
    who = uuid4()
    for query, expected in (
        ("from=2025-03-01&to=2025-04-01&currency=EUR", 200),
        ("from=2025-03-01T00:00&to=2025-04-01&currency=EUR", 422),
        ("from=2025-04-01&to=2025-03-01&currency=EUR", 422),
    ):
        statement = await acme.get(f"/v1/customers/{who}/statement?{query}")
        assert statement.status_code == expected, query
    assert (await acme.get("/v1/payees?from=2025-03-01&to=2025-04-01")).status_code == 200
