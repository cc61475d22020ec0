"""An invoice is computed again from what billing stored of it."""

import asyncio
from uuid import UUID

from gridtally.billing.store import evidence, invoices
from gridtally.database import Database, snapshot
from gridtally.kernel.errors import NotFound
from gridtally.kernel.periods import Period
from gridtally.rating import recalculation
from gridtally.rating.recalculation import Recalculation
from gridtally.rating.state import read_state


async def recalculate_invoice(db: Database, tenant_id: str, invoice_id: UUID) -> Recalculation:
    """The bill that the invoice's evidence makes, beside what was issued.

    Opens its own snapshot, which is over before the bill is made, and makes it in a thread: so a
    long one holds neither a connection nor other requests. NotFound where there is no such
    invoice; Rejected where something that it rests on is not stored any more.
    """
    async with snapshot(db, tenant=tenant_id) as read:
        invoice = await invoices.fetch_invoice(read, tenant_id, invoice_id)
        if invoice is None:
            raise NotFound("invoice_unknown", f"there is no invoice {invoice_id}")
        lines = await invoices.fetch_lines(read, tenant_id, invoice_id)
        stored = await evidence.fetch_evidence(read, tenant_id, invoice_id)
        period = Period(invoice["start_on"], invoice["end_on"])
        basis = await evidence.fetch_basis(read, tenant_id, period, stored)
    return await asyncio.to_thread(
        recalculation.recalculate,
        basis,
        [invoices.line_of(line) for line in lines],
        read_state(stored["state_after"]),
    )
