"""What a proof is made of, as it is stored: an invoice, its evidence, tariff versions, prices."""

from uuid import UUID

from gridtally.billing.events.proofs import StoredProof
from gridtally.billing.store import evidence, invoices
from gridtally.database import ReadConnection


async def fetch_proof(read: ReadConnection, tenant_id: str, invoice_id: UUID) -> StoredProof | None:
    """What the proof of an invoice is made of; None where there is no such invoice.

    Rejected where a tariff version that it rests on is not stored.
    """
    stored = await invoices.fetch_invoices(read, [(tenant_id, invoice_id)])
    invoice = stored.get((tenant_id, invoice_id))
    if invoice is None:
        return None
    row = await evidence.fetch_evidence(read, tenant_id, invoice_id)
    return StoredProof(
        invoice,
        row,
        await evidence.fetch_documents(read, tenant_id, row["parts"]),
        await evidence.fetch_price_days(read, tenant_id, row["prices"]),
    )
