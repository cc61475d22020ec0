"""What customers are shown: balances, age, due days, statements, and account.changed."""

from datetime import timedelta
from uuid import uuid4

import pytest

from gridtally.contracts.accounts import AccountChanged
from gridtally.database import ALL_TENANTS, transaction
from gridtally.ledger.accounts.handlers.balances import publish_changed_balances, report_overdue
from gridtally.ledger.accounts.handlers.postings import post_credit_notes, post_invoices
from integration.ledger.accounts import (
    ISSUED,
    balance,
    credit_note,
    declare,
    invoice,
    issue,
    pay,
    posted,
    reported,
)

WINDOW = {"from": "2025-04-01T00:00:00Z", "to": "2025-05-01T00:00:00Z", "currency": "EUR"}


async def published(ledger, now):
    async with transaction(ledger, tenant=ALL_TENANTS) as tx:
        await report_overdue(tx, now)
        await publish_changed_balances(tx, now)
    return await reported(ledger, AccountChanged)


async def test_balances_are_published_when_they_change_or_fall_overdue(ledger, acme):
    customer, _ = await issue(ledger, "100", due_on="2025-04-20")
    await posted(ledger, post_invoices, invoice("usd", customer=customer, currency="USD"))
    on_the_day = ISSUED.replace(day=20)
    [first] = await published(ledger, on_the_day)
    assert [(a.currency, a.balance, a.arrears) for a in first.balances] == [
        ("EUR", 100, 0), ("USD", 119, 119),
    ]  # fmt: skip
    assert await published(ledger, on_the_day) == [first]
    [_, second] = await published(ledger, on_the_day + timedelta(days=1))
    assert (second.version > first.version, second.balances[0].arrears) == (True, 100)
    assert len(await published(ledger, on_the_day + timedelta(days=2))) == 2
    await pay(acme, customer, "130")
    third = (await published(ledger, on_the_day + timedelta(days=2)))[-1].balances[0]
    assert (third.balance, third.receivable, third.prepaid, third.arrears) == (-30, 0, 30, 0)
    assert (await published(ledger, ISSUED))[-1].customer_id == customer


async def test_balances_by_the_date_of_value_and_of_booking(ledger, acme):
    customer, _ = await issue(ledger, "100")
    await pay(acme, customer, "40", occurred_at="2025-04-10T00:00:00Z")
    before, after = {"as_of": "2025-04-09T00:00:00Z"}, {"as_of": "2025-04-20T00:00:00Z"}
    assert await balance(acme, customer, **before) == ("100.00", "0.00", "0.00", "100.00", "0.00")
    assert await balance(acme, customer, **after) == ("60.00", "0.00", "0.00", "60.00", "60.00")
    path = f"/v1/customers/{customer}/balance"
    booked_by_then = await acme.get(path, params=after | {"by": "booked"})
    assert booked_by_then.json()["currencies"] == []  # all of it was booked today
    in_future = {"as_of": "2999-01-01T00:00:00Z", "by": "booked"}
    assert (await balance(acme, customer, **in_future))[0] == "60.00"


async def test_ageing_by_due_day_adds_up_to_the_receivables(ledger, acme):
    days = {"2025-04-01": "1", "2025-03-31": "2", "2025-03-02": "4", "2025-03-01": "8",
            "2025-01-31": "16", "2025-01-30": "32", "2025-01-01": "64", "2024-12-31": "128",
            "2025-04-02": "256"}  # fmt: skip
    await declare(acme, credit_allocation="manual")
    customer = uuid4()
    await posted(
        ledger,
        post_invoices,
        *(
            invoice(on, customer=customer, energy=amount, tax="0", due_on=on, days=-200)
            for on, amount in days.items()
        ),
        invoice("export", customer=customer, energy="-5", tax="0", days=-200),
    )
    names = ("not_due", "days_0_30", "days_31_60", "days_61_90", "days_over_90", "total")
    expected = ("256.00", "7.00", "24.00", "96.00", "128.00", "511.00")
    params = {"on": "2025-04-01"}
    [ages] = (await acme.get("/v1/ageing", params=params)).json()["currencies"]
    assert (tuple(ages[name] for name in names), ages["overdue"]) == (expected, "254.00")
    assert (await balance(acme, customer))[0] == ages["total"]
    page = (await acme.get("/v1/ageing/customers", params=params | {"currency": "EUR"})).json()
    assert [(row["customer_id"], row["total"]) for row in page["items"]] == [
        (str(customer), "511.00")
    ]
    await pay(acme, customer, "128", occurred_at="2025-04-05T00:00:00Z")
    [now] = (await acme.get("/v1/ageing", params=params)).json()["currencies"]
    assert now["days_over_90"] == "0.00"
    as_of = params | {"as_of": "2025-04-04T00:00:00Z"}
    assert (await acme.get("/v1/ageing", params=as_of)).json()["currencies"] == [ages]


