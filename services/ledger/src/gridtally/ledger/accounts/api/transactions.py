"""`/v1/transactions`: what was posted, and why."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from gridtally.database import snapshot
from gridtally.http.context import Db
from gridtally.http.json_bodies import Router
from gridtally.http.paging import Page, Paging
from gridtally.kernel.errors import NotFound
from gridtally.ledger.accounts.api.models import CurrencyCode, InCurrency, Money
from gridtally.ledger.accounts.domain.open_items import OpenItemKind
from gridtally.ledger.accounts.domain.transactions import TransactionKind
from gridtally.ledger.accounts.store import transactions
from gridtally.ledger.accounts.store.transactions import PostedTransaction
from gridtally.ledger.callers import Reader, instant, named_filters

router = Router(prefix="/v1/transactions", tags=["transactions"])
PROOF_ROOT = "The root of an invoice's proof, SHA-256 in hexadecimal; null where it has none"
CUSTOMER = "Whom it is about; null of settlements, which pay payees, and their reversals"
Name = Annotated[str | None, Query(max_length=256, pattern=r"^[^\x00]*$")]


class Posting(BaseModel):
    """One side of a transaction: above zero a debit, below zero a credit."""

    line: int
    account_id: UUID
    account_code: str
    amount: Money


class Allocation(BaseModel):
    """What a transaction allocates to an invoice; below zero it takes back what `source_id`,
    another transaction, had allocated. (Of an invoice below zero the signs are the other way
    round.)"""

    invoice_id: UUID
    kind: Annotated[
        OpenItemKind,
        Field(description="Whether that is an invoice of billing or a charge of the ledger's own"),
    ]
    number: str
    source_id: UUID
    amount: Money


class Transaction(InCurrency):
    """A balanced, immutable entry. `reverses_id` is the transaction that a credit note or reversal
    undoes; `correlation_id` is that of the reading whose arrival led here."""

    id: UUID
    kind: str
    document_id: UUID
    reference: str
    memo: str
    reverses_id: UUID | None
    customer_id: Annotated[UUID | None, Field(description=CUSTOMER)]
    total: Money
    occurred_at: datetime
    recorded_at: datetime
    correlation_id: str
    proof_root: Annotated[str | None, Field(description=PROOF_ROOT)]
    postings: list[Posting]
    allocations: list[Allocation]

    @classmethod
    def of(cls, transaction: PostedTransaction) -> Self:
        """The transaction as the API shows it."""
        return cls.model_validate(transaction, from_attributes=True)


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
    filters = named_filters(
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
            read,
            caller.tenant_id,
            filters,
            (after[0], after[1]) if after else None,
            paging.rows,
        )
    return paging.cut(
        rows,
        item=Transaction.of,
        position=lambda transaction: (transaction.recorded_at, transaction.id),
    )


@router.get("/{transaction_id}")
async def get_transaction(transaction_id: UUID, db: Db, caller: Reader) -> Transaction:
    """One transaction with its postings."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        transaction = await transactions.fetch_transaction(read, caller.tenant_id, transaction_id)
    if transaction is None:
        raise NotFound("transaction_unknown", "no transaction has this id")
    return Transaction.of(transaction)
