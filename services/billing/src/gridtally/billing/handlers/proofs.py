"""The proof of an invoice is made from what billing stored of it."""

import asyncio
from uuid import UUID

from gridtally.billing.events.proofs import collective_document, proof_document
from gridtally.billing.store import proofs
from gridtally.billing.store.invoices import fetch_invoices
from gridtally.database import Database, snapshot
from gridtally.kernel.errors import NotFound


async def prove_invoice(db: Database, tenant_id: str, invoice_id: UUID) -> bytes:
    """The proof, as JSON.

    Opens its own snapshot, which is over before the proof is written in a thread. NotFound where
    there is no such invoice; Rejected where a tariff version that it rests on is not stored.
    """
    async with snapshot(db, tenant=tenant_id) as read:
        invoices = await fetch_invoices(read, [(tenant_id, invoice_id)])
        invoice = invoices.get((tenant_id, invoice_id))
        if invoice is None:
            raise NotFound("invoice_unknown", f"there is no invoice {invoice_id}")
        ids = [section.section_id for section in invoice.sections] or [invoice_id]
        fetched = [await proofs.fetch_proof(read, tenant_id, own) for own in ids]
    stored = [proof for proof in fetched if proof is not None]
    if invoice.is_collective:
        return await asyncio.to_thread(collective_document, invoice.proof_root, stored)
    return await asyncio.to_thread(proof_document, stored[0])
