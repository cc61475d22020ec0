"""What the tests of the books share: documents as billing sends them, who books them, and what
the API says of it."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

from contracts.accounts import PaymentReceived, PaymentShare
from contracts.commerce import CreditNoteIssued, InvoiceIssued, InvoiceLine, InvoiceVoided
from contracts.envelope import Envelope
from database import ALL_TENANTS, snapshot, transaction
from ledger.handlers.booking import book_invoices
from messaging import Outgoing, Received

ISSUED = datetime(2025, 4, 1, tzinfo=UTC)
VERSION = uuid4()
AT = "2025-04-06T00:00:00Z"


def line(kind, amount):
    return InvoiceLine(
        component_id=kind, kind=kind, quantity="1", unit="kWh", rate=amount, amount_exact=amount,
        amount=amount, tariff_version_id=VERSION, start_on="2025-03-01", end_on="2025-04-01",
    )  # fmt: skip


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


def voided(note):
    return InvoiceVoided(
        invoice_id=note.invoice_id, number=note.invoice_number, agreement_id=note.agreement_id,
        credit_note_id=note.credit_note_id, reason=note.reason, voided_at=note.issued_at,
    )  # fmt: skip


def payment(customer, amount, *named, currency="EUR", days=5, **other):
    shares = [PaymentShare(invoice_id=id_, amount=share) for id_, share in named]
    return PaymentReceived(
        payment_id=other.pop("payment_id", None) or uuid4(), customer_id=customer,
        currency=currency, amount=amount, received_at=ISSUED + timedelta(days=days),
        allocations=shares if named else None, **other,
    )  # fmt: skip


def outgoing(event, tenant):
    return Outgoing.of(
        event, tenant_id=tenant, correlation_id=_correlation(event), source="test",
        event_id=uuid4(), occurred_at=ISSUED,
    )  # fmt: skip


def received(event, tenant):
    envelope = Envelope(uuid4(), event.TOPIC, "test", ISSUED, tenant, _correlation(event))
    return Received(event, envelope, event.TOPIC, 0, 0, f"{tenant}:{event.key()}", b"")


def _correlation(event):
    return f"c-{getattr(event, 'number', None) or event.payment_id}"


async def booked(ledger, handle, *events, tenant="acme"):
    async with transaction(ledger, tenant=ALL_TENANTS) as tx:
        await handle(tx, [received(event, tenant) for event in events])


async def reconciled(client):
    answer = (await client.get("/v1/reconciliation")).json()
    assert answer["ok"], answer
    return {each["currency"]: each for each in answer["currencies"]}


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


async def standing(client, customer, **params):
    found = await client.get(f"/v1/customers/{customer}/balance", params=params)
    [one] = found.json()["currencies"]
    names = ("receivable", "prepaid", "export_payable", "balance", "arrears")
    return tuple(one[name] for name in names)


async def states(client, customer):
    page = (await client.get("/v1/invoices", params={"customer_id": str(customer)})).json()
    return {one["number"]: (one["state"], one["open"]) for one in page["items"]}


async def issue(ledger, *amounts, customer=None, **other):
    """Invoices of one customer, a month apart, the first the oldest."""
    customer = customer or uuid4()
    events = [
        invoice(n, customer=customer, energy=amount, tax="0", days=30 * n, **other)
        for n, amount in enumerate(amounts)
    ]
    await booked(ledger, book_invoices, *events)
    return customer, events


async def told(ledger, event):
    """What waits in the outbox of one kind, in order."""
    async with snapshot(ledger, tenant=ALL_TENANTS) as read:
        rows = await read.raw.fetch(
            "SELECT value FROM outbox WHERE topic = $1 ORDER BY seq", event.TOPIC
        )
    return [event.model_validate(json.loads(row["value"])) for row in rows]
