"""Customers' credit on the real database: what it pays, and where it is taken back from."""

from datetime import UTC, datetime

import pytest

from gridtally.contracts.accounts import PaymentRecorded
from gridtally.database import ALL_TENANTS, transaction
from gridtally.ledger.accounts.handlers.credit import apply_due_credits
from gridtally.ledger.accounts.handlers.postings import post_credit_notes, post_invoices
from integration.ledger.accounts import (
    balance,
    credit_note,
    declare,
    invoice,
    issue,
    known,
    pay,
    post,
    posted,
    published,
    reconciled,
    reported,
    reverse,
    statement_page,
    states,
)
from problems import paths


async def test_a_payment_that_bounces_takes_its_money_back_from_wherever_it_has_gone(ledger, acme):
    """30 paid 10; of the 20 in credit 15 paid the next one, and 3 were paid out."""
    customer, _ = await issue(ledger, "10")
    paid = await pay(acme, customer, "30")
    await posted(ledger, post_invoices, invoice("b", customer=customer, energy="15", tax="0"))
    body = {"customer_id": str(customer), "currency": "EUR", "reason": "moved out"}
    await post(acme, "refunds", **body, amount="3")
    assert await balance(acme, customer) == ("0.00", "2.00", "0.00", "-2.00", "0.00")
    undone = await reverse(acme, paid["id"])
    assert await balance(acme, customer) == ("28.00", "0.00", "0.00", "28.00", "25.00")
    assert await states(acme, customer) == {
        "INV-0": ("open", "10.00"), "INV-b": ("open", "15.00"), "": ("open", "3.00"),
    }  # fmt: skip
    page = await acme.get("/v1/transactions", params={"customer_id": str(customer)})
    by_kind = {item["kind"]: item for item in page.json()["items"]}
    [released] = by_kind["release"]["allocations"]
    assert (released["amount"], released["source_id"]) == ("-15.00", by_kind["allocation"]["id"])
    assert by_kind["reversal"]["id"] == undone["id"]
    assert (await reverse(acme, by_kind["allocation"]["id"], 409))["code"] == "deallocated_since"
    await reconciled(acme)


async def test_credit_pays_the_next_invoice_by_itself(ledger, acme):
    """500.00 for 148.80; the next one, 134.40, is paid, never overdue, and 216.80 are left
    (bcgov/entity#5226)."""
    customer, _ = await issue(ledger, "148.80")
    await pay(acme, customer, "500.00")
    [second] = (await issue(ledger, "134.40", customer=customer))[1]
    assert (await states(acme, customer))["INV-0"] == ("paid", "0.00")
    shown = (await acme.get(f"/v1/invoices/{second.invoice_id}")).json()
    assert (shown["state"], shown["allocated"]) == ("paid", "134.40")
    assert [part["kind"] for part in shown["allocations"]] == ["allocation"]
    late = await balance(acme, customer, as_of="2027-02-01T00:00:00Z")
    assert late == ("0.00", "216.80", "0.00", "-216.80", "0.00")
    ageing = (await acme.get("/v1/ageing", params={"on": "2027-02-01"})).json()
    assert ageing["currencies"] == []
    [event] = [
        changed.balances[0]
        for changed in await published(ledger)
        if changed.customer_id == customer
    ]
    assert (str(event.balance), str(event.invoiced_total)) == ("-216.80", "283.20")
    await reconciled(acme)


async def test_what_credit_pays_has_the_correlation_id_of_what_made_it_possible(ledger, acme):
    """An invoice below zero pays what is open as it is posted; one that was cancelled before it
    came pays nothing."""
    for is_cancelled, kinds in ((False, ["allocation", "invoice"]), (True, ["invoice"])):
        customer, _ = await issue(ledger, "100.00")
        number = "cancelled" if is_cancelled else "live"
        earned = invoice(number, customer=customer, energy="-30.00", tax="0")
        if is_cancelled:
            await posted(ledger, post_credit_notes, credit_note(earned))
        await posted(ledger, post_invoices, earned)
        page = await acme.get("/v1/transactions", params={"correlation_id": f"c-INV-{number}"})
        assert sorted(item["kind"] for item in page.json()["items"]) == kinds
        open_ = "100.00" if is_cancelled else "70.00"
        assert (await states(acme, customer))["INV-0"][1] == open_


