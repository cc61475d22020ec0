"""What a customer owes, on the next invoice."""

import json
from datetime import date
from decimal import Decimal
from uuid import uuid4

import pytest

from billing.handlers import facts
from contracts.accounts import AccountChanged, CurrencyAccount
from contracts.metering import Series
from database import ALL_TENANTS, transaction
from golden import bills
from kernel.periods import month_of

GOLDEN = bills.cases_of("arrears.json")
FEBRUARY, MARCH = (month_of(date(2025, month, 1)) for month in (2, 3))


@pytest.fixture
def tell(world, make):
    """The ledger tells of accounts: (customer, currency, balance, arrears, version) each."""

    async def arrive(*accounts):
        events = [
            AccountChanged(
                customer_id=customer_id,
                accounts=[
                    CurrencyAccount(
                        currency=currency,
                        balance=Decimal(balance),
                        receivable=max(Decimal(balance), Decimal(0)),
                        arrears=Decimal(arrears),
                        prepaid=max(-Decimal(balance), Decimal(0)),
                        export_payable=Decimal(0),
                    )
                ],
                as_of=make.NOW,
                version=version,
            )
            for customer_id, currency, balance, arrears, version in accounts
        ]
        async with transaction(world.database, tenant=ALL_TENANTS) as tx:
            await facts.copy_accounts(tx, [make.received(event, world.tenant) for event in events])

    return arrive


@pytest.mark.parametrize(
    ("told", "forward", "arrears"),
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
    world, make, tell, clients, told, forward, arrears
):
    agreement = await world.home()
    for one in told:
        await tell((agreement.customer_id, *one))
    await world.close(make.closed(agreement))
    client = await clients(world.tenant)
    (shown,) = (await client.get("/v1/invoices")).json()["items"]
    assert shown["brought_forward"] == f"{Decimal(forward):.2f}"
    assert shown["arrears"] == f"{Decimal(arrears):.2f}"
    assert Decimal(shown["amount_due"]) == Decimal(shown["total"]) + Decimal(forward)


@pytest.mark.parametrize("case_id", GOLDEN)
async def test_a_golden_invoice_with_arrears_or_credit(world, make, tell, clients, case_id):
    case = GOLDEN[case_id]
    tariff_id, meter_id = uuid4(), uuid4()
    await world.publish(make.published(tariff_id, bills.tariff_of(case)))
    kw, readings = case["connected_kw"], bills.readings_of(case)
    await world.register(make.registered(meter_id, flows=tuple(readings), connected_kw=kw))
    agreement = await world.agree(tariff_id=tariff_id, meter_id=meter_id)
    await tell((agreement.customer_id, "EUR", case["balance"], case["arrears"], 1))
    series = [
        Series(flow=flow, minutes=60, values=values, quality="A" * len(values))
        for flow, values in readings.items()
    ]
    await world.close(make.closed(agreement, period=bills.APRIL, minutes=60, series=series))
    client = await clients(world.tenant)
    (shown,) = (await client.get("/v1/invoices")).json()["items"]
    event = json.loads(
        await world.one("SELECT value FROM outbox WHERE topic = 'invoice.issued.v1'")
    )
    told = {
        "brought_forward": case["balance"],
        "arrears": case["arrears"],
        "total": case["expect"]["total"],
        "amount_due": case["expect"]["amount_due"],
    }
    for document in (shown, event):
        assert {name: Decimal(document[name]) for name in told} == {
            name: Decimal(amount) for name, amount in told.items()
        }


async def test_what_takes_the_place_of_an_invoice_does_not_bring_it_forward(world, make, tell):
    """The ledger has booked the first one by now."""
    agreement = await world.home()
    await tell((agreement.customer_id, "EUR", "10", "0", 1))
    await world.close(make.closed(agreement))
    await tell((agreement.customer_id, "EUR", "131.01", "0", 2))
    await world.close(make.closed(agreement, revision=2, wh=50))
    assert [one["brought_forward"] for one in await world.invoices()] == [Decimal(10)] * 2


async def test_the_lines_of_an_invoice_do_not_hold_it(world, make, tell):
    agreement = await world.home()
    await tell((agreement.customer_id, "EUR", "10", "0", 1))
    await world.close(make.closed(agreement))
    assert await world.one("SELECT sum(amount) FROM invoice_line") == await world.one(
        "SELECT total FROM invoice"
    )
