"""Credit notes by hand: a part of an invoice is credited, for a reason, by somebody.

Locks as those who bill do: the agreement first, so that no correction of it is under way, and the
numbers last.
"""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from gridtally.billing.domain.credit_notes import Credit, CreditNote, credit_part
from gridtally.billing.domain.customers import ZERO, Issue
from gridtally.billing.domain.invoices import Invoice, series_of
from gridtally.billing.domain.reference_data import Key
from gridtally.billing.events.invoices import credit_note_issued
from gridtally.billing.store import agreements, balances, credit_notes, invoices, numbers
from gridtally.billing.store.evidence import fetch_versions
from gridtally.database import WriteConnection
from gridtally.kernel.errors import Conflict, NotFound
from gridtally.kernel.resources import Cause
from gridtally.messaging import enqueue


async def credit_invoice(
    tx: WriteConnection, cause: Cause, invoice_id: UUID, credit: Credit, now: datetime
) -> CreditNote:
    """Issue the credit note of a part of an invoice.

    NotFound without the invoice; Conflict where it is void, or nothing is left of it; Rejected for
    more than what is left.
    """
    key = (cause.tenant_id, invoice_id)
    invoice = (await invoices.fetch_invoices(tx, [key])).get(key)
    if invoice is None:
        raise NotFound("invoice_unknown", f"there is no invoice {invoice_id}")
    if invoice.collective_id is not None:
        raise Conflict(
            "section_of_invoice",
            f"{invoice.number} is a section: credit its invoice, {invoice.collective_id}",
        )
    await agreements.lock_agreements(tx, await _agreements_of(tx, invoice))
    if await credit_notes.fetch_cancelled(tx, [key]):
        raise Conflict("invoice_void", f"invoice {invoice.number} is void: it was credited whole")
    credited = (await credit_notes.fetch_credited_parts(tx, [key])).get(key, {})
    ids = {line.item.tariff_version_id for line in invoice.lines}
    versions = await fetch_versions(tx, cause.tenant_id, ids)
    note = credit_part(invoice, versions, credited, credit, cause, now)
    [number] = await numbers.take_numbers(tx, series_of("CN", now), [cause.tenant_id])
    note = replace(note, number=number)
    await credit_notes.insert_credit_notes(tx, [note])
    customer = (cause.tenant_id, invoice.customer_id, invoice.currency)
    await balances.add_issued(tx, [Issue(customer, ZERO, note.total)])
    await enqueue(tx, credit_note_issued(note))
    return note


async def _agreements_of(tx: WriteConnection, invoice: Invoice) -> set[Key]:
    """The agreements that an invoice bills."""
    if not invoice.sections:
        return {(invoice.tenant_id, invoice.agreement_id)}
    keys = [(invoice.tenant_id, section.section_id) for section in invoice.sections]
    sections = await invoices.fetch_invoices(tx, keys)
    return {(own.tenant_id, own.agreement_id) for own in sections.values()}
