"""Dunning notices, direct debits and mandates in the console, by what the ledger answers."""

import json
import re

import pytest

from doubles.console import page, seen, those_that

HOSTILE = '<img src=x onerror="alert(1)">'
NOTICE = {
    "id": "n1", "run_id": "r1", "currency": "EUR", "customer_id": "c1", "level": 2,
    "name": "Second <b>", "on": "2025-06-01", "pay_by": "2025-06-15", "others": "7.00",
    "credit": "1.00", "fee": "5.00", "fee_open": "2.50", "total": "71.00", "state": "issued",
    "issued_at": "2025-06-01T03:00:00Z", "withdrawn_at": None, "withdraw_reason": None,
    "items": [
        {"invoice_id": "i1", "kind": "invoice", "number": "INV-1", "level": 2,
         "due_on": "2025-05-01", "open": "60.00"},
        {"invoice_id": "i2", "kind": None, "number": None, "level": 1, "due_on": "2025-05-10",
         "open": "0.50"},
        {"invoice_id": "o1", "kind": "charge", "number": "OLD-1", "level": 1,
         "due_on": "2025-05-11", "open": "0.25"},
    ],
}  # fmt: skip
WITHDRAWN = NOTICE | {
    "state": "withdrawn", "withdrawn_at": "2025-06-02T03:00:00Z", "withdraw_reason": "disputed",
}  # fmt: skip
BATCH = {
    "id": "b1", "currency": "EUR", "state": "open", "due_through": "2025-06-03",
    "collection_on": "2025-06-05", "created_at": "2025-06-01T03:00:00Z", "cancelled_at": None,
    "count": 2, "total": "90.00", "collected": 2,
}  # fmt: skip
DEBIT = {
    "id": "d1", "end_to_end_id": "e1", "invoice_id": "i1", "kind": "invoice", "customer_id": "c1",
    "number": "INV-1", "amount": "60.00", "mandate_id": "M-<i>", "sequence": "first",
    "scheme": "core", "masked_iban": "DE02…2051", "state": "returned", "payment_id": "d1",
    "return_reason": "AM04",
}  # fmt: skip
MANDATE = {
    "customer_id": "c1", "mandate_id": "M-1", "signed_on": "2025-01-02", "bic": None,
    "masked_iban": "DE02…2051", "holder": HOSTILE, "sequence": "recurrent", "scheme": "core",
    "state": "revoked", "last_collected_on": None, "lapses_on": "2028-01-02",
    "revoked_on": "2025-06-01",
}  # fmt: skip
WITHDRAW = "/v1/dunning-notices/n1/withdraw"


@pytest.fixture
def services():
    customer = {"id": "c1", "name": HOSTILE, "currency": "EUR", "email": None}
    debits = BATCH | {"more": False, "debits": [DEBIT, DEBIT | {"state": "open"}]}
    ledger = {
        "/v1/dunning-notices": page(NOTICE), "/v1/dunning-notices/n1": NOTICE,
        "/v1/dunning-notices/n1/document": b"%PDF letter", WITHDRAW: WITHDRAWN,
        "/v1/direct-debits": page(BATCH), "/v1/direct-debits/b1": debits,
        "/v1/direct-debits/b1/file": b"<Document/>",
        "/v1/customers/c1/mandate": MANDATE,
    }  # fmt: skip
    return those_that(billing={"/v1/customers/c1": customer}, ledger=ledger)


def sent(services, path):
    return [request for request in services["ledger"].asked if request.url.path == path]


async def test_notices_are_listed_by_customer_and_state(services):
    answer, text = await seen(services, "/ledger/dunning?customer_id=c1&state=issued")
    assert HOSTILE not in answer.text
    assert "Second &lt;b&gt; level 2 1 Jun 2025 15 Jun 2025 71.00 EUR issued" in text
    [asked] = sent(services, "/v1/dunning-notices")
    assert (asked.url.params["customer_id"], asked.url.params["state"]) == ("c1", "issued")
    assert asked.url.params["sort"] == "-issued_at"
    services["ledger"].answers["/v1/dunning-notices"] = page()
    assert "No dunning notice" in (await seen(services, "/ledger/dunning"))[1]


