"""Direct debits from the mandate to the bank's answer: an item is collected once, and a debit that
comes back opens it again."""

from datetime import timedelta
from uuid import uuid4

from gridtally.contracts.direct_debits import DirectDebitChanged, MandateChanged
from gridtally.contracts.envelope import Envelope
from gridtally.database import ALL_TENANTS, snapshot, transaction
from gridtally.http.context import utc_now
from gridtally.ledger.accounts.handlers.customers import apply_customers
from gridtally.messaging import ReceivedMessage
from integration.ledger.accounts import (
    customer,
    issue,
    known,
    pay,
    post,
    posted,
    reconciled,
    reported,
    reverse,
    states,
)
from integration.ledger.debits import (
    COLLECTED,
    CREDITOR,
    IBAN,
    TODAY,
    batch_of,
    came_back,
    came_in,
    collect,
    collect_for,
    debtor,
    put,
    read_bank,
    sign,
    states_of,
)
from integration.ledger.test_ledger_payment_plans import agree, cancel, equal


async def mandate_of(client, who, status=200):
    answer = await client.get(f"/v1/customers/{who}/mandate")
    assert answer.status_code == status, answer.text
    return answer.json()


def numbers(batch):
    return [(own["number"], own["amount"]) for own in batch["debits"]]


async def test_a_mandate_is_masked_replaced_and_revoked(ledger, acme):
    assert (await mandate_of(acme, uuid4(), 404))["code"] == "mandate_unknown"
    assert (await sign(acme, uuid4(), 404))["code"] == "customer_unknown"
    who, other = await known(ledger), await known(ledger)
    signed = await sign(acme, who, mandate_id="M-1", iban="de02 1203 0000 0000 2020 51")
    assert signed == await mandate_of(acme, who)
    assert (signed["masked_iban"], signed["state"]) == ("DE02…2051", "in_force")
    assert IBAN not in str(signed)
    assert (await sign(acme, who, 422, iban=IBAN[:-1] + "2"))["errors"][0]["pointer"] == "#/iban"
    for day in ("9999-12-31", "0001-01-01"):
        assert (await sign(acme, who, 422, signed_on=day))["errors"][0]["pointer"] == "#/signed_on"
    assert (await sign(acme, other, 409, mandate_id="M-1"))["code"] == "mandate_id_taken"
    await sign(acme, who, mandate_id="M-1")  # the same again
    corrected = await sign(acme, who, mandate_id="M-1", holder="Ada B.")  # nothing rests on it yet
    assert corrected["holder"] == "Ada B."
    path = f"/v1/customers/{who}/mandate"
    for _ in range(2):
        assert (await acme.delete(path)).status_code == 204
    assert (await mandate_of(acme, who))["state"] == "revoked"
    assert (await acme.delete(f"/v1/customers/{other}/mandate")).status_code == 404
    assert (await sign(acme, who, 409, mandate_id="M-1"))["code"] == "mandate_used"
    assert (await sign(acme, who, mandate_id="M-2"))["state"] == "in_force"
    said = [(own.mandate_id, own.version) for own in await reported(ledger, MandateChanged)]
    assert said == [("M-1", 1), ("M-1", 2), ("M-1", 3), ("M-2", 4)]