@pytest.mark.parametrize("due_on", ["0001-01-01", "9999-12-31"])
async def test_what_is_due_on_the_first_or_last_day_of_all_has_an_age(ledger, acme, due_on):
    customer, _ = await issue(ledger, "100", due_on=due_on)
    name = "not_due" if due_on == "9999-12-31" else "days_over_90"
    for params in ({}, {"as_of": "2025-05-01T00:00:00Z"}):
        [ages] = (await acme.get("/v1/ageing", params=params)).json()["currencies"]
        assert (ages[name], ages["total"]) == ("100.00", "100.00")
        assert (await balance(acme, customer, **params))[0] == "100.00"
    on_it = (await acme.get("/v1/ageing", params={"on": due_on})).json()["currencies"]
    assert [(row["days_0_30"], row["overdue"]) for row in on_it] == [("100.00", "0.00")]


async def test_due_by_the_invoice_or_by_the_tenants_terms(ledger, acme):
    due = []
    for days, own in ((None, None), (30, None), (30, "2025-04-03")):
        if days:
            await acme.put("/v1/payment-terms", json={"payment_days": days})
        _, (issued,) = await issue(ledger, "1", due_on=own)
        due.append((await acme.get(f"/v1/invoices/{issued.invoice_id}")).json()["due_on"])
    assert due == ["2025-04-15", "2025-05-01", "2025-04-03"]
    assert (await acme.get("/v1/payment-terms")).json()["payment_days"] == 30
    overdue = {"overdue_on": "2025-05-01", "state": "open"}
    assert len((await acme.get("/v1/invoices", params=overdue)).json()["items"]) == 2


async def test_invoices_are_listed_by_their_state_and_in_pages(ledger, acme):
    customer, events = await issue(ledger, "100", "50", "30", "20")
    await posted(ledger, post_credit_notes, credit_note(events[3]))
    await pay(acme, customer, "120")

    async def listed(**params):
        answer = await acme.get("/v1/invoices", params={"customer_id": str(customer)} | params)
        page = answer.json()
        return [item["number"] for item in page["items"]], page["next_cursor"]

    for state, number in (
        ("paid", "INV-0"), ("part_paid", "INV-1"), ("open", "INV-2"), ("void", "INV-3"),
    ):  # fmt: skip
        assert await listed(state=state) == ([number], None), state
    first, cursor = await listed(limit=3)
    assert (first, await listed(limit=3, cursor=cursor)) == (
        ["INV-0", "INV-1", "INV-2"], (["INV-3"], None),
    )  # fmt: skip


async def test_a_statement_of_no_time_is_refused(acme):
    same = {"from": "2025-04-01T00:00:00Z", "to": "2025-04-01T00:00:00Z", "currency": "EUR"}
    answer = await acme.get(f"/v1/customers/{uuid4()}/statement", params=same)
    assert (answer.status_code, answer.json()["code"]) == (422, "empty_window")


async def test_the_statement_as_csv_holds_texts_harmless(ledger, acme):
    customer, _ = await issue(ledger, "1234.5")
    await pay(acme, customer, "34.5", reference="=1+1", method="<script>alert(1)</script>")
    written = await acme.get(
        f"/v1/customers/{customer}/statement", params=WINDOW | {"format": "csv"}
    )
    rows = written.text.splitlines()
    assert written.headers["content-type"].startswith("text/csv")
    assert rows[0].startswith("occurred_at,recorded_at,kind,reference")
    assert ",payment,'=1+1,<script>alert(1)</script>," in rows[2]
    assert rows[2].endswith(",-34.50,1200.00,EUR")
