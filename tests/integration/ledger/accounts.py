"""What the tests of accounts share: documents as billing sends them, their posting, and what the
API answers about them."""

import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

from gridtally.contracts.accounts import AccountChanged, PaymentAllocation, PaymentReceived
from gridtally.contracts.commerce import (
    CreditNoteIssued,
    CustomerChanged,
    InvoiceIssued,
    InvoiceVoided,
)
from gridtally.contracts.envelope import Envelope
from gridtally.contracts.invoice_lines import InvoiceLine
from gridtally.contracts.sellers import SellerChanged
from gridtally.database import ALL_TENANTS, snapshot, transaction
from gridtally.ledger.accounts.handlers.balances import publish_changed_balances
from gridtally.ledger.accounts.handlers.customers import apply_customers
from gridtally.ledger.accounts.handlers.postings import post_invoices
from gridtally.ledger.accounts.handlers.sellers import apply_sellers
from gridtally.messaging import OutgoingMessage, ReceivedMessage

ISSUED = datetime(2025, 4, 1, tzinfo=UTC)
VERSION = uuid4()
AT = "2025-04-06T00:00:00Z"


def line(kind, amount, payee=None):
    return InvoiceLine(
        component_id=kind, kind=kind, quantity="1", unit="kWh", rate=amount, amount_exact=amount,
        amount=amount, tariff_version_id=VERSION, start_on="2025-03-01", end_on="2025-04-01",
        payee=payee,
    )  # fmt: skip


def with_lines(document, *lines):
    """An invoice or credit note of these lines: kind, amount and, where one is named, payee."""
    tax = sum((Decimal(amount) for kind, amount, *_ in lines if kind == "tax"), Decimal(0))
    total = sum((Decimal(amount) for _, amount, *_ in lines), Decimal(0))
    amounts = {"net": total - tax, "tax": tax, "total": total}
    return document.model_copy(update={"lines": [line(*own) for own in lines]} | amounts)


def invoice(n, *, customer=None, energy="100.00", tax="19.00", currency="EUR", days=0, due_on=None):
    return InvoiceIssued(
        invoice_id=uuid4(), number=f"INV-{n}", customer_id=customer or uuid4(),
        agreement_id=uuid4(), meter_id=uuid4(), start_on="2025-03-01", end_on="2025-04-01",
        revision=1, currency=currency, lines=[line("energy", energy), line("tax", tax)],
        net=energy, tax=tax, total=str(Decimal(energy) + Decimal(tax)),
        issued_at=ISSUED + timedelta(days=days), due_on=due_on,
    )  # fmt: skip


def credit_note(of, *, days=10):
    return CreditNoteIssued(
        credit_note_id=uuid4(), number=f"CN-{of.number}", invoice_id=of.invoice_id,
        invoice_number=of.number, customer_id=of.customer_id, agreement_id=of.agreement_id,
        currency=of.currency, lines=of.lines, net=of.net, tax=of.tax, total=of.total,
        reason="revision 2", issued_at=ISSUED + timedelta(days=days),
    )  # fmt: skip


def partial_credit_note(of, net, tax="0", *, days=10, extent="part"):
    return CreditNoteIssued(
        credit_note_id=uuid4(), number=f"CN-{of.number}-{net}", invoice_id=of.invoice_id,
        invoice_number=of.number, customer_id=of.customer_id, agreement_id=of.agreement_id,
        currency=of.currency, lines=[line("energy", net), line("tax", tax)], net=net, tax=tax,
        total=str(Decimal(net) + Decimal(tax)), reason="a wrong reading",
        issued_at=ISSUED + timedelta(days=days), extent=extent, positions=[1, 2],
        credited_by="k1",
    )  # fmt: skip


def voided(note):
    return InvoiceVoided(
        invoice_id=note.invoice_id, number=note.invoice_number, agreement_id=note.agreement_id,
        credit_note_id=note.credit_note_id, reason=note.reason, voided_at=note.issued_at,
    )  # fmt: skip


def payment(customer, amount, *named, currency="EUR", days=5, **other):
    allocations = [PaymentAllocation(invoice_id=id_, amount=part) for id_, part in named]
    return PaymentReceived(
        payment_id=other.pop("payment_id", None) or uuid4(), customer_id=customer,
        currency=currency, amount=amount, received_at=ISSUED + timedelta(days=days),
        allocations=allocations if named else None, **other,
    )  # fmt: skip


