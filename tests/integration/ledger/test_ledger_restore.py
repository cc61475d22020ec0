"""A restored ledger has what it had said: meters, readings, payments, and the versions of all."""

from uuid import uuid4

from faults.polling import until
from gridtally.contracts.accounts import (
    AccountChanged,
)
from integration.ledger.accounts import (
    credit_note,
    invoice,
    outgoing,
    pay,
    payment,
    post,
    reconciled,
    reverse,
    voided,
    with_lines,
)
from integration.ledger.properties import read
from integration.ledger.restored import SAID, stored
from restores import said, until_drained, until_rows


async def register(client, name, **more):
    return await post(client, "properties", name=name, zone="Europe/Berlin", **more)


async def change(client, path, **body):
    answer = await client.patch(path, json=body, headers={"If-Match": "*"})
    assert answer.status_code == 200, answer.text


async def until_adopted(client):
    """Until a write is let through, which waits for all that is adopted."""

    async def is_open():
        answer = await client.put("/v1/payment-terms", json={"payment_days": 400})
        return answer.status_code != 503

    await until("adopted", is_open)


async def test_a_restored_ledger_has_what_it_had_said(
    restorable, running, publishing, kafka_bootstrap
):
    tenant = f"t-{uuid4().hex[:8]}"
    first, second, third = (invoice(n) for n in range(1, 4))
    customer = first.customer_id
    mine = second.model_copy(update={"customer_id": customer})

    async def send(*events):
        async with publishing() as publisher:
            await publisher.publish([outgoing(event, tenant) for event in events])

    async with running(tenant) as (database, acme):
        home = await register(acme, "Home")
        old = await register(acme, "Old")
        (total,) = (m["id"] for m in home["meters"] if m["meter_type"] == "total")
        await read(acme, total, ("100", "2025-03-01T00:00:00Z"))
        await send(first)
        await until_rows(database, "transaction", tenant, 1)
        await pay(acme, customer, "10", (first.invoice_id, "10"))
    await restorable.copy()

    async with running(tenant) as (database, acme):
        await register(acme, "Flat", parent_id=home["id"])
        await change(acme, f"/v1/properties/{home['id']}", name="Home again", zone="Europe/Paris")
        path = f"/v1/properties/{old['id']}"
        assert (await acme.delete(path, headers={"If-Match": "*"})).status_code == 204
        await read(acme, total, ("250.5", "2025-04-01T00:00:00Z"))
        await send(mine, third)
        await until_rows(database, "transaction", tenant, 4)
        paid = await pay(acme, customer, "50", (mine.invoice_id, "50"), reference="R 1")
        bounced = await pay(acme, customer, "5", (mine.invoice_id, "5"))
        await reverse(acme, bounced["id"])
        await send(payment(customer, "109.00", (first.invoice_id, "109.00")))
        await until_rows(database, "transaction", tenant, 8)
        note = credit_note(third)
        await send(note, voided(note))
        await until_rows(database, "transaction", tenant, 9)
        await until_drained(database, tenant, "entry_queue")
        before = await stored(database, tenant)
        await reconciled(acme)
    heard = await said(kafka_bootstrap, tenant, *SAID)
    balances = await said(kafka_bootstrap, tenant, AccountChanged)
    await restorable.restore()

    async with running(tenant) as (database, acme):
        await until_rows(database, "transaction", tenant, 9)
        await until_drained(database, tenant, "adopted_payment", "entry_queue")
        after = await stored(database, tenant)
        for table, rows in before.items():
            assert set(after[table]) ^ set(rows) == set(), table
        assert await said(kafka_bootstrap, tenant, *SAID) == heard
        await reconciled(acme)
        answered = {"reference": "R 1", "id": paid["document_id"]}
        again = await pay(acme, customer, "50", (mine.invoice_id, "50"), **answered)
        assert again["id"] == paid["id"]
    now = await said(kafka_bootstrap, tenant, AccountChanged)
    assert all(now[key] == words for key, words in balances.items())
    assert all(len(words) == 1 for words in now.values())
    assert restorable.logged("not adopted", tenant) == []
    assert restorable.logged("adopted payment refused", tenant) == []


