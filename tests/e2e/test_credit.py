"""Payments, corrections and credit through billing and the ledger: what an invoice asks for, what
is open of it and what the customer owes say one thing."""

import asyncio

from e2e.house import house_on, until

FLAT = {"kind": "energy", "id": "energy", "rate": "0.20", "flow": "import"}
PUBLISHED_S = 5.0
"""Until billing has heard of a payment, which it does not show to anybody by itself."""


async def ledger_states(api, house):
    """What is live of the customer's invoices in the ledger: state, total and open amount."""
    page = await api.get("ledger", "/v1/invoices", customer_id=house.customer_id)
    return sorted(
        (item["state"], item["total"], item["open"])
        for item in page["items"]
        if item["state"] != "void"
    )


async def balance(api, house, **params):
    path = f"/v1/customers/{house.customer_id}/balance"
    [euros] = (await api.get("ledger", path, **params))["currencies"]
    return euros["balance"], euros["arrears"]


async def pay(api, house, amount):
    body = {"customer_id": house.customer_id, "currency": "EUR", "amount": amount}
    paid = await api.post("ledger", "/v1/payments", body)
    await asyncio.sleep(PUBLISHED_S)
    return paid


async def asked(api, house, start_on):
    """What the live invoice of a period asks for."""
    page = await api.get("billing", "/v1/invoices", agreement_id=house.agreement_id, state="issued")
    names = ("total", "brought_forward", "arrears", "amount_due")
    return [
        tuple(invoice[name] for name in names)
        for invoice in page["items"]
        if invoice["start_on"] == start_on
    ]


async def test_a_paid_invoice_that_is_corrected_asks_for_the_difference(api):
    """HAForgeLabs/utilitati_romania#20: 744 kWh × 0.20 = 148.80 are paid; 743 are 148.60, so that
    0.20 are too much. The payment bounces, and 148.60 are to be paid."""
    house = await house_on(api, FLAT)
    await house.read("0", "2025-02-01T00:00:00+01:00")
    march = await house.read("744", "2025-03-01T00:00:00+01:00")
    await until(lambda: ledger_states(api, house), [("open", "148.80", "148.80")])
    paid = await pay(api, house, "148.80")
    value = {"value": "743", "read_at": "2025-03-01T00:00:00+01:00"}
    await api.call("ledger", "PUT", f"/v1/readings/{march}", json_body=value)
    corrected = [("148.60", "-148.80", "0.00", "-0.20")]
    await until(lambda: asked(api, house, "2025-02-01"), corrected)
    await until(lambda: ledger_states(api, house), [("paid", "148.60", "0.00")])
    assert await balance(api, house) == ("-0.20", "0.00")

    await api.post("ledger", f"/v1/transactions/{paid['id']}/reversal", {"reason": "bounced"})
    assert await ledger_states(api, house) == [("open", "148.60", "148.60")]
    assert (await balance(api, house))[0] == "148.60"
    for service in ("billing", "ledger"):
        assert (await api.get(service, "/v1/reconciliation"))["ok"], service


async def test_a_customer_in_credit_owes_nothing_of_the_next_invoice(api):
    """bcgov/entity#5226: 500.00 for 148.80 leave 351.20; of them the next invoice, 672 kWh × 0.20 =
    134.40, takes its part and is never overdue."""
    house = await house_on(api, FLAT)
    await house.read("0", "2025-02-01T00:00:00+01:00")
    await house.read("744", "2025-03-01T00:00:00+01:00")
    await until(lambda: ledger_states(api, house), [("open", "148.80", "148.80")])
    await pay(api, house, "500.00")
    await house.read("1416", "2025-04-01T00:00:00+02:00")
    await until(lambda: asked(api, house, "2025-03-01"), [("134.40", "-351.20", "0.00", "-216.80")])
    paid = [("paid", "134.40", "0.00"), ("paid", "148.80", "0.00")]
    await until(lambda: ledger_states(api, house), paid)
    late = await balance(api, house, as_of="2027-02-01T00:00:00Z")
    assert late == ("-216.80", "0.00")
