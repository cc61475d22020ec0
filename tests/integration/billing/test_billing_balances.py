"""What a customer owes, on the next invoice."""

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from golden import bills
from gridtally.contracts.metering import Series

GOLDEN = bills.cases_of("arrears.json")


@pytest.mark.parametrize(
    ("changes", "forward", "arrears"),
    [
        ([], "0", "0"),
        ([("EUR", "25.50", "5.50", 1)], "25.50", "5.50"),
        ([("EUR", "-40", "0", 1)], "-40", "0"),
        ([("USD", "99", "0", 1)], "0", "0"),
        ([("EUR", "2", "0", 2), ("EUR", "1", "0", 1)], "2", "0"),
        ([("EUR", "1", "0", 1), ("EUR", "2", "1", 2)], "2", "1"),
    ],
)
async def test_an_invoice_brings_forward_what_is_owed(
    world, make, clients, changes, forward, arrears
):
    agreement = await world.home()
    for currency, balance, overdue, version in changes:
        change = {"currency": currency, "version": version}
        await world.owe(make.balance_changed(agreement.customer_id, balance, overdue, **change))
    await world.close(make.closed(agreement))
    client = await clients(world.tenant)
    (shown,) = (await client.get("/v1/invoices")).json()["items"]
    assert shown["brought_forward"] == f"{Decimal(forward):.2f}"
    assert shown["arrears"] == f"{Decimal(arrears):.2f}"
    assert Decimal(shown["amount_due"]) == Decimal(shown["total"]) + Decimal(forward)


@pytest.mark.parametrize("case_id", GOLDEN)
async def test_a_golden_invoice_with_arrears_or_credit(world, make, clients, case_id):
    case = GOLDEN[case_id]
    tariff_id, meter_id = uuid4(), uuid4()
    await world.publish(make.published(tariff_id, bills.tariff_of(case)))
    kw, readings = case["connected_kw"], bills.readings_of(case)
    await world.register(make.registered(meter_id, flows=tuple(readings), connected_kw=kw))
    agreement = await world.agree(tariff_id=tariff_id, meter_id=meter_id)
    await world.owe(make.balance_changed(agreement.customer_id, case["balance"], case["arrears"]))
    series = [
        Series(flow=flow, minutes=60, values=values, quality="A" * len(values))
        for flow, values in readings.items()
    ]
    await world.close(make.closed(agreement, period=bills.APRIL, minutes=60, series=series))
    client = await clients(world.tenant)
    (shown,) = (await client.get("/v1/invoices")).json()["items"]
    event = json.loads(
        await world.value("SELECT value FROM outbox WHERE topic = 'invoice.issued.v1'")
    )
    amounts = {
        "brought_forward": case["balance"],
        "arrears": case["arrears"],
        "total": case["expect"]["total"],
        "amount_due": case["expect"]["amount_due"],
    }
    for document in (shown, event):
        assert {name: Decimal(document[name]) for name in amounts} == {
            name: Decimal(amount) for name, amount in amounts.items()
        }


async def test_what_replaces_an_invoice_does_not_bring_it_forward(world, make):
    """The ledger has posted the first one by now."""
    agreement = await world.home()
    await world.owe(make.balance_changed(agreement.customer_id, "10"))
    await world.close(make.closed(agreement))
    await world.owe(make.balance_changed(agreement.customer_id, "130.98", version=2))
    await world.close(make.closed(agreement, revision=2, wh=50))
    assert [invoice["brought_forward"] for invoice in await world.invoices()] == [Decimal(10)] * 2


async def test_what_replaces_an_invoice_brings_forward_what_was_paid_on_it(world, make, clients):
    """120.98 issued, 100 of it paid: the correction to 67.93 leaves 32.07 too much paid, whether
    the ledger has posted the credit note by then or not."""
    agreement = await world.home()
    await world.close(make.closed(agreement))
    paid = make.balance_changed(agreement.customer_id, "20.98000000", invoiced="120.98000000")
    await world.owe(paid)
    await world.close(make.closed(agreement, revision=2, wh=50))
    client = await clients(world.tenant)
    live = (await client.get("/v1/invoices", params={"state": "issued"})).json()["items"]
    names = ("brought_forward", "arrears", "amount_due")
    [shown] = [[invoice[name] for name in names] for invoice in live]
    assert shown == ["-100.00", "0.00", "-32.07"]
    answer = (await client.get("/v1/reconciliation")).json()
    assert (answer["ok"], answer["currencies"][0]["issued_total"]) == (True, "67.93")


async def second_agreement(world, make, first):
    """Another meter of the same customer, on the same tariff."""
    other = replace(make.agreement(tariff_id=first.tariff_id), customer_id=first.customer_id)
    await world.register(make.registered(other.meter_id))
    return await world.agree_on(other)


@pytest.mark.parametrize("together", [True, False], ids=["in one batch", "one after the other"])
async def test_arrears_are_shown_once_of_two_invoices_at_once(world, make, together):
    """50 are owed, 30 of them overdue. Either invoice comes to 120.98: the second brings forward
    the first too, and names nothing as overdue again."""
    first = await world.home()
    other = await second_agreement(world, make, first)
    await world.owe(make.balance_changed(first.customer_id, "50", "30", invoiced="0"))
    closed = [make.closed(first), make.closed(other)]
    for batch in [closed] if together else [[event] for event in closed]:
        await world.close(*batch)
    shown = [(row["brought_forward"], row["arrears"]) for row in await world.invoices()]
    assert shown == [(Decimal(50), Decimal(30)), (Decimal("170.98"), Decimal(0))]

    # the next day it is still overdue, and named again
    await world.close(make.closed(first, period=make.APRIL), now=make.NOW + timedelta(days=1))
    assert (await world.invoices())[-1]["arrears"] == Decimal(30)


async def test_what_replaces_the_invoice_that_names_arrears_names_them(world, make):
    first = await world.home()
    other = await second_agreement(world, make, first)
    await world.owe(make.balance_changed(first.customer_id, "50", "30", invoiced="0"))
    await world.close(make.closed(first), make.closed(other))
    named = next(row for row in await world.invoices() if row["arrears"])
    corrected = first if named["agreement_id"] == first.id else other
    await world.close(make.closed(corrected, revision=2, wh=50))
    live = [row["arrears"] for row in await world.invoices() if row["credited_by"] is None]
    assert sorted(live) == [Decimal(0), Decimal(30)]


async def test_the_lines_of_an_invoice_do_not_contain_it(world, make):
    agreement = await world.home()
    await world.owe(make.balance_changed(agreement.customer_id, "10"))
    await world.close(make.closed(agreement))
    assert await world.value("SELECT sum(amount) FROM invoice_line") == await world.value(
        "SELECT total FROM invoice"
    )
