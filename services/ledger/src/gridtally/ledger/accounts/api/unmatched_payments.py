"""`/v1/unmatched-payments`: money for a customer, or in a currency, that nobody has."""

from datetime import datetime
from typing import Self
from uuid import UUID

from fastapi import Response
from pydantic import Field

from gridtally.contracts.model import Text
from gridtally.database import snapshot, transaction
from gridtally.http.context import Db, Now
from gridtally.http.idempotency import Idempotent
from gridtally.http.json_bodies import Router
from gridtally.http.paging import Page, Paging
from gridtally.http.resources import Body
from gridtally.kernel.ids import new_id
from gridtally.ledger.accounts.api.models import InCurrency, Money
from gridtally.ledger.accounts.api.payments import (
    Reference,
    RequestedAllocations,
    answer_posted,
    requested,
)
from gridtally.ledger.accounts.api.transactions import Transaction
from gridtally.ledger.accounts.domain import unmatched_payments as domain
from gridtally.ledger.accounts.domain.commands import Command
from gridtally.ledger.accounts.handlers import unmatched_payments as handlers
from gridtally.ledger.accounts.store import unmatched_payments as store
from gridtally.ledger.callers import Reader, WriteCause, instant

router = Router(prefix="/v1/unmatched-payments", tags=["payments"])


class UnmatchedPayment(InCurrency):
    """Money that came in for `customer_id`, who is not known or does not pay in this currency. It
    stands in suspense, and becomes the customer's once billing says that there is one."""

    id: UUID
    payment_id: UUID
    customer_id: UUID
    amount: Money
    reference: str
    method: str
    received_at: datetime
    recorded_at: datetime

    @classmethod
    def of(cls, payment: domain.UnmatchedPayment) -> Self:
        """The payment as the API shows it."""
        return cls(
            id=payment.id,
            payment_id=payment.document_id,
            customer_id=payment.customer_id,
            currency=payment.currency,
            amount=payment.amount,
            reference=payment.reference,
            method=payment.memo,
            received_at=payment.occurred_at,
            recorded_at=payment.recorded_at,
        )


class NewAssignment(Body):
    """Whose payment it is. Without `allocations` it pays the oldest due invoices first; with them,
    what they name; the rest is the customer's credit."""

    id: UUID = Field(default_factory=new_id)
    customer_id: UUID
    allocations: RequestedAllocations | None = None


class NewReturn(Body):
    """That the money is paid back to whoever sent it, and why."""

    id: UUID = Field(default_factory=new_id)
    reason: Text
    reference: Reference = ""


@router.get("")
async def list_unmatched_payments(db: Db, caller: Reader, paging: Paging) -> Page[UnmatchedPayment]:
    """Payments that stand in suspense, the oldest first."""
    after = paging.after(instant, UUID)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        payments = await store.list_unmatched(
            read, caller.tenant_id, (after[0], after[1]) if after else None, paging.rows
        )
    return paging.cut(
        payments,
        item=UnmatchedPayment.of,
        position=lambda payment: (payment.recorded_at, payment.id),
    )


@router.post("/{payment_id}/assignment", status_code=201, response_model=Transaction)
async def assign_unmatched_payment(
    payment_id: UUID, body: NewAssignment, db: Db, cause: WriteCause, request: Idempotent
) -> Response:
    """Give the payment to a customer who pays in its currency; 409 where it was assigned or paid
    back. The reversal of the assignment makes it unmatched again."""

    def assignment(payment: domain.UnmatchedPayment) -> Command:
        return Command(
            kind="assignment",
            id=body.id,
            customer_id=body.customer_id,
            currency=payment.currency,
            amount=payment.amount,
            reference=payment.reference,
            memo=payment.memo,
            occurred_at=payment.occurred_at,
            correlation_id=cause.correlation_id,
            allocations=requested(body.allocations),
        )

    async with transaction(db, tenant=cause.tenant_id) as tx:
        if (answer := await request.fetch_answer(tx)) is not None:
            return answer
        id_ = await handlers.resolve_payment(tx, cause.tenant_id, payment_id, assignment)
        return await answer_posted(tx, cause, request, id_)


@router.post("/{payment_id}/refund", status_code=201, response_model=Transaction)
async def refund_unmatched_payment(
    payment_id: UUID, body: NewReturn, db: Db, cause: WriteCause, now: Now, request: Idempotent
) -> Response:
    """Pay the money back; 409 where the payment was assigned or paid back."""

    def returned(payment: domain.UnmatchedPayment) -> Command:
        return Command(
            kind="return",
            id=body.id,
            customer_id=payment.customer_id,
            currency=payment.currency,
            amount=payment.amount,
            reference=body.reference or payment.reference,
            memo=body.reason,
            occurred_at=max(now, payment.occurred_at),
            correlation_id=cause.correlation_id,
            is_dated=False,
        )

    async with transaction(db, tenant=cause.tenant_id) as tx:
        if (answer := await request.fetch_answer(tx)) is not None:
            return answer
        id_ = await handlers.resolve_payment(tx, cause.tenant_id, payment_id, returned)
        return await answer_posted(tx, cause, request, id_)