async def test_at_no_date_is_more_credit_spent_than_there_was(ledger, acme):
    """The invoice of the 1st is posted after the payment of the 6th: it is paid on the 6th."""
    customer = await known(ledger)
    await pay(acme, customer, "30", occurred_at="2025-04-06T00:00:00Z")
    await issue(ledger, "30", customer=customer)
    assert await balance(acme, customer, as_of="2025-04-05T00:00:00Z") == (
        "30.00", "0.00", "0.00", "30.00", "0.00",
    )  # fmt: skip
    assert await balance(acme, customer, as_of="2025-04-06T00:00:00Z") == ("0.00",) * 5


async def test_the_rules_for_credit_are_the_tenant_s(ledger, acme, clients):
    path = "/v1/payment-terms"
    default = {
        "payment_days": 14, "credit_allocation": "oldest_first",
        "credit_deallocation": "newest_first",
    }  # fmt: skip
    assert (await acme.get(path)).json() == default
    by_hand = await declare(acme, credit_allocation="manual", credit_deallocation="oldest_first")
    left_out = (await acme.put(path, json={"payment_days": 30})).json()
    assert left_out == by_hand | {"payment_days": 30} == (await acme.get(path)).json()
    assert (await (await clients("other")).get(path)).json() == default
    refused = await acme.put(path, json={"payment_days": 14, "credit_allocation": "never"})
    assert paths(refused.json()) == ["/credit_allocation"]

    customer = await known(ledger)
    await pay(acme, customer, "60")
    await issue(ledger, "100", "50", customer=customer)
    assert (await balance(acme, customer))[:2] == ("150.00", "60.00")
    await declare(acme, credit_allocation="oldest_first")
    async with transaction(ledger, tenant=ALL_TENANTS) as tx:
        assert await apply_due_credits(tx, datetime.now(UTC)) == 1
        assert await apply_due_credits(tx, datetime.now(UTC)) == 0
    assert (await balance(acme, customer))[:2] == ("90.00", "0.00")
    assert await states(acme, customer) == {
        "INV-0": ("part_paid", "40.00"), "INV-1": ("open", "50.00"),
    }  # fmt: skip
    await reconciled(acme)


@pytest.mark.parametrize(
    ("currency", "paid", "written", "sign"),
    [
        ("EUR", "351.2", "-351.20", "€"),
        ("JPY", "351", "-351", "¥"),
        ("KWD", "351.2", "-351.200", ""),
    ],
)
async def test_money_has_the_decimals_of_its_currency(ledger, acme, currency, paid, written, sign):
    """frappe/books#1449: in every answer, event and export."""
    customer = await known(ledger, currency=currency)
    made = await pay(acme, customer, paid, currency=currency)
    owed = written.removeprefix("-")
    assert made["total"] == owed
    assert {line["amount"] for line in made["postings"]} == {owed, written}
    assert (await balance(acme, customer))[3] == written
    [books] = (await acme.get("/v1/trial-balance")).json()["currencies"]
    assert {row["balance"] for row in books["rows"]} == {owed, written}
    window = {"from": "2025-01-01T00:00:00Z", "to": "2026-01-01T00:00:00Z", "currency": currency}
    path = f"/v1/customers/{customer}/statement"
    assert (await acme.get(path, params=window)).json()["closing"] == written
    table = (await acme.get(path, params=window | {"format": "csv"})).text
    assert table.splitlines()[1].split(",")[-3:] == [written, written, currency]
    page = await statement_page(ledger, acme, customer, window, currency)
    assert f"{sign}{owed} " in page
    [event] = await published(ledger)
    assert str(event.balances[0].balance) == written
    [recorded] = await reported(ledger, PaymentRecorded)
    assert (str(recorded.amount), str(recorded.prepaid)) == (owed, owed)
