"""Statements as documents: addressed in the customer's language, under the letterhead in force."""

import re
from datetime import date
from decimal import Decimal
from uuid import uuid4

import pytest

from document_words import words_of_html, words_of_pdf
from gridtally.contracts.sellers import SellerAddress, SellerChanged, SellerTexts
from gridtally.documents.language import wording_of
from gridtally.ledger.accounts.handlers import statements
from gridtally.ledger.accounts.handlers.customers import apply_customers
from gridtally.ledger.accounts.handlers.postings import post_credit_notes
from gridtally.ledger.accounts.handlers.sellers import apply_sellers
from integration.ledger.accounts import (
    credit_note,
    customer,
    declare,
    issue,
    pay,
    post,
    posted,
    reverse,
)
from integration.ledger.test_ledger_payment_plans import agree, equal

WINDOW = {"from": "2025-04-01", "to": "2199-01-01", "currency": "EUR"}
SELLER = SellerChanged(
    version=1, name="Stadtwerke Musterstadt", address=SellerAddress(city="Hamburg", country="DE"),
    iban="DE02120300000000202051", language="sv",
    texts=(SellerTexts(language="de", questions="Schreiben Sie uns."),),
)  # fmt: skip
ADDRESS = {"street": "Hafen 7", "postal_code": "89073", "city": "Ulm", "country": "DE"}


@pytest.fixture
async def seller(ledger):
    await posted(ledger, apply_sellers, SELLER)


async def named(ledger, who, language=None, **more):
    said = {"name": "Ada Beispiel", "language": language, "billing_address": ADDRESS} | more
    await posted(ledger, apply_customers, customer(who, number="K-1", **said))


async def drawn(client, who, form, **query):
    answer = await client.get(
        f"/v1/customers/{who}/statement", params=WINDOW | {"format": form} | query
    )
    assert answer.status_code == 200, answer.text
    return answer


def text_of(page):
    return re.sub(r"[\s\u2009\u202f]+", " ", " ".join(words_of_html(page.content)))


LANGUAGES = [
    ("en-GB", "Statement of account K-1", "Balance to pay €65.00", "Opening balance 0.00",
     "Germany", "Payment plan of"),
    ("de", "Kontoauszug K-1", "Offener Saldo 65,00 €", "Anfangssaldo 0,00", "Deutschland",
     "Schreiben Sie uns."),
    ("fr", "Relevé de compte K-1", "Solde à payer 65,00 €", "Solde initial 0,00", "Allemagne",
     "Remboursement"),
    ("sv", "Kontoutdrag K-1", "Saldo att betala 65,00 €", "Ingående saldo 0,00", "Tyskland",
     "Återbetalning"),
    (None, "Kontoutdrag K-1", "Saldo att betala 65,00 €", "Ingående saldo 0,00", "Tyskland",
     "Återbetalning"),
]  # fmt: skip


@pytest.mark.usefixtures("seller")
@pytest.mark.parametrize("case", LANGUAGES)
async def test_a_statement_is_in_the_customers_language_or_the_sellers(ledger, acme, case):
    """30 of 100 were credited, a payment came back, 5 of 20 that were paid in advance were paid
    out, and 10 were charged: 100 - 30 - 9 + 9 - 20 + 5 + 10 = 65."""
    language, *said = case
    who, (invoice, credited) = await issue(ledger, "70.00", "30.00")
    await posted(ledger, post_credit_notes, credit_note(credited))
    await named(ledger, who, language)
    await reverse(acme, (await pay(acme, who, "9.00", (invoice.invoice_id, "9.00")))["id"])
    await declare(acme, credit_allocation="manual")
    await pay(acme, who, "20.00", allocations=[])
    whose = {"customer_id": str(who), "currency": "EUR"}
    await post(acme, "refunds", **whose, amount="5.00", reason="asked for")
    await post(acme, "adjustments", **whose, amount="10.00", reason="a letter", due_on="2025-05-01")
    await agree(acme, who, [invoice], **equal())
    page, pdf = await drawn(acme, who, "html"), await drawn(acme, who, "pdf")
    text, joined = text_of(page), "".join(words_of_pdf(pdf.content))
    for words in (*said, "Stadtwerke Musterstadt", "Ada Beispiel", "INV-0", "asked for"):
        assert words in text, words
    for word in words_of_html(page.content):
        assert word in joined, word
    assert pdf.content.startswith(b"%PDF")
    assert b"<pdfaid:part>3</pdfaid:part>" in pdf.content
    file = f"statement-{who}-EUR-2025-04-01-2199-01-01.pdf"
    assert pdf.headers["content-disposition"] == f'inline; filename="{file}"'
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "sandbox" in page.headers["content-security-policy"]


