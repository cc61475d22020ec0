"""After an erasure a person's name is in none of the databases any more, and the books hold."""

import json
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from uuid import UUID, uuid4

import asyncpg
import pytest

import gridtally.billing.app
import gridtally.ledger.app
from gridtally.billing.handlers.customers import publish_customers
from gridtally.contracts.commerce import CustomerChanged
from gridtally.contracts.envelope import Envelope
from gridtally.database import ALL_TENANTS, Database, snapshot, transaction
from gridtally.ledger.accounts.handlers.customers import apply_customers
from gridtally.ledger.audit.handlers.erasures import erase_customers
from gridtally.messaging import Publisher, ReceivedMessage
from gridtally.service.service import Process
from integration.apps import app_of

NOW = datetime(2026, 3, 1, tzinfo=UTC)
NAME = "Zyxwvut Qponmlk"
ADDRESS = {"street": f"{NAME} Str. 1", "city": "Bonn", "country": "DE"}
CUSTOMER = {
    "name": NAME, "currency": "EUR", "number": "C-7", "email": "zyxwvut@example.org",
    "phone_number": "+49 555 0199", "billing_address": ADDRESS, "supply_address": ADDRESS,
    "contacts": [{"name": f"Bo {NAME}"}], "tax_id": "ZYXWVUT1",
    "tax_exemptions": [{"tax_class": "vat", "start_on": "2025-01-01", "certificate": NAME}],
}  # fmt: skip
SECRETS = ("zyxwvut", "qponmlk", "555 0199")
TABLES = """
SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n
    ON n.oid = c.relnamespace
 WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
"""


@pytest.fixture
async def databases(service_url):
    """All four, by service."""
    opened, urls = {}, {}
    async with AsyncExitStack() as stack:
        for service in ("billing", "ingest", "ledger", "tariff"):
            urls[service] = await service_url(service)
            database = await Database.connect(urls[service], application="test")
            opened[service] = await stack.enter_async_context(database)
        yield opened, urls


@pytest.fixture
def api_of(databases, clients_of):
    """Opens a client of billing's or the ledger's API: `await api_of("billing")`."""
    apps = {"billing": gridtally.billing.app, "ledger": gridtally.ledger.app}

    async def client(name):
        database = databases[0][name]
        service = apps[name].SERVICE
        settings = service.settings_class(
            database_url="postgresql://x/x", kafka_bootstrap_servers="nowhere:1"
        )
        publisher = Publisher("nowhere:1", client_id="test", idempotent=True)  # never started
        process = Process(name, settings, database, publisher, lambda: NOW, None)
        parts = service.build(process)
        app = app_of(
            name,
            parts.routers,
            database=database,
            settings=settings,
            clock=lambda: NOW,
            state=parts.state,
        )
        return await clients_of(app, database)("acme")

    return client


async def tables_with(urls, postgres_admin_url, texts):
    """The tables with a row that holds one of the texts, as text or as bytes: what a search of a
    dump of all databases finds."""
    found = []
    needles = [*texts, *(text.encode().hex() for text in texts)]
    for service, url in urls.items():
        name = url.rpartition("/")[2].partition("?")[0]
        admin = await asyncpg.connect(postgres_admin_url, database=name)
        try:
            for (table,) in await admin.fetch(TABLES):
                rows = await admin.fetch(f"SELECT lower(t::text) AS row FROM {table} AS t")  # noqa: S608 - names of the catalogue
                if any(needle in row["row"] for row in rows for needle in needles):
                    found.append(f"{service}: {table}")
        finally:
            await admin.close()
    return found


async def apply_in_ledger(databases, events):
    topic = CustomerChanged.TOPIC
    envelope = Envelope(uuid4(), topic, "test", NOW, "acme", "c-1")
    changes = [(CustomerChanged.model_validate_json(value), value) for value in events]
    messages = [
        ReceivedMessage(event, envelope, topic, 0, 0, f"acme:{event.customer_id}", value)
        for event, value in changes
    ]
    async with transaction(databases["ledger"], tenant=ALL_TENANTS) as tx:
        await apply_customers(tx, messages)


async def bury(database, customer_id):
    """A dead letter that speaks of the customer, whose reason quotes them."""
    async with transaction(database, tenant=ALL_TENANTS) as tx:
        await tx.raw.execute(
            'INSERT INTO dead_letter (consumer, topic, partition, "offset", id, tenant_id, reason, '
            "headers, value, value_bytes) VALUES ('x', 'payment.received.v1', 0, 1, $1, 'acme', "
            "$2, '[]', $3, 9)",
            uuid4(),
            f"{NAME} is no amount",
            json.dumps({"customer_id": customer_id, "reference": NAME}).encode(),
        )


async def publish(database):
    """What billing puts into its outbox now, oldest first."""
    async with transaction(database, tenant=ALL_TENANTS) as tx:
        await publish_customers(tx, NOW)
        rows = await tx.raw.fetch(
            "SELECT value FROM outbox WHERE topic = $1", CustomerChanged.TOPIC
        )
    return [row["value"] for row in rows]