def customer(id_, currency="EUR", **more):
    return CustomerChanged(**{"customer_id": id_, "currency": currency, "version": 1} | more)


async def known(ledger, *ids, currency="EUR", tenant="acme"):
    """Customers that billing has published; the first of them, or a new one."""
    ids = ids or (uuid4(),)
    events = [customer(id_, currency) for id_ in ids]
    await posted(ledger, apply_customers, *events, tenant=tenant)
    return ids[0]


async def statement_page(ledger, client, who, window, currency="EUR"):
    """The text of a customer's statement as a page, under a letterhead and with a name."""
    await posted(ledger, apply_sellers, SellerChanged(name="Stadtwerke", version=1))
    await posted(ledger, apply_customers, customer(who, currency, name="Ada", version=2))
    path = f"/v1/customers/{who}/statement"
    page = await client.get(path, params=window | {"format": "html"})
    assert page.status_code == 200, page.text
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))


def outgoing(event, tenant):
    return OutgoingMessage.of(
        event, tenant_id=tenant, correlation_id=_correlation(event), source="test",
        event_id=uuid4(), occurred_at=ISSUED,
    )  # fmt: skip


def received(event, tenant):
    envelope = Envelope(uuid4(), event.TOPIC, "test", ISSUED, tenant, _correlation(event))
    return ReceivedMessage(event, envelope, event.TOPIC, 0, 0, f"{tenant}:{event.key()}", b"")


def _correlation(event):
    named = getattr(event, "number", None) or getattr(event, "payment_id", None)
    return f"c-{named or event.key()}"


async def posted(ledger, handle, *events, tenant="acme"):
    async with transaction(ledger, tenant=ALL_TENANTS) as tx:
        await handle(tx, [received(event, tenant) for event in events])


async def reconciled(client):
    answer = (await client.get("/v1/reconciliation")).json()
    assert answer["ok"], answer
    return {books["currency"]: books for books in answer["currencies"]}


async def post(client, path, status=201, headers=None, **body):
    answer = await client.post(f"/v1/{path}", json=body, headers=headers or {})
    assert answer.status_code == status, answer.text
    return answer.json()


async def pay(client, customer, amount, *named, status=201, currency="EUR", **other):
    if named:
        other["allocations"] = [{"invoice_id": str(i), "amount": a} for i, a in named]
    return await post(
        client, "payments", status, customer_id=str(customer), currency=currency, amount=amount,
        **{"occurred_at": AT} | other,
    )  # fmt: skip


async def reverse(client, transaction_id, status=201):
    return await post(client, f"transactions/{transaction_id}/reversal", status, reason="bounced")


async def balance(client, customer, **params):
    answer = await client.get(f"/v1/customers/{customer}/balance", params=params)
    [amounts] = answer.json()["currencies"]
    names = ("receivable", "prepaid", "export_payable", "balance", "arrears")
    return tuple(amounts[name] for name in names)


async def states(client, customer):
    page = (await client.get("/v1/invoices", params={"customer_id": str(customer)})).json()
    return {item["number"]: (item["state"], item["open"]) for item in page["items"]}


async def issue(ledger, *amounts, customer=None, tenant="acme", **other):
    """Invoices of one customer, a month apart, the first the oldest."""
    customer = customer or uuid4()
    events = [
        invoice(n, customer=customer, energy=amount, tax="0", days=30 * n, **other)
        for n, amount in enumerate(amounts)
    ]
    await posted(ledger, post_invoices, *events, tenant=tenant)
    return customer, events


async def reported(ledger, event):
    """What waits in the outbox of one kind, in order."""
    async with snapshot(ledger, tenant=ALL_TENANTS) as read:
        rows = await read.raw.fetch(
            "SELECT value FROM outbox WHERE topic = $1 ORDER BY seq", event.TOPIC
        )
    return [event.model_validate(json.loads(row["value"])) for row in rows]


async def declare(client, **rules):
    answer = await client.put("/v1/payment-terms", json={"payment_days": 14} | rules)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def published(ledger):
    """The balances that are published now."""
    async with transaction(ledger, tenant=ALL_TENANTS) as tx:
        await publish_changed_balances(tx, datetime.now(UTC))
    return await reported(ledger, AccountChanged)