def rows_of(page, section):
    """The cells of a section's rows, without the small print."""
    (table,) = re.findall(rf'<section id="{section}">.*?<tbody>(.*?)</tbody>', page.text, re.DOTALL)
    bare = re.sub(r'<div class="note">.*?</div>', "", table)
    return [
        [cell.strip() for cell in re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL)]
        for row in re.findall(r"<tr.*?</tr>", bare, re.DOTALL)
    ]


@pytest.mark.usefixtures("seller")
@pytest.mark.parametrize("by", ["value", "booked"])
async def test_the_document_says_what_the_json_says_and_adds_up(ledger, acme, by, monkeypatch):
    """Of more open invoices than are listed the rest is a sum."""
    monkeypatch.setattr(statements, "OPEN_SHOWN_MAX", 2)
    await declare(acme, credit_allocation="manual")
    who, events = await issue(ledger, "10.00", "20.00", "40.00", "80.00")
    await named(ledger, who, "en")
    await pay(acme, who, "25.00", (events[3].invoice_id, "5.00"), (events[0].invoice_id, "10.00"))
    whole = (await drawn(acme, who, "json", by=by)).json()
    page = await drawn(acme, who, "html", by=by)
    opening, *moves, closing = rows_of(page, "changes")
    assert [(Decimal(row[-2]), Decimal(row[-1])) for row in moves] == [
        (Decimal(entry["amount"]), Decimal(entry["balance"])) for entry in whole["entries"]
    ]
    owed = Decimal(opening[-1]) + sum(Decimal(row[-2]) for row in moves)
    assert owed == Decimal(closing[-1]) == Decimal(whole["closing"]) == 125
    *items, last = rows_of(page, "open")
    assert [row[0] for row in items[2:]] == ["Further invoices", "Your credit"]
    assert sum(Decimal(row[-1]) for row in items) == Decimal(last[-1]) == 125
    moment = "occurred_at" if by == "value" else "recorded_at"
    days = [date.fromisoformat(entry[moment][:10]) for entry in whole["entries"]]
    assert [row[0] for row in moves] == list(map(wording_of("en").day, days))


@pytest.mark.usefixtures("seller")
async def test_texts_of_others_are_harmless(ledger, acme):
    who, _ = await issue(ledger, "1234.5")
    await named(ledger, who, "en", name="<script>alert(2)</script>")
    await pay(acme, who, "34.5", reference="=1+1", method="<script>alert(1)</script>")
    page = await drawn(acme, who, "html")
    assert "&lt;script&gt;alert(1)" in page.text
    assert "&lt;script&gt;alert(2)" in page.text
    assert "<script" not in page.text
    assert "1,234.50" in page.text


async def test_without_a_letterhead_or_a_name_there_is_no_document(ledger, acme, clients):
    who, _ = await issue(ledger, "10.00")

    async def refused(client=acme, customer_id=who):
        codes = set()
        for form in ("html", "pdf"):
            answer = await client.get(
                f"/v1/customers/{customer_id}/statement", params=WINDOW | {"format": form}
            )
            codes.add((answer.status_code, answer.json()["code"]))
        return codes

    assert await refused() == {(404, "customer_unknown")}
    await named(ledger, who)
    assert await refused() == {(422, "seller_missing")}
    await posted(ledger, apply_sellers, SELLER)
    await drawn(acme, who, "pdf")
    assert await refused(customer_id=uuid4()) == {(404, "customer_unknown")}
    assert await refused(await clients("north")) == {(404, "customer_unknown")}
    assert (await drawn(acme, who, "json")).json()["closing"] == "10.00"


@pytest.mark.usefixtures("seller")
async def test_the_last_day_of_a_statement_is_the_last_with_time_in_it(ledger, acme):
    who, _ = await issue(ledger, "10.00")
    await named(ledger, who, "en")
    for to, period in (
        ("2025-05-01", "Apr 1 – 30, 2025"),
        ("2025-05-01T00:00:00Z", "Apr 1 – 30, 2025"),
        ("2025-05-01T00:00:01Z", "Apr 1 – May 1, 2025"),
    ):
        assert period in text_of(await drawn(acme, who, "html", to=to)), to
