"""`/v1/transactions`: what was booked, and why."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from database import snapshot
from kernel.errors import NotFound
from ledger.api.models import Reader, given, instant
from ledger.api.money import CurrencyCode, Transaction, shown_transaction
from ledger.domain.transactions import TransactionKind
from ledger.store import transactions
from serving.context import Db
from serving.paging import Page, Paging

router = APIRouter(prefix="/v1/transactions", tags=["transactions"])
Name = Annotated[str | None, Query(max_length=256, pattern=r"^[^\x00]*$")]


@router.get("")
async def list_transactions(
    db: Db,
    caller: Reader,
    paging: Paging,
    kind: TransactionKind | None = None,
    document_id: UUID | None = None,
    customer_id: UUID | None = None,
    currency: CurrencyCode | None = None,
    reference: Name = None,
    correlation_id: Name = None,
) -> Page[Transaction]:
    """Transactions with their postings, in the order they were recorded."""
    filters = given(
        kind=kind,
        document_id=document_id,
        customer_id=customer_id,
        currency=currency,
        reference=reference,
        correlation_id=correlation_id,
    )
    after = paging.after(instant, UUID)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rows = await transactions.list_transactions(
            read, caller.tenant_id, filters, after, paging.rows
        )
    return paging.cut(rows, item=shown_transaction, position=lambda one: (one.recorded_at, one.id))


@router.get("/{transaction_id}")
async def get_transaction(transaction_id: UUID, db: Db, caller: Reader) -> Transaction:
    """One transaction with its postings."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        found = await transactions.fetch_transaction(read, caller.tenant_id, transaction_id)
    if found is None:
        raise NotFound("transaction_unknown", "no transaction has this id")
    return shown_transaction(found)
