"""Crediting a part of an invoice in the console: what is asked of billing, and what is shown."""

import json

import pytest

from doubles.console import page, seen, those_that

MONEY = {"currency": "EUR", "net": "10.00", "tax": "1.90", "total": "11.90"}
LINE = {
    "component_id": "energy", "kind": "energy", "band": None, "flow": "import", "quantity": "1",
    "unit": "kWh", "rate": "10", "amount_exact": "10", "amount": "10.00", "payee": None,
    "start_on": "2025-03-01", "end_on": "2025-04-01",
}  # fmt: skip
NOTE = {
    "id": "n1", "number": "CN-2025-000001", "extent": "part", "reason": "A <broken> display",
    "credited_by": "key1", "issued_at": "2025-04-03T08:00:00Z", **MONEY, "total": "1.90",
}  # fmt: skip
INVOICE = {
    "id": "i1", "number": "INV-2025-000001", "state": "issued", "customer_id": "c1",
    "agreement_id": "a1", "meter_id": "m1", "start_on": "2025-03-01", "end_on": "2025-04-01",
    "revision": 1, **MONEY, "brought_forward": "0.00", "amount_due": "11.90",
    "issued_at": "2025-04-02T08:00:00Z", "evidence": None,
    "lines": [LINE, LINE | {"component_id": "vat", "kind": "tax", "amount": "1.90"}],
    "credit_note": None, "partial_credit_notes": [NOTE], "left": "10.00",
    "sections": [],
}  # fmt: skip
POSTED = "/v1/invoices/i1/credit-notes"


@pytest.fixture
def services():
    billing = {"/v1/invoices/i1": dict(INVOICE), "/v1/invoices": page(), POSTED: {"id": "n2"}}
    return those_that(billing=billing)


async def asked(services, **form):
    """The answer to the form, its text, and what billing was asked for."""
    path = "/invoices/i1/credit-notes" if form else "/invoices/i1"
    answer, text = await seen(services, path, form or None)
    sent = [
        (json.loads(request.content), request.headers["idempotency-key"])
        for request in services["billing"].asked
        if request.url.path == POSTED
    ]
    return answer, text, sent


async def test_the_credit_notes_of_an_invoice_and_what_is_left(services):
    answer, text, _ = await asked(services)
    assert answer.status_code == 200
    assert "CN-2025-000001" in text
    assert "A &lt;broken&gt; display" in text
    assert "all that is left: 10.00 EUR" in text
    assert "1 · energy 10.00" in text
    assert "2 · vat" not in text
    services["billing"].answers["/v1/invoices/i1"] |= {"left": "0.00"}
    assert "Credit a part" not in (await asked(services))[1]


SENT = {
    "of all": ({"position": "", "amount": "5"}, {"amount": "5"}),
    "of a line": (
        {"position": "1", "amount": " 5.00"}, {"lines": [{"position": "1", "amount": "5.00"}]},
    ),
    "the rest of a line": ({"position": "1", "amount": ""}, {"lines": [{"position": "1"}]}),
    "once only": (
        {"position": "", "amount": "5", "repeat_on_correction": "false"},
        {"amount": "5", "repeat_on_correction": False},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("form", "body"), SENT.values(), ids=SENT)
async def test_what_the_form_asks_for(services, form, body):
    answer, _, sent = await asked(services, **form, reason="why", idempotency_key="once")
    assert (answer.status_code, answer.headers["location"]) == (303, "/invoices/i1")
    assert sent == [({"reason": "why", "repeat_on_correction": True} | body, "once")]


async def test_what_billing_refuses_is_said_and_what_was_entered_stays(services):
    del services["billing"].answers[POSTED]
    answer, text, _ = await asked(services, position="", amount="77.77", reason="why")
    assert answer.status_code == 422
    assert "Not credited." in text
    assert 'value="77.77"' in answer.text