async def test_a_batch_collects_what_is_open_once(ledger, acme, clients):
    assert (await collect(acme, 422))["code"] == "creditor_missing"
    assert (await acme.get("/v1/direct-debit-settings")).json()["creditor_id"] is None
    assert (await collect_for(acme))["lead_days"] == 2
    assert (await acme.get("/v1/direct-debit-settings")).json() == CREDITOR | {
        "bic": None, "lead_days": 2,
    }  # fmt: skip
    soon = await collect(acme, 422, collection_on=f"{TODAY}")
    assert soon["code"] == "collection_day_refused"
    who, (first, _) = await debtor(ledger, acme, "70.005", "30.00")
    await issue(ledger, "9.00")  # of nobody with a mandate
    await issue(ledger, "8.00", customer=who, due_on=f"{TODAY + timedelta(days=9)}")
    await pay(acme, who, "20.00", (first.invoice_id, "20.00"))
    fee = {"customer_id": str(who), "currency": "EUR", "amount": "5", "reason": "late fee",
           "reference": "FEE", "occurred_at": "2025-03-01T00:00:00Z",
           "due_on": "2025-03-15"}  # fmt: skip
    await post(acme, "adjustments", **fee)
    tried = await collect(acme, 200, dry_run=True)
    assert (tried["id"], tried["count"], tried["total"]) == (None, 3, "85.00")
    again = {"Idempotency-Key": "once"}
    batch = await collect(acme, headers=again)
    assert await collect(acme, headers=again) == batch
    assert numbers(batch) == numbers(tried) == [
        ("FEE", "5.00"), ("INV-0", "50.00"), ("INV-1", "30.00"),
    ]  # fmt: skip
    for made in (tried, batch):
        assert [own["kind"] for own in made["debits"]] == ["charge", "invoice", "invoice"]
    assert (batch["total"], batch["more"], IBAN in str(batch)) == ("85.00", False, False)
    assert (await collect(acme, 200))["count"] == 0
    file = await batch_of(acme, batch, "/file")
    assert file.headers["content-type"].startswith("application/xml")
    assert file.content.count(f"<IBAN>{IBAN}".encode()) == 5  # its first, and two later ones
    assert (await batch_of(acme, batch, "/file")).content == file.content
    assert (await batch_of(acme, batch)).json() == batch
    [listed] = (await acme.get("/v1/direct-debits")).json()["items"]
    assert listed == {name: batch[name] for name in listed}
    other = await clients("other")
    assert (await other.get("/v1/direct-debits")).json()["items"] == []
    for path in ("", "/file"):
        await batch_of(other, batch, path, 404)

    cancelled = await post(acme, f"direct-debits/{batch['id']}/cancel", 200)
    assert cancelled["state"] == "cancelled"
    assert {own["state"] for own in cancelled["debits"]} == {"cancelled"}
    ended = await post(acme, f"direct-debits/{batch['id']}/cancel", 409)
    assert ended["code"] == "direct_debits_ended"
    await batch_of(acme, batch, "/file", 409)
    assert numbers(await collect(acme)) == numbers(batch)
    listed = (await acme.get("/v1/direct-debits")).json()["items"]
    assert batch["id"] in {own["id"] for own in listed}  # of one second, the ids decide
    assert listed == sorted(listed, key=lambda own: (own["created_at"], own["id"]))
    newest = await by_one(acme, "/v1/direct-debits", "-created_at")
    assert newest == listed[::-1]
    assert len(newest) == 2


async def by_one(client, path, sort):
    """All of a list, in an order, page by page; a cursor of one order is refused in another."""
    items, params = [], {"limit": 1, "sort": sort}
    while True:
        page = (await client.get(path, params=params)).json()
        items += page["items"]
        if page["next_cursor"] is None:
            return items
        params["cursor"] = page["next_cursor"]
        turned = await client.get(path, params=params | {"sort": sort.removeprefix("-")})
        assert turned.json()["code"] == "invalid_cursor"


