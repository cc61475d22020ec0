"""Customers in full: made, found, changed, deleted, and each version published once."""

import json
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from gridtally.billing.handlers.customers import publish_customers
from gridtally.contracts.registry import TenantDefaultsChanged
from gridtally.database import ALL_TENANTS, transaction
from problems import paths

NOW = datetime(2025, 4, 2, tzinfo=UTC)


async def test_customers_are_published_once(world, clients):
    client = await clients(world.tenant)
    new = [
        {"id": str(uuid4()), "name": name, "currency": currency}
        for name, currency in (("Ada", "EUR"), ("Bo", "JPY"))
    ]
    assert (await client.post("/v1/customers/batch", json={"items": new})).status_code == 201
    counts = []
    for _ in range(2):
        async with transaction(world.database, tenant=ALL_TENANTS) as tx:
            counts.append(await publish_customers(tx, NOW))
    assert counts == [2, 0]
    rows = await world.rows("SELECT value FROM outbox WHERE topic = 'customer.changed.v1'")
    published = [json.loads(row["value"]) for row in rows]
    names = ("customer_id", "currency", "name", "version")
    assert sorted(
        (tuple(value[name] for name in names) for value in published), key=lambda value: value[1]
    ) == [(customer["id"], customer["currency"], customer["name"], 1) for customer in new]


ADDRESS = {
    "street": "Lindenstr. 1", "addition": None, "postal_code": "10969", "city": "Berlin",
    "region": None, "country": "DE",
}  # fmt: skip
WHOLE = {
    "name": "Ada Example",
    "currency": "EUR",
    "email": "ada@example.org",
    "number": "C-1001",
    "phone_number": "+49 30 1234",
    "language": "de-AT",
    "billing_address": ADDRESS,
    "supply_address": ADDRESS | {"street": "100% Weg 7"},
    "contacts": [{"name": "Bo", "role": "accounts", "email": None, "phone_number": "+49 1"}],
    "tax_id": "DE123456789",
    "tax_exemptions": [
        {"tax_class": "vat", "start_on": "2025-01-01", "end_on": None, "certificate": "Z-17"}
    ],
    "payment_days": 30,
    "e_invoice_consent_on": "2025-02-01",
}


async def make(api, **fields):
    answer = await api.post("/v1/customers", json={"name": "Ada", "currency": "EUR"} | fields)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def published(world):
    """What the loop publishes now."""
    async with transaction(world.database, tenant=ALL_TENANTS) as tx:
        await publish_customers(tx, NOW)
    rows = await world.rows("SELECT value FROM outbox WHERE topic = 'customer.changed.v1'")
    return [json.loads(row["value"]) if row["value"] else None for row in rows]


async def test_all_that_is_known_of_a_customer_is_stored_shown_and_published(world, clients):
    api = await clients(world.tenant)
    made = await make(api, **WHOLE)
    assert {name: made[name] for name in WHOLE} == WHOLE
    assert (made["version"], made["erased_at"]) == (1, None)
    shown = await api.get(f"/v1/customers/{made['id']}")
    assert (shown.json(), shown.headers["ETag"]) == (made, '"1"')
    (event,) = await published(world)
    assert {name: event[name] for name in WHOLE} == WHOLE
    again = await api.post("/v1/customers", json=WHOLE | {"id": made["id"]})
    assert again.status_code == 200


async def test_a_customer_is_changed_by_whoever_has_seen_it(world, clients):
    api = await clients(world.tenant)
    made = await make(api, **WHOLE)
    path = f"/v1/customers/{made['id']}"
    assert (await api.patch(path, json={"name": "Eve"})).status_code == 428
    one = {"If-Match": '"1"'}
    changed = await api.patch(path, json={"name": "Eve", "email": None}, headers=one)
    assert changed.status_code == 200, changed.text
    assert (changed.json()["version"], changed.headers["ETag"]) == (2, '"2"')
    same = ("updated_at", "version", "name", "email")
    assert {k: v for k, v in changed.json().items() if k not in same} == {
        k: v for k, v in made.items() if k not in same
    }
    assert (await api.patch(path, json={"name": "Bob"}, headers=one)).status_code == 412
    two = {"If-Match": '"2"'}
    assert (await api.patch(path, json={"name": None}, headers=two)).status_code == 422
    unchanged = await api.patch(path, json={"name": "Eve"}, headers=two)
    assert unchanged.json()["version"] == 2, "nothing is different"
    replaced = await api.put(path, json={"name": "Eve", "currency": "EUR"}, headers=two)
    assert (replaced.json()["contacts"], replaced.json()["number"]) == ([], None)
    assert [event["version"] for event in await published(world)] == [3]
    ends_before = {"tax_class": "vat", "start_on": "2025-01-01", "end_on": "2024-01-01"}
    wrong = await api.patch(
        path, json={"tax_exemptions": [ends_before]}, headers={"If-Match": '"3"'}
    )
    assert (wrong.status_code, wrong.json()["code"]) == (422, "invalid_customer")
    other = await clients("another")
    assert (await other.patch(path, json={"name": "x"}, headers=two)).status_code == 404


async def test_a_number_is_one_customers_within_its_tenant(world, clients):
    api, other = await clients(world.tenant), await clients("another")
    await make(api, number="7")
    await make(other, number="7")
    await make(api)
    second = await make(api, number="8")
    new = {"name": "Eve", "currency": "EUR", "number": "7"}
    batch = await api.post("/v1/customers/batch", json={"items": [new]})
    changed = await api.patch(
        f"/v1/customers/{second['id']}", json={"number": "7"}, headers={"If-Match": '"1"'}
    )
    for refused in (await api.post("/v1/customers", json=new), batch, changed):
        assert (refused.status_code, refused.json()["code"]) == (409, "customer_number_taken")