async def test_an_erased_name_is_nowhere_any_more(databases, api_of, postgres_admin_url):
    opened, urls = databases
    billing, ledger = await api_of("billing"), await api_of("ledger")
    keyed = {"Idempotency-Key": "k-1"}
    made = (await billing.post("/v1/customers", json=CUSTOMER, headers=keyed)).json()
    path = f"/v1/customers/{made['id']}"
    await apply_in_ledger(opened, await publish(opened["billing"]))
    home = await ledger.post("/v1/properties", json={"name": "House", "zone": "Europe/Berlin"})
    assert home.status_code == 201, home.text
    person = {"name": NAME, "email": CUSTOMER["email"], "property_id": home.json()["id"]}
    user = (await ledger.post("/v1/users", json=person, headers=keyed)).json()
    payment = {"customer_id": made["id"], "amount": "5", "currency": "EUR", "reference": NAME}
    assert (await ledger.post("/v1/payments", json=payment)).status_code == 201
    for service in ("billing", "ledger"):
        await bury(opened[service], made["id"])
    before = await tables_with(urls, postgres_admin_url, SECRETS)
    assert {table.partition(".")[2] for table in before} == {
        "addressee", "customer", "outbox", "idempotency_key", "registry_user", "dead_letter",
        "transaction",
    }  # fmt: skip
    balance = (await ledger.get(f"{path}/balance")).json()

    assert balance["currencies"], balance
    reason = {"reason": "asked for on 2026-02-27"}
    erased = await billing.post(f"{path}/erase", json=reason)
    assert erased.status_code == 200, erased.text
    assert (erased.json()["name"], erased.json()["number"]) == ("erased", "C-7")
    (newest,) = await publish(opened["billing"])
    event = json.loads(newest)
    assert (event["version"], event["name"]) == (2, "erased")
    assert datetime.fromisoformat(event["erased_at"]) == NOW
    assert [event[name] for name in ("email", "billing_address", "contacts")] == [None, None, []]
    await apply_in_ledger(opened, [newest])
    assert (await ledger.delete(f"/v1/users/{user['id']}")).status_code == 204
    async with transaction(opened["ledger"], tenant=ALL_TENANTS) as tx:
        await erase_customers(tx, NOW)  # the loop
        await tx.raw.execute("DELETE FROM outbox")  # the relay

    assert await tables_with(urls, postgres_admin_url, SECRETS) == []
    assert (await ledger.get(f"{path}/balance")).json() == balance
    assert (await ledger.get("/v1/reconciliation")).json()["ok"]
    (trail,) = (await billing.get("/v1/erasures")).json()["items"]
    assert (trail["customer_id"], trail["reason"]) == (made["id"], reason["reason"])
    assert trail["key_id"] == "keyacme0000"
    for service in (billing, ledger):
        (letter,) = (await service.get("/v1/dead-letters")).json()["items"]
        assert (letter["status"], letter["discarded_because"]) == ("discarded", "erased")


async def test_an_erasure_is_for_good(databases, api_of):
    billing = await api_of("billing")
    keyed = {"Idempotency-Key": "k-1"}
    made = (await billing.post("/v1/customers", json=CUSTOMER, headers=keyed)).json()
    path, reason = f"/v1/customers/{made['id']}", {"reason": "asked for"}
    assert (await billing.post(f"{path}/erase", json={})).status_code == 422
    stale = await billing.post(f"{path}/erase", json=reason, headers={"If-Match": '"9"'})
    assert stale.status_code == 412
    first = await billing.post(f"{path}/erase", json=reason)
    again = await billing.post(f"{path}/erase", json={"reason": "twice"})
    assert (again.status_code, again.json()) == (200, first.json())
    assert len((await billing.get("/v1/erasures")).json()["items"]) == 1
    changed = await billing.patch(path, json={"name": NAME}, headers={"If-Match": '"2"'})
    assert (changed.status_code, changed.json()["code"]) == (409, "customer_erased")
    repeated = await billing.post("/v1/customers", json=CUSTOMER, headers=keyed)
    assert (repeated.status_code, repeated.json()["code"]) == (410, "erased")
    async with snapshot(databases[0]["billing"], tenant="acme") as read:
        assert await read.raw.fetchval("SELECT count(*) FROM customer") == 1
    assert (await billing.post(f"/v1/customers/{uuid4()}/erase", json=reason)).status_code == 404


async def test_nobody_with_an_agreement_in_force_is_erased(api_of):
    billing = await api_of("billing")
    made = (await billing.post("/v1/customers", json=CUSTOMER)).json()
    agreed = {
        "customer_id": made["id"], "meter_id": str(uuid4()), "tariff_id": str(UUID(int=1)),
        "start_on": "2025-01-01",
    }  # fmt: skip
    agreement = await billing.post("/v1/agreements", json=agreed)
    path, reason = f"/v1/customers/{made['id']}/erase", {"reason": "asked for"}
    refused = await billing.post(path, json=reason)
    assert (refused.status_code, refused.json()["code"]) == (409, "agreement_in_force")
    await billing.patch(
        f"/v1/agreements/{agreement.json()['id']}",
        json={"end_on": NOW.date().isoformat()},
        headers={"If-Match": '"1"'},
    )
    assert (await billing.post(path, json=reason)).status_code == 200
