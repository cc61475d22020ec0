"""Merging customers over HTTP, and the trail of that."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Literal, Self
from uuid import UUID

from fastapi import Response

from gridtally.billing.api.agreements import Agreement
from gridtally.billing.api.callers import Reader, WriteCause
from gridtally.billing.api.customers import Customer
from gridtally.billing.domain import merges as domain
from gridtally.billing.domain.customers import BalanceKey, CustomerBalance
from gridtally.billing.handlers import merges as handlers
from gridtally.billing.store import merges as store
from gridtally.contracts.model import Amount, Text
from gridtally.database import snapshot, transaction
from gridtally.http.context import Db, Now
from gridtally.http.idempotency import Idempotent
from gridtally.http.json_bodies import Router
from gridtally.http.paging import Page, Paging
from gridtally.http.resources import AnswerModel, Body
from gridtally.kernel.money import in_currency

router = Router(prefix="/v1", tags=["customers"])


class NewCustomerMerge(Body):
    """Who the customer really is, and why that is known."""

    into: UUID
    """The customer who goes on."""
    reason: Text
    """Why, for the trail; it must not name the person."""

    def order(self, duplicate_id: UUID) -> handlers.MergeOrder:
        """What is to be done."""
        return handlers.MergeOrder(duplicate_id, self.into, self.reason)


class CustomerMerge(AnswerModel):
    """That a customer was merged into another one."""

    id: UUID
    duplicate_id: UUID
    """The customer who was one too many; its name and number stay on what was issued to it."""
    survivor_id: UUID
    """The customer who goes on."""
    reason: str
    """Why."""
    merged_by: str
    """The API key that asked for it."""
    merged_at: datetime
    """When, UTC."""
    correlation_id: str
    agreement_ids: list[UUID]
    """The agreements that went over."""

    @classmethod
    def of(cls, merge: domain.CustomerMerge) -> Self:
        """The merge as the API shows it."""
        return cls.model_validate(merge, from_attributes=True)


class CustomerMergeDetail(CustomerMerge):
    """A merge with both customers as they are after it."""

    duplicate: Customer
    """The customer who was merged, and does not change any more."""
    survivor: Customer
    """The customer who goes on."""

    @classmethod
    def made(cls, merged: domain.Merged) -> Self:
        """A merge that was just made, or asked for again."""
        return cls(
            **CustomerMerge.of(merged.merge).model_dump(),
            duplicate=Customer.of(merged.duplicate),
            survivor=Customer.of(merged.survivor),
        )


class MergedBalance(AnswerModel):
    """What the ledger said last of a customer's account in a currency."""

    customer_id: UUID
    """Whose account it is now."""
    currency: str
    """The currency of both amounts."""
    balance: Amount
    """What is owed; a credit is below zero. A merge moves the duplicate's to the survivor."""
    arrears: Amount
    """How much of it is overdue."""


class CustomerMergePreview(AnswerModel):
    """What a merge would do; nothing is changed."""

    kind: Literal["preview"]
    """Always `preview`."""
    duplicate: Customer
    """The customer who would be merged, as it would be."""
    survivor: Customer
    """The customer who would go on."""
    agreements: list[Agreement]
    """The agreements that would be the survivor's."""
    balances: list[MergedBalance]
    """What both owe, as the ledger has published it last."""

    @classmethod
    def of(cls, preview: handlers.MergePreview) -> Self:
        """The preview as the API shows it."""
        merged = preview.merged
        return cls(
            kind="preview",
            duplicate=Customer.of(merged.duplicate),
            survivor=Customer.of(merged.survivor),
            agreements=[Agreement.of(agreement) for agreement in merged.agreements],
            balances=_balances(preview.balances),
        )


def _balances(balances: Mapping[BalanceKey, CustomerBalance]) -> list[MergedBalance]:
    return [
        MergedBalance(
            customer_id=customer_id,
            currency=currency,
            balance=_written(known.balance, currency),
            arrears=_written(known.arrears, currency),
        )
        for (_, customer_id, currency), known in sorted(balances.items())
    ]


def _written(amount: Decimal, currency: str) -> Decimal:
    return in_currency(amount, currency)


@router.post("/customers/{customer_id}/merge/preview")
async def preview_merge(
    customer_id: UUID, new: NewCustomerMerge, db: Db, cause: WriteCause, now: Now
) -> CustomerMergePreview:
    """What a merge would change: which agreements go over, and what both customers owe.

    It is done by what does it, and taken back: nothing is changed or published.
    """
    preview = await handlers.preview_merge(db, cause, new.order(customer_id), now)
    return CustomerMergePreview.of(preview)


@router.post("/customers/{customer_id}/merge", status_code=201, response_model=CustomerMergeDetail)
async def merge_customer(
    customer_id: UUID,
    new: NewCustomerMerge,
    db: Db,
    cause: WriteCause,
    now: Now,
    request: Idempotent,
) -> Response:
    """Merge a customer into another one who is the same person or business; 200 the second time.

    The agreements are the survivor's from now on, and so are invoices of them; what was issued
    stays as it was issued. What is open, credit or held of the duplicate moves in the ledger within
    seconds, as do payment plans, and what is paid or credited later follows. A merge is not undone:
    an agreement that belongs elsewhere after all is put right by its rebilling.
    """
    async with transaction(db, tenant=cause.tenant_id) as tx:
        if (stored_answer := await request.fetch_answer(tx)) is not None:
            return stored_answer
        merged = await handlers.merge_customer(tx, cause, new.order(customer_id), now)
        body = CustomerMergeDetail.made(merged)
        return await request.store_answer(tx, 201 if merged.is_new else 200, body)


@router.get("/customer-merges")
async def list_customer_merges(db: Db, caller: Reader, paging: Paging) -> Page[CustomerMerge]:
    """Who was merged into whom, by whom and why, the newest first."""
    after = paging.after(datetime.fromisoformat, UUID)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        merges = await store.list_merges(read, caller.tenant_id, after, paging.rows)
    return paging.cut(
        merges, item=CustomerMerge.of, position=lambda merge: (merge.merged_at, merge.id)
    )