async def test_what_the_bank_says_is_booked_by_the_debits_name(ledger, acme):
    await collect_for(acme)
    who, _ = await debtor(ledger, acme, "70.00", "30.00", "10.00")
    batch = await collect(acme)
    one, two, three = batch["debits"]
    sequences = sorted(own["sequence"] for own in batch["debits"])
    assert sequences == ["first", "recurrent", "recurrent"]
    assert (await mandate_of(acme, who))["sequence"] == "recurrent"
    statement = (came_in(one), came_in(two), came_in(three, "9.00"))
    tried = await read_bank(acme, *statement, dry_run=True)
    assert (tried["matched"], tried["unmatched"]) == (2, 1)
    booked = await read_bank(acme, *statement)
    assert (booked["matched"], booked["unmatched"], booked["returned"]) == (2, 1, 0)
    assert await states(acme, who) == {
        "INV-0": ("paid", "0.00"), "INV-1": ("paid", "0.00"), "INV-2": ("open", "10.00"),
    }  # fmt: skip
    assert (await read_bank(acme, *statement))["present"] == 3
    used = await mandate_of(acme, who)
    assert (used["sequence"], used["last_collected_on"]) == (
        "recurrent", COLLECTED["collection_on"],
    )  # fmt: skip
    refused = await sign(acme, who, 409, holder="Bob")
    assert refused["code"] == "mandate_used"
    begun = await post(acme, f"direct-debits/{batch['id']}/cancel", 409)
    assert begun["code"] == "direct_debits_ended"

    back = came_back(two, "MD06", amount="33.50")  # with the bank's charge
    assert (await read_bank(acme, back, dry_run=True))["returned"] == 1
    returned = await read_bank(acme, back, came_back({"end_to_end_id": "0" * 32}, amount="1"))
    assert returned["returned"] == 1
    assert [own["state"] for own in returned["returns"]] == ["returned", "unknown"]
    assert returned["returns"][0]["invoice_id"] == two["invoice_id"]
    assert (await read_bank(acme, back))["returns"][0]["state"] == "present"
    assert await states_of(acme, batch) == [
        ("INV-0", "collected", None), ("INV-1", "returned", "MD06"), ("INV-2", "open", None),
    ]  # fmt: skip
    assert (await states(acme, who))["INV-1"] == ("open", "30.00")
    await reconciled(acme)
    assert (await collect(acme, 200))["count"] == 0  # what came back is asked for by name
    retried = await collect(acme, returned_too=True)
    assert numbers(retried) == [("INV-1", "30.00")]
    assert retried["debits"][0]["sequence"] == "recurrent"
    other = f"{uuid4()}"[:35]
    await sign(acme, who, mandate_id=other)
    refused = await sign(acme, who, 409)  # what was signed under that id was another mandate
    assert refused["code"] == "mandate_used"


async def test_a_return_may_come_before_the_payment(ledger, acme):
    await collect_for(acme)
    who, _ = await debtor(ledger, acme, "70.00")
    batch = await collect(acme)
    [debit] = batch["debits"]
    assert (await read_bank(acme, came_back(debit, "AC04")))["returned"] == 1
    assert (await read_bank(acme, came_in(debit)))["present"] == 1
    later = came_in(debit, on=TODAY + timedelta(days=1))  # a transfer that is called so too
    assert (await read_bank(acme, later))["unmatched"] == 1
    assert (await read_bank(acme, later))["present"] == 1
    assert await states_of(acme, batch) == [("INV-0", "returned", "AC04")]
    assert await states(acme, who) == {"INV-0": ("open", "70.00")}
    await reconciled(acme)


async def test_only_what_was_asked_for_is_a_debits_payment(ledger, acme):
    """A cent that is called by the same id from end to end comes first."""
    await collect_for(acme)
    await debtor(ledger, acme, "70.00")
    batch = await collect(acme)
    [debit] = batch["debits"]
    await read_bank(acme, came_in(debit, "0.01"), came_in(debit))
    assert await states_of(acme, batch) == [("INV-0", "collected", None)]
    suspense = (await acme.get("/v1/accounts")).json()["items"]
    [cash] = [own["balance"] for own in suspense if own["code"].startswith("cash")]
    assert cash == "70.01"
    await reconciled(acme)


async def test_a_return_of_money_that_was_booked_otherwise_is_for_people(ledger, acme):
    await collect_for(acme)
    who, [bill] = await debtor(ledger, acme, "70.00")
    batch = await collect(acme)
    [debit] = batch["debits"]
    await pay(acme, who, "70.00", (bill.invoice_id, "70.00"))
    [back] = (await read_bank(acme, came_back(debit)))["returns"]
    assert back["state"] == "unknown"
    assert (await states(acme, who))["INV-0"][0] == "paid"
    await reconciled(acme)


async def test_a_customer_who_is_deleted_leaves_no_mandate(ledger, acme):
    await collect_for(acme)
    who, _ = await debtor(ledger, acme, "70.00")
    batch = await collect(acme)
    envelope = Envelope(uuid4(), "customer.changed.v1", "test", utc_now(), "acme", "c")
    ended = ReceivedMessage(None, envelope, envelope.event_type, 0, 0, f"acme:{who}", None)
    async with transaction(ledger, tenant=ALL_TENANTS) as tx:
        await apply_customers(tx, [ended])
    assert (await mandate_of(acme, who, 404))["code"] == "mandate_unknown"
    assert (await batch_of(acme, batch, "/file", 410)).json()["code"] == "erased"