async def test_a_notice_says_what_it_asks_for_and_is_withdrawn_once(services):
    answer, text = await seen(services, "/ledger/dunning/n1")
    for said in ("2.50 EUR of it open", "INV-1 2 1 May 2025 60.00 EUR", "A fee of before",
                 "Letter as PDF"):  # fmt: skip
        assert said in text, said
    assert 'href="/invoices/i1"' in answer.text
    assert "OLD-1 1 11 May 2025" in text
    assert "/invoices/o1" not in answer.text  # it is no invoice: there is no page of it
    form = {"reason": "disputed", "idempotency_key": "once"}
    answer, _ = await seen(services, "/ledger/dunning/n1/withdraw", form)
    assert answer.headers["location"] == "/ledger/dunning/n1"
    [request] = sent(services, WITHDRAW)
    assert json.loads(request.content) == {"reason": "disputed"}
    assert request.headers["idempotency-key"] == "once"
    services["ledger"].answers["/v1/dunning-notices/n1"] = WITHDRAWN
    answer, text = await seen(services, "/ledger/dunning/n1")
    assert "the debt is disputed" in text
    assert 'action="/ledger/dunning/n1/withdraw"' not in answer.text
    services["ledger"].answers |= {WITHDRAW: None, "/v1/dunning-notices/n1": NOTICE}
    refused, text = await seen(services, "/ledger/dunning/n1/withdraw", form)
    assert (refused.status_code, "Not withdrawn." in text) == (422, True)


async def test_the_letter_and_the_banks_file_are_files(services):
    for path, content in (
        ("/ledger/dunning/n1/letter", b"%PDF letter"),
        ("/ledger/direct-debits/b1/file", b"<Document/>"),
    ):
        answer, _ = await seen(services, path)
        assert answer.content == content
        assert answer.headers["content-disposition"].startswith("attachment")


async def test_batches_say_what_came_in_and_what_went_back(services):
    _, text = await seen(services, "/ledger/direct-debits")
    assert sent(services, "/v1/direct-debits")[0].url.params["sort"] == "-created_at"
    assert "5 Jun 2025 3 Jun 2025 2 2 90.00 EUR open" in text
    answer, text = await seen(services, "/ledger/direct-debits/b1")
    assert "<i>" not in answer.text.replace("<img", "")
    for said in ("Went back 1", "returned AM04", "M-&lt;i&gt; first", "File for the bank"):
        assert said in text, said
    services["ledger"].answers["/v1/direct-debits/b1"] |= {"state": "cancelled", "debits": []}
    assert "File for the bank" not in (await seen(services, "/ledger/direct-debits/b1"))[1]
    services["ledger"].answers["/v1/direct-debits"] = page()
    assert "No direct debit yet" in (await seen(services, "/ledger/direct-debits"))[1]


async def test_debits_are_shown_by_fifty_with_the_names_of_those(services):
    """Of 101 debits each stands on one of three pages, with its customer's name and a link to what
    is an invoice."""
    debits = [
        DEBIT | {
            "number": f"N-{at:03}", "customer_id": f"who{at}", "invoice_id": f"i{at}",
            "kind": "charge" if at % 2 else "invoice",
        }
        for at in range(101)
    ]  # fmt: skip
    services["ledger"].answers["/v1/direct-debits/b1"]["debits"] = debits
    services["billing"].answers |= {
        f"/v1/customers/who{at}": {"id": f"who{at}", "name": f"Name {at:03}"} for at in range(101)
    }
    path = "/ledger/direct-debits/b1"
    for first, rows in (("", range(50)), ("50", range(50, 100)), ("100", [100])):
        answer, text = await seen(services, f"{path}?cursor={first}" if first else path)
        assert re.findall(r"N-\d\d\d", text) == [f"N-{at:03}" for at in rows]
        assert re.findall(r"Name \d\d\d", text) == [f"Name {at:03}" for at in rows]
        links = re.findall(r'href="/invoices/i(\d+)"', answer.text)
        assert links == [str(at) for at in rows if at % 2 == 0]
        assert (f'href="{path}?cursor={rows[-1] + 1}"' in answer.text) == (rows[-1] < 100)
        assert (f'class="button" href="{path}"' in answer.text) == bool(first)
        assert "Went back 101" in text
    for strange in ("-1", "x", "101", "9" * 30, "²"):
        assert "N-000" in (await seen(services, f"{path}?cursor={strange}"))[1]


async def test_a_mandate_stands_on_the_customers_account(services):
    answer, text = await seen(services, "/customers/c1/account")
    assert HOSTILE not in answer.text
    for said in ("revoked", "M-1 CORE", "DE02…2051", "2 Jan 2028"):
        assert said in text, said
    services["ledger"].answers["/v1/customers/c1/mandate"] = None
    assert "Signed" not in (await seen(services, "/customers/c1/account"))[1]