async def test_what_was_posted_by_hand_is_posted_again(
    restorable, running, publishing, kafka_bootstrap
):
    """Refunds, write-offs, charges, credits, allocations and payments out of suspense, and what was
    reversed of them, also where the rule for credit would have spent what was refunded."""
    tenant = f"t-{uuid4().hex[:8]}"
    who = uuid4()
    bills = [invoice(n, customer=who) for n in range(1, 4)]
    unknown, known_as = uuid4(), {"customer_id": str(who), "currency": "EUR"}

    async def send(*events):
        async with publishing() as publisher:
            await publisher.publish([outgoing(event, tenant) for event in events])

    async with running(tenant) as (database, acme):
        await send(bills[0])
        await until_rows(database, "transaction", tenant, 1)
    await restorable.copy()

    async with running(tenant) as (database, acme):
        await pay(acme, who, "300")  # 181.00 become credit
        await post(acme, "refunds", **known_as, amount="181", reason="asked for")
        await send(bills[1])  # 119.00, open, although there was credit for it
        await until_rows(database, "transaction", tenant, 4)
        await post(
            acme, "write-offs", **known_as, amount="0.50", reason="too little", reference="W 1"
        )
        charge = await post(acme, "adjustments", **known_as, amount="7", reason="a reminder")
        fee = await post(acme, "adjustments", **known_as, amount="9", reason="by mistake")
        await reverse(acme, fee["id"])
        await post(acme, "adjustments", **known_as, amount="-20", reason="sorry", allocations=[])
        part = [{"invoice_id": charge["document_id"], "amount": "3"}]
        await post(acme, "allocations", **known_as, allocations=part)
        lost = await pay(acme, unknown, "30")
        path = f"unmatched-payments/{lost['id']}/assignment"
        await post(acme, path, customer_id=str(who), allocations=[])
        back = await pay(acme, unknown, "4")
        await post(acme, f"unmatched-payments/{back['id']}/refund", reason="not ours")
        await send(bills[2])  # credit pays some of it, by the rule
        await until_rows(database, "transaction", tenant, 16)
        await until_drained(database, tenant, "entry_queue")
        before = await stored(database, tenant)
        await reconciled(acme)
    heard = await said(kafka_bootstrap, tenant, *SAID)
    await restorable.restore()

    async with running(tenant) as (database, acme):
        await until_rows(database, "transaction", tenant, 16)
        await until_drained(database, tenant, "adopted_payment", "entry_queue")
        after = await stored(database, tenant)
        for table, rows in before.items():
            assert set(after[table]) ^ set(rows) == set(), table
        await reconciled(acme)
    assert await said(kafka_bootstrap, tenant, *SAID) == heard
    assert restorable.logged("adopted payment refused", tenant) == []


async def test_settlements_and_their_reversals_come_back(
    restorable, running, publishing, kafka_bootstrap
):
    """Also those of an invoice, and of a payee, that the copy does not have, and of taxes."""
    tenant = f"t-{uuid4().hex[:8]}"
    lines = ("energy", "10.00"), ("energy", "30.00", "Grid"), ("tax", "4.00")
    bills = [with_lines(invoice(n), *lines) for n in range(2)]
    town = with_lines(invoice(2), ("energy", "5.00", "Town"))

    async def send(*events):
        async with publishing() as publisher:
            await publisher.publish([outgoing(event, tenant) for event in events])

    async def settle(client, payee, amount, **other):
        page = (await client.get("/v1/payees")).json()
        [id_] = [item["id"] for item in page["items"] if item["payee"] == payee]
        return await post(client, f"payees/{id_}/settlements", amount=amount, **other)

    async with running(tenant) as (database, acme):
        await send(bills[0])
        await until_rows(database, "transaction", tenant, 1)
        first = await settle(acme, "Grid", "10.00", reference="G 1")
    await restorable.copy()

    async with running(tenant) as (database, acme):
        await send(bills[1], town)
        await until_rows(database, "transaction", tenant, 4)
        second = await settle(acme, "Grid", "50.00", memo="by mistake")
        await reverse(acme, second["id"])
        await reverse(acme, first["id"])
        await settle(acme, "Town", "7.00", in_advance=True, occurred_at="2025-06-01T00:00:00Z")
        paid = await settle(acme, None, "8.00", reference="VAT")
        await until_drained(database, tenant, "entry_queue")
        before, owed = await stored(database, tenant), (await acme.get("/v1/payees")).json()
        await reconciled(acme)
    heard = await said(kafka_bootstrap, tenant, *SAID)
    await restorable.restore()

    async with running(tenant) as (database, acme):
        await until_rows(database, "transaction", tenant, 9)
        await until_drained(database, tenant, "entry_queue")
        after = await stored(database, tenant)
        for table, rows in before.items():
            assert set(after[table]) ^ set(rows) == set(), table
        assert (await acme.get("/v1/payees")).json() == owed
        await reconciled(acme)
        again = await settle(acme, None, "8.00", reference="VAT", id=paid["document_id"])
        assert again["id"] == paid["id"]
    assert await said(kafka_bootstrap, tenant, *SAID) == heard
    assert restorable.logged("not adopted", tenant) == []


