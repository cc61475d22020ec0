"""An invoice is explained from what billing stored of it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from gridtally.billing.domain.credit_notes import Credited
from gridtally.billing.domain.explanations import Explanation, explain
from gridtally.billing.events.periods import unpack_usage
from gridtally.billing.store import credit_notes, evidence, invoices
from gridtally.database import Database, snapshot
from gridtally.kernel.errors import NotFound
from gridtally.kernel.periods import Period


@dataclass(frozen=True, slots=True)
class ExplainedInvoice:
    """An invoice's row, the row of its evidence, what its lines are made of, and what was credited
    of them by hand."""

    invoice: Any
    evidence: Any
    lines: Sequence[Explanation]
    credited: Credited


async def explain_invoice(
    db: Database, tenant_id: str, invoice_id: UUID, position: int | None
) -> ExplainedInvoice:
    """What the lines are made of, or the one at `position` (from 1).

    Opens its own snapshot, which is over before the work is done in a thread. NotFound where there
    is no such invoice or line; Rejected where something that it rests on is not stored any more.
    """
    async with snapshot(db, tenant=tenant_id) as read:
        invoice = await invoices.fetch_invoice(read, tenant_id, invoice_id)
        if invoice is None:
            raise NotFound("invoice_unknown", f"there is no invoice {invoice_id}")
        rows = await invoices.fetch_lines(read, tenant_id, invoice_id)
        if position is not None and not 1 <= position <= len(rows):
            raise NotFound("line_unknown", f"the invoice has {len(rows)} lines, no {position}")
        stored = await evidence.fetch_evidence(read, tenant_id, invoice_id)
        period = Period(invoice["start_on"], invoice["end_on"])
        basis = await evidence.fetch_basis(read, tenant_id, period, stored)
        credited = await credit_notes.fetch_credited_parts(read, [(tenant_id, invoice_id)])
    letters = {own.flow: (own.minutes, own.quality) for own in unpack_usage(stored["usage"])}
    lines = [invoices.line_of(row) for row in rows]
    explained = await asyncio.to_thread(explain, basis, letters, lines, position)
    own = credited.get((tenant_id, invoice_id), {})
    return ExplainedInvoice(invoice, stored, explained, own)
