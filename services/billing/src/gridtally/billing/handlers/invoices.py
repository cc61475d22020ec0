"""An invoice is computed again from what billing stored of it."""

import asyncio
from datetime import date, datetime
from typing import Any
from uuid import UUID

from gridtally.billing.store import evidence, invoices
from gridtally.database import Database, snapshot
from gridtally.kernel.errors import NotFound
from gridtally.kernel.periods import Period
from gridtally.rating import recalculation
from gridtally.rating.engine.bill import Bill
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


async def bill_as_known(
    db: Database, tenant_id: str, agreement_id: UUID, start_on: date, moment: datetime
) -> tuple[Any, Bill]:
    """The row of the last invoice of a period that had been issued by the moment, and its bill
    made again from its evidence.

    Opens its own snapshot, which is over before the bill is made in a thread. NotFound where none
    had been issued by then; Rejected where something that it rests on is not stored any more.
    """
    async with snapshot(db, tenant=tenant_id) as read:
        revisions = await invoices.fetch_revisions_of_period(
            read, tenant_id, agreement_id, start_on
        )
        issued = [row for row in revisions if row["issued_at"] <= moment]
        if not issued:
            raise NotFound(
                "bill_unknown",
                f"no invoice of the period from {start_on} had been issued by that moment",
            )
        invoice = issued[-1]
        stored = await evidence.fetch_evidence(read, tenant_id, invoice["id"])
        period = Period(invoice["start_on"], invoice["end_on"])
        basis = await evidence.fetch_basis(read, tenant_id, period, stored)
    return invoice, await asyncio.to_thread(recalculation.rate_again, basis)
