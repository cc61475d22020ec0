"""What payees are owed, in the console: what is asked of the ledger, and what is shown."""

import json

import pytest

from doubles.console import page, seen, those_that

OWED = {
    "currency": "EUR", "id": "p1", "payee": "Grid <north>", "account_code": "payable:Grid",
    "opening": "5.00", "owed": "15.00", "settled": "10.00", "balance": "10.00",
}  # fmt: skip
ENTRY = {
    "transaction_id": "t1", "kind": "invoice", "reference": "INV-2025-000001", "memo": "",
    "occurred_at": "2025-05-02T09:29:58Z", "recorded_at": "2025-05-02T09:30:00Z",
    "amount": "15.00", "balance": "15.00",
}  # fmt: skip
SETTLED = "/v1/payees/p1/settlements"


@pytest.fixture
def services():
    statement = OWED | {"from_at": None, "to_at": None, "entries": [ENTRY]}
    unnamed = OWED | {"id": "p2", "payee": None, "balance": "19.00"}
    ledger = {
        "/v1/payees": page(OWED, unnamed), "/v1/payees/p1/statement": statement,
        SETTLED: {"id": "t2"},
    }  # fmt: skip
    return those_that(ledger=ledger)


def sent(services, path):
    return [request for request in services["ledger"].asked if request.url.path == path]


async def test_what_each_payee_is_owed_of_a_period(services):
    answer, text = await seen(services, "/ledger/payees?from=2025-05-01&to=2025-06-01&payee=Grid")
    assert answer.status_code == 200
    assert "Grid &lt;north&gt; 5.00 15.00 10.00 10.00 EUR" in text
    assert "Taxes that name nobody" in text
    assert "/ledger/payees/p2" in answer.text
    [asked] = sent(services, "/v1/payees")
    assert asked.url.params["from"] == "2025-05-01T00:00:00Z"
    assert asked.url.params["to"] == "2025-06-01T00:00:00Z"
    assert asked.url.params["payee"] == "Grid"


async def test_what_made_up_what_a_payee_is_owed(services):
    answer, text = await seen(services, "/ledger/payees/p1")
    assert answer.status_code == 200
    assert "invoice INV-2025-000001" in text
    assert "/ledger/transactions/t1" in answer.text
    assert "At most 10.00 EUR" in text
    services["ledger"].answers["/v1/payees/p1/statement"] |= {"balance": "0.00"}
    assert "Record settlement" not in (await seen(services, "/ledger/payees/p1"))[1]


async def test_what_was_paid_is_recorded_once(services):
    form = {"amount": "7.50", "reference": "GRID-04", "memo": "", "idempotency_key": "once"}
    answer, _ = await seen(services, "/ledger/payees/p1/settlements", form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/ledger/payees/p1")
    [request] = sent(services, SETTLED)
    assert json.loads(request.content) == {"amount": "7.50", "reference": "GRID-04"}
    assert request.headers["idempotency-key"] == "once"


async def test_what_the_ledger_refuses_is_said_and_what_was_entered_stays(services):
    del services["ledger"].answers[SETTLED]
    form = {"amount": "77.77", "reference": "R"}
    answer, text = await seen(services, "/ledger/payees/p1/settlements", form)
    assert answer.status_code == 422
    assert "Not recorded." in text
    assert 'value="77.77"' in answer.text