async def test_who_reverses_by_hand_gives_no_banks_reason(ledger, acme):
    await collect_for(acme)
    await debtor(ledger, acme, "70.00")
    batch = await collect(acme)
    await read_bank(acme, came_in(batch["debits"][0]))
    [debit] = (await batch_of(acme, batch)).json()["debits"]
    await reverse(acme, debit["payment_id"])
    assert await states_of(acme, batch) == [("INV-0", "returned", None)]


async def test_what_is_not_collected(ledger, acme):
    """An item in a plan, another currency, mandates that are not in force, a second item of a
    mandate for one debit."""
    await collect_for(acme)
    planned, [bill] = await debtor(ledger, acme, "10.00")
    plan = await agree(acme, planned, [bill], **equal())
    dollars, _ = await issue(ledger, "10.00", currency="USD")
    await known(ledger, dollars)
    await sign(acme, dollars)
    revoked, _ = await debtor(ledger, acme, "10.00")
    assert (await acme.delete(f"/v1/customers/{revoked}/mandate")).status_code == 204
    await debtor(ledger, acme, "10.00", signed_on=f"{TODAY + timedelta(days=9)}")
    long_ago = {"signed_on": "2020-01-01", "sequence": "recurrent"}
    await debtor(ledger, acme, "10.00", **long_ago)
    assert (await collect(acme, 200))["count"] == 0
    await debtor(ledger, acme, "11.00", **long_ago, last_collected_on=f"{TODAY}")
    single, _ = await debtor(ledger, acme, "12.00", "13.00", sequence="one_off")
    await cancel(acme, plan)
    batch = await collect(acme)
    amounts = [own["amount"] for own in batch["debits"]]
    assert sorted(amounts) == ["10.00", "11.00", "12.00"]
    assert (await collect(acme, 200))["count"] == 0
    [only] = [own for own in batch["debits"] if own["customer_id"] == str(single)]
    await read_bank(acme, came_in(only))
    assert (await mandate_of(acme, single))["state"] == "used"
    assert (await collect(acme, 200))["count"] == 0


async def test_a_person_who_is_erased_is_in_no_file(ledger, acme, superuser):
    await collect_for(acme)
    name, account = "Zyxwvut Qponmlk", "NL91ABNA0417164300"
    who, _ = await debtor(ledger, acme, "70.00", holder=name, iban=account)
    batch = await collect(acme, headers={"Idempotency-Key": "k"})
    erased = customer(who).model_copy(update={"version": 2, "erased_at": utc_now()})
    await posted(ledger, apply_customers, erased)
    assert (await mandate_of(acme, who, 404))["code"] == "mandate_unknown"
    assert (await batch_of(acme, batch, "/file", 410)).json()["code"] == "erased"
    [debit] = (await batch_of(acme, batch)).json()["debits"]
    assert (debit["masked_iban"], debit["amount"]) == (None, "70.00")
    assert (await sign(acme, who, 404))["code"] == "customer_unknown"
    for table in ("mandate", "direct_debit", "idempotency_key"):
        rows = await superuser.fetch(f"SELECT t::text AS row FROM {table} AS t")  # noqa: S608 - ours
        assert not any(text in row["row"] for row in rows for text in (name, account)), table
    async with snapshot(ledger, tenant=ALL_TENANTS) as read:
        query = "SELECT value FROM outbox WHERE topic = $1 ORDER BY seq"
        said = [row["value"] for row in await read.raw.fetch(query, MandateChanged.TOPIC)]
    assert said[-1] is None
    newest = (await reported(ledger, DirectDebitChanged))[-1]
    assert (newest.iban, newest.holder, newest.version) == (None, None, 2)


async def test_the_creditor_is_checked(acme):
    wrong = await put(acme, "direct-debit-settings", 422, **CREDITOR | {"creditor_id": "DE97ZZZ1"})
    assert wrong["errors"][0]["pointer"] == "#/creditor_id"
