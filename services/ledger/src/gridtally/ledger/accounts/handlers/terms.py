"""Changing a tenant's payment terms."""

from gridtally.database import WriteConnection
from gridtally.ledger.accounts.domain.terms import Terms
from gridtally.ledger.accounts.store import credit, terms


async def change_terms(tx: WriteConnection, tenant_id: str, changed: Terms) -> None:
    """Store the terms; credit that is there already is applied by the loop, if they say so."""
    await terms.upsert_terms(tx, tenant_id, changed)
    if changed.credit_allocation == "oldest_first":
        await credit.mark_credit_due(tx, tenant_id)