async def test_users_definitions_and_payment_terms_come_back(restorable, running, kafka_bootstrap):
    """Also where an e-mail address has moved from one to another, a user or their meter is gone, or
    a definition was replaced for its day."""
    tenant = f"t-{uuid4().hex[:8]}"

    async def user(client, name, home, **more):
        body = {"name": name, "email": f"{name}@example.com", "property_id": home["id"]}
        return await post(client, "users", **body | more)

    async def define(client, meter, *terms, from_on="2025-01-01"):
        named = [{"meter_id": id_, "sign": sign} for id_, sign in terms]
        return await post(client, f"meters/{meter}/definitions", from_on=from_on, terms=named)

    async def remove(client, path):
        answer = await client.delete(path, headers={"If-Match": "*"})
        assert answer.status_code == 204, answer.text

    async with running(tenant) as (database, acme):
        home, old = await register(acme, "Home"), await register(acme, "Old")
        meter = {m["meter_type"]: m["id"] for m in home["meters"]}
        ada = await user(acme, "ada", home, default_meter_id=meter["gg"])
        bob = await user(acme, "bob", home)
        await user(acme, "old", old)
        assert (await acme.put("/v1/payment-terms", json={"payment_days": 20})).is_success
    await restorable.copy()

    async with running(tenant) as (database, acme):
        await remove(acme, f"/v1/users/{bob['id']}")
        await user(acme, "eve", home, email="bob@example.com", default_meter_id=meter["total"])
        await change(acme, f"/v1/users/{ada['id']}", name="Ada", phone_number="+49 30 1")
        await remove(acme, f"/v1/meters/{meter['gg']}")
        await remove(acme, f"/v1/properties/{old['id']}")
        await define(acme, meter["unmetered"], (meter["total"], 1))
        await define(acme, meter["unmetered"], (meter["total"], 1), (meter["sg"], -1))
        await define(acme, meter["unmetered"], (meter["total"], 1), from_on="2025-06-01")
        wanted = {"payment_days": 30, "credit_allocation": "manual"}
        assert (await acme.put("/v1/payment-terms", json=wanted)).is_success
        defaults = {"zone": "Europe/Oslo", "currency": "NOK", "country": "NO", "meters": []}
        assert (await acme.put("/v1/tenant-defaults", json=defaults)).is_success
        await until_drained(database, tenant, "entry_queue", "outbox")
        before = await stored(database, tenant)
        users = (await acme.get("/v1/users")).json()["items"]
    heard = await said(kafka_bootstrap, tenant, *SAID)
    await restorable.restore()

    async with running(tenant) as (database, acme):
        await until_adopted(acme)
        await until_drained(database, tenant, "entry_queue")
        after = await stored(database, tenant)
        for table, rows in before.items():
            assert set(after[table]) ^ set(rows) == set(), table
        assert [(u["name"], u["email"], u["default_meter_id"], u["version"]) for u in users] == [
            ("Ada", "ada@example.com", None, 3),
            ("eve", "bob@example.com", meter["total"], 1),
        ]
        terms = (await acme.get("/v1/payment-terms")).json()
        assert (terms["payment_days"], terms["credit_allocation"]) == (30, "manual")
        assert (await acme.get("/v1/tenant-defaults")).json() == defaults
        assert await said(kafka_bootstrap, tenant, *SAID) == heard
    assert restorable.logged("not adopted", tenant) == []