async def test_customers_are_found_by_a_text(world, clients):
    api = await clients(world.tenant)
    whole = await make(api, **WHOLE)
    await make(api, name="Bob 50% Off", number="B_1")
    for text in ("ada ex", "c-1001", "EXAMPLE.org", "lindenstr", "100% W", "30 1234"):
        found = (await api.get("/v1/customers", params={"text": text})).json()["items"]
        assert [item["id"] for item in found] == [whole["id"]], text
    for text in ("zzz", "100_", "50_ Off"):
        assert (await api.get("/v1/customers", params={"text": text})).json()["items"] == []
    by_number = (await api.get("/v1/customers", params={"number": "B_1"})).json()["items"]
    assert [item["name"] for item in by_number] == ["Bob 50% Off"]
    page = (await api.get("/v1/customers", params={"text": "a", "limit": 1})).json()
    assert (len(page["items"]), page["next_cursor"]) == (1, None)


async def test_only_a_customer_without_agreements_is_deleted(world, clients, make_agreement):
    api = await clients(world.tenant)
    first, second = await make(api), await make(api)
    await published(world)
    await make_agreement(api, first["id"])
    refused = await api.delete(f"/v1/customers/{first['id']}")
    assert (refused.status_code, refused.json()["code"]) == (409, "in_use")
    path = f"/v1/customers/{second['id']}"
    assert (await api.delete(path, headers={"If-Match": '"9"'})).status_code == 412
    assert (await api.delete(path)).status_code == 204
    assert (await api.get(path)).status_code == 404
    assert (await api.delete(path)).status_code == 404
    assert (await published(world)).count(None) == 1, "a tombstone"


@pytest.fixture
def make_agreement():
    async def made(api, customer_id):
        new = {
            "customer_id": customer_id, "meter_id": str(uuid4()), "tariff_id": str(uuid4()),
            "start_on": "2025-01-01",
        }  # fmt: skip
        answer = await api.post("/v1/agreements", json=new)
        assert answer.status_code == 201, answer.text
        return answer.json()

    return made


async def test_a_post_under_one_idempotency_key_is_done_once(world, clients):
    api = await clients(world.tenant)
    keyed = {"Idempotency-Key": "k-1"}
    new = {"name": "Ada", "currency": "EUR"}
    answers = [await api.post("/v1/customers", json=new, headers=keyed) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert answers[1].headers["Idempotency-Replayed"] == "true"
    assert len((await api.get("/v1/customers")).json()["items"]) == 1
    other = await api.post("/v1/customers", json=new | {"name": "Eve"}, headers=keyed)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    agreed = {
        "customer_id": answers[0].json()["id"], "meter_id": str(uuid4()),
        "tariff_id": str(uuid4()), "start_on": "2025-01-01",
    }  # fmt: skip
    for path, body in (
        ("/v1/agreements", agreed),
        ("/v1/agreements/batch", {"items": [agreed | {"meter_id": str(uuid4())}]}),
        ("/v1/customers/batch", {"items": [new]}),
    ):
        key = {"Idempotency-Key": path}
        first, second = [await api.post(path, json=body, headers=key) for _ in range(2)]
        assert (first.status_code, first.json()) == (second.status_code, second.json()), path
        assert second.headers["Idempotency-Replayed"] == "true", path


async def test_a_currency_stays_once_something_was_issued_in_it(world, clients):
    api = await clients(world.tenant)
    made = await make(api)
    path = f"/v1/customers/{made['id']}"
    changed = await api.patch(path, json={"currency": "SEK"}, headers={"If-Match": '"1"'})
    assert changed.json()["currency"] == "SEK"
    async with transaction(world.database, tenant=world.tenant) as tx:
        await tx.raw.execute(
            "INSERT INTO issued_total VALUES ($1, $2, 'SEK', 5)", world.tenant, UUID(made["id"])
        )
    refused = await api.patch(path, json={"currency": "EUR"}, headers={"If-Match": '"2"'})
    assert (refused.status_code, refused.json()["code"]) == (409, "currency_in_use")


async def test_customers_have_the_currency_and_addresses_the_country_of_the_tenant(world, clients):
    api = await clients(world.tenant)
    refused = await api.post("/v1/customers", json={"name": "Ada"})
    assert (refused.json()["code"], paths(refused.json())) == ("currency_missing", ["/currency"])
    lane = {"street": "Fjellveien 3", "city": "Bergen"}
    new = {"name": "Ada", "currency": "EUR", "supply_address": lane}
    assert (await api.post("/v1/customers", json=new)).json()["code"] == "country_missing"

    for version, currency in ((2, "NOK"), (1, "SEK")):
        await world.default(TenantDefaultsChanged(currency=currency, country="NO", version=version))
    again = {"id": str(uuid4()), "name": "Ada", "supply_address": lane}
    made = await api.post("/v1/customers/batch", json={"items": [again]})
    (ada,) = made.json()["items"]
    assert (ada["currency"], ada["supply_address"]["country"]) == ("NOK", "NO")
    await world.default(TenantDefaultsChanged(currency="EUR", country="NO", version=3))
    same = await api.post("/v1/customers", json=again)
    assert (same.status_code, same.json()["currency"]) == (200, "NOK")
    change = {"billing_address": lane | {"country": "SE"}}
    changed = await api.patch(
        f"/v1/customers/{ada['id']}", json=change, headers={"If-Match": '"1"'}
    )
    assert changed.json()["billing_address"]["country"] == "SE"
