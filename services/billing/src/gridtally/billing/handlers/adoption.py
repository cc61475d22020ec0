"""After a restore: what billing had published is stored just as it was said.

Nothing is decided here. Numbers, instants and versions are those of the events; counters and sums
follow them. What is stored already stays, unless a newer version of it was published.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from gridtally.billing.domain.customers import ZERO, Issue
from gridtally.billing.domain.invoices import Invoice, highest_serials
from gridtally.billing.domain.periods import invoice_id
from gridtally.billing.events.adoption import (
    published_agreement,
    published_credit_note,
    published_customer,
    published_invoice,
)
from gridtally.billing.events.invoices import credit_note_issued
from gridtally.billing.store import (
    adopted_invoices,
    balances,
    collective_invoices,
    credit_notes,
    documents,
    erasures,
    invoices,
    numbers,
)
from gridtally.billing.store.adoption import (
    PublishedAgreement,
    PublishedCustomer,
    adopt_agreements,
    adopt_customers,
    delete_ended,
    delete_ended_agreements,
    fetch_unknown,
)
from gridtally.contracts.commerce import (
    AgreementChanged,
    CreditNoteIssued,
    CustomerChanged,
    InvoiceIssued,
)
from gridtally.database import WriteConnection
from gridtally.http.idempotency import erase_answers
from gridtally.messaging import ReceivedMessage, ResourceKey, enqueue, resource_key
from gridtally.messaging.letter_store import erase_letters


async def adopt_published_customers(
    tx: WriteConnection, messages: Sequence[ReceivedMessage[CustomerChanged]]
) -> Sequence[ReceivedMessage[CustomerChanged]]:
    """Customers in the versions that were published; those that had ended or were erased are so."""
    ended: dict[ResourceKey, datetime] = {}
    newest: dict[ResourceKey, PublishedCustomer] = {}
    for message in messages:
        key = resource_key(message)
        if message.event is None:
            ended[key] = message.envelope.occurred_at
            newest.pop(key, None)
        else:
            newest[key] = PublishedCustomer(
                message.envelope.tenant_id,
                published_customer(message.event),
                message.event.version,
                message.envelope.occurred_at,
            )
    await delete_ended_agreements(tx, ended, of="customer_id")
    await delete_ended(tx, ended)
    await adopt_customers(tx, list(newest.values()))
    for tenant_id, customer, _, published_at in newest.values():
        if customer.erased_at is not None:
            await documents.delete_documents_of(tx, tenant_id, customer.id)
            await erase_answers(tx, tenant_id, customer.id)
            await erase_letters(tx, tenant_id, customer.id, published_at)
            await erasures.delete_unsent(tx, tenant_id, customer.id)
    return []


async def adopt_published_agreements(
    tx: WriteConnection, messages: Sequence[ReceivedMessage[AgreementChanged]]
) -> Sequence[ReceivedMessage[AgreementChanged]]:
    """Agreements in the versions that were published; those that were deleted are so. One whose
    days another one still has, since that one's later version comes later, waits for it."""
    ended = {
        resource_key(message): message.envelope.occurred_at
        for message in messages
        if message.event is None
    }
    await delete_ended_agreements(tx, ended)
    newest = {
        key: message
        for key, message in {resource_key(message): message for message in messages}.items()
        if message.event is not None
    }
    published = [
        PublishedAgreement(
            tenant_id, published_agreement(message.event), message.envelope.occurred_at
        )
        for (tenant_id, _), message in newest.items()
        if message.event is not None
    ]
    waiting = await adopt_agreements(tx, published)
    return [newest[key] for key in waiting]


async def adopt_published_invoices(
    tx: WriteConnection, messages: Sequence[ReceivedMessage[InvoiceIssued]]
) -> Sequence[ReceivedMessage[InvoiceIssued]]:
    """Invoices that were issued, with their lines. Each waits for its period to come again, which
    brings its evidence."""
    published = {
        (invoice.tenant_id, invoice.id): invoice
        for message in messages
        if message.event is not None
        for invoice in published_invoice(message)
    }
    unknown = [published[key] for key in await fetch_unknown(tx, "invoice", published)]
    owed = [invoice for invoice in unknown if invoice.collective_id is None]
    await numbers.raise_counters(
        tx, highest_serials((invoice.tenant_id, invoice.number) for invoice in owed)
    )
    await invoices.insert_lines(
        tx, {(invoice.tenant_id, invoice.id): invoice.lines for invoice in unknown}
    )
    await invoices.insert_invoices(tx, unknown)
    await collective_invoices.insert_sections(tx, unknown)
    carried = await _carry_over(tx, unknown)
    waiting = [own for own in unknown if not own.is_collective and own.id not in carried]
    await adopted_invoices.insert_adopted(tx, waiting)
    await balances.add_issued(
        tx,
        [
            Issue((invoice.tenant_id, invoice.customer_id, invoice.currency), invoice.total)
            for invoice in owed
        ],
    )
    return []


# The period of a section that stayed when another one was corrected does not come again for that:
# it has the evidence of the one before it, if that is known. If not, it waits together with that.
async def _carry_over(tx: WriteConnection, unknown: Sequence[Invoice]) -> set[UUID]:
    """Give sections that stayed the evidence of the ones before them; which have it now."""
    stayed = {
        section.section_id
        for invoice in unknown
        for section in invoice.sections
        if section.change is None
    }
    carried: set[UUID] = set()
    restated = [own for own in unknown if own.id in stayed and own.restatement > 0]
    for section in sorted(restated, key=lambda own: own.restatement):
        key = section.tenant_id, section.agreement_id, section.start_on
        before = replace(section, id=invoice_id(key, section.revision, section.restatement - 1))
        if await collective_invoices.fetch_with_evidence(tx, [(before.tenant_id, before.id)]):
            await collective_invoices.carry_over(tx, [(before, section)])
            carried.add(section.id)
    return carried


async def adopt_published_credit_notes(
    tx: WriteConnection, messages: Sequence[ReceivedMessage[CreditNoteIssued]]
) -> Sequence[ReceivedMessage[CreditNoteIssued]]:
    """Credit notes that were issued. That their invoices are void is said once more: the note may
    have been the last thing that was sent."""
    published = {
        (note.tenant_id, note.id): note
        for note in (published_credit_note(m) for m in messages if m.event is not None)
    }
    unknown = [published[key] for key in await fetch_unknown(tx, "credit_note", published)]
    await numbers.raise_counters(
        tx, highest_serials((note.tenant_id, note.number) for note in unknown)
    )
    await credit_notes.insert_credit_notes(tx, unknown)
    await balances.add_issued(
        tx,
        [
            Issue((note.tenant_id, note.customer_id, note.currency), ZERO, note.total)
            for note in unknown
        ],
    )
    await enqueue(tx, [message for note in unknown for message in credit_note_issued(note)[1:]])
    return []
