"""Payments, refunds, write-offs, adjustments, allocations, reversals, and the payment terms.

Each POST books one balanced transaction, which nothing edits; it is taken back by its reversal. An
`id` names it for ever: the same again is answered with what is booked.
"""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field

from contracts.model import READ_EXACTLY, Currency, Text
from database import Database, WriteConnection, snapshot, transaction
from kernel.errors import Fault, NotFound, Rejected
from kernel.ids import new_id
from ledger.api.models import Body, Reader, WriteCause
from ledger.api.money import Moment, Transaction, shown_transaction
from ledger.domain.booking import PAYMENT_DAYS_DEFAULT
from ledger.domain.moments import EARLIEST_AT
from ledger.domain.reversing import Why
from ledger.domain.settling import SHARES_MAX, Ask, AskKind, CreditSource, Order, Share
from ledger.domain.transactions import AMOUNT_DECIMALS
from ledger.handlers import settling
from ledger.store import terms, transactions
from ledger.wire import Cause
from serving.context import Db
from serving.idempotency import Idempotent, Once

router = APIRouter(prefix="/v1", tags=["settling"])
FUTURE_MAX = timedelta(minutes=5)
"""Clocks differ a little; money does not come tomorrow."""
SUM_MAX = Decimal(10) ** 13
"""Of one booking; what a customer's account may hold is a hundred of them (`BALANCE_MAX`)."""
Sum = Annotated[
    Decimal,
    Field(
        gt=0, lt=SUM_MAX, decimal_places=AMOUNT_DECIMALS, allow_inf_nan=False,
        description="Above zero; a decimal string",
    ),
    READ_EXACTLY,
]  # fmt: skip
SignedSum = Annotated[
    Decimal,
    Field(
        gt=-SUM_MAX, lt=SUM_MAX, decimal_places=AMOUNT_DECIMALS, allow_inf_nan=False,
        description="Above zero a charge, below zero a credit; a decimal string",
    ),
    READ_EXACTLY,
]  # fmt: skip
Reference = Annotated[str, Field(max_length=200)]


class NamedShare(Body):
    """So much for one invoice."""

    invoice_id: UUID
    amount: Sum


Shares = Annotated[list[NamedShare], Field(max_length=SHARES_MAX)]


class _New(Body):
    """What every booking of this kind has."""

    id: UUID | None = None
    customer_id: UUID
    currency: Currency
    reference: Reference = ""
    occurred_at: Moment | None = Field(
        default=None, description="The date of value; now where it is left out"
    )

    def ask(
        self,
        kind: AskKind,
        cause: Cause,
        *,
        amount: Decimal | None,
        memo: str = "",
        shares: list[NamedShare] | None = None,
        source: CreditSource = "prepaid",
        due_on: date | None = None,
    ) -> Ask:
        """The domain's word for it; Rejected for a date that cannot be."""
        order = Order(
            id=self.id or new_id(),
            amount=amount,
            reference=self.reference,
            memo=memo,
            occurred_at=_moment(self.occurred_at),
            correlation_id=cause.correlation_id,
            named=None if shares is None else tuple(Share(s.invoice_id, s.amount) for s in shares),
            dated=self.occurred_at is not None,
        )
        return Ask(kind, self.customer_id, self.currency, order, source, due_on)


class NewPayment(_New):
    """Money that came in. Without `allocations` it settles the oldest due invoices first; with
    them, what they name; with an empty list, nothing. The rest is the customer's credit."""

    amount: Sum
    method: Annotated[str, Field(max_length=40)] = ""
    allocations: Shares | None = None


class NewRefund(_New):
    """Money paid out, from the customer's credit or from what exported energy has earned."""

    amount: Sum
    source: CreditSource = "prepaid"
    reason: Text


class NewWriteOff(_New):
    """What is given up, of the invoices named or else of the oldest due."""

    amount: Sum
    reason: Text
    allocations: Shares | None = None


class NewAdjustment(_New):
    """Above zero, a charge that the customer is to pay; below, a credit, spent as a payment is."""

    amount: SignedSum
    reason: Text
    due_on: date | None = Field(default=None, description="Of a charge; its own day if left out")
    allocations: Shares | None = None


class NewAllocation(_New):
    """Spend the customer's credit, or what exported energy has earned, on the invoices named or
    else on the oldest due. Without `amount`: as much as is named, or as there is."""

    amount: Sum | None = None
    source: CreditSource = "prepaid"
    allocations: Annotated[Shares, Field(min_length=1)] | None = None


class NewReversal(Body):
    """Why a transaction is taken back, and as of when."""

    reason: Text
    occurred_at: Moment | None = None


@router.post("/payments", status_code=201, response_model=Transaction)
async def post_payment(body: NewPayment, db: Db, cause: WriteCause, once: Idempotent) -> Response:
    """Book money that came in; 422 where an allocation does not fit."""
    ask = body.ask("payment", cause, amount=body.amount, memo=body.method, shares=body.allocations)
    return await _book(db, cause, once, ask)


@router.post("/refunds", status_code=201, response_model=Transaction)
async def post_refund(body: NewRefund, db: Db, cause: WriteCause, once: Idempotent) -> Response:
    """Book money paid out; 422 beyond the credit that there is."""
    ask = body.ask("refund", cause, amount=body.amount, memo=body.reason, source=body.source)
    return await _book(db, cause, once, ask)


@router.post("/write-offs", status_code=201, response_model=Transaction)
async def post_write_off(
    body: NewWriteOff, db: Db, cause: WriteCause, once: Idempotent
) -> Response:
    """Give up what invoices still ask for; 422 beyond that."""
    ask = body.ask(
        "write_off", cause, amount=body.amount, memo=body.reason, shares=body.allocations
    )
    return await _book(db, cause, once, ask)


@router.post("/adjustments", status_code=201, response_model=Transaction)
async def post_adjustment(
    body: NewAdjustment, db: Db, cause: WriteCause, once: Idempotent
) -> Response:
    """Charge or credit a customer by hand, with the reason."""
    is_charge = body.amount > 0
    if not body.amount:
        fault = Fault("/amount", "must be above or below zero")
        raise Rejected("amount_missing", "there is no amount to book", (fault,))
    if is_charge and body.allocations is not None:
        fault = Fault("/allocations", "must be left out of a charge")
        raise Rejected("allocation_refused", "a charge settles nothing", (fault,))
    if not is_charge and body.due_on is not None:
        fault = Fault("/due_on", "must be left out of a credit")
        raise Rejected("due_refused", "a credit is not due", (fault,))
    ask = body.ask(
        "charge" if is_charge else "credit",
        cause,
        amount=abs(body.amount),
        memo=body.reason,
        shares=body.allocations,
        due_on=body.due_on,
    )
    return await _book(db, cause, once, ask)


@router.post("/allocations", status_code=201, response_model=Transaction)
async def post_allocation(
    body: NewAllocation, db: Db, cause: WriteCause, once: Idempotent
) -> Response:
    """Spend a customer's credit on invoices; 422 where there is not so much of either."""
    ask = body.ask(
        "allocation", cause, amount=body.amount, shares=body.allocations, source=body.source
    )
    return await _book(db, cause, once, ask)


@router.post("/transactions/{transaction_id}/reversal", status_code=201, response_model=Transaction)
async def post_reversal(
    transaction_id: UUID, body: NewReversal, db: Db, cause: WriteCause, once: Idempotent
) -> Response:
    """Take a transaction back, by one that mirrors it. 409 the second time, for invoices, and where
    the credit that it gave was spent; 422 as of a moment before the transaction itself."""
    dated = body.occurred_at is not None
    why = Why(body.reason, _moment(body.occurred_at), cause.correlation_id, dated)
    async with transaction(db, tenant=cause.tenant_id) as tx:
        if (told := await once.recall(tx)) is not None:
            return told
        id_ = await settling.reverse_transaction(tx, cause.tenant_id, transaction_id, why)
        return await _kept(tx, cause, once, id_)


class PaymentTerms(Body):
    """How many days after its issue an invoice is due that does not say so itself."""

    payment_days: Annotated[int, Field(ge=0, le=365)]


@router.get("/payment-terms")
async def get_payment_terms(db: Db, caller: Reader) -> PaymentTerms:
    """The tenant's payment terms."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        days = await terms.fetch_payment_days(read, [caller.tenant_id])
    return PaymentTerms(payment_days=days.get(caller.tenant_id, PAYMENT_DAYS_DEFAULT))


@router.put("/payment-terms")
async def put_payment_terms(body: PaymentTerms, db: Db, cause: WriteCause) -> PaymentTerms:
    """Change them for invoices that are booked from now on."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        await terms.upsert_terms(tx, cause.tenant_id, body.payment_days)
    return body


def _moment(at: datetime | None) -> datetime:
    """The moment asked for, or now; Rejected for one to come, and long before there were meters."""
    now = datetime.now(UTC)
    if at is not None and at > now + FUTURE_MAX:
        fault = Fault("/occurred_at", "must not be to come")
        raise Rejected("future", "it lies in the future", (fault,))
    if at is not None and at < EARLIEST_AT:
        fault = Fault("/occurred_at", f"must not lie before {EARLIEST_AT.date()}")
        raise Rejected("too_early", "it lies too far back", (fault,))
    return at or now


async def _book(db: Database, cause: Cause, once: Once, ask: Ask) -> Response:
    async with transaction(db, tenant=cause.tenant_id) as tx:
        if (told := await once.recall(tx)) is not None:
            return told
        id_ = await settling.settle(tx, cause.tenant_id, ask)
        return await _kept(tx, cause, once, id_)


async def _kept(tx: WriteConnection, cause: Cause, once: Once, id_: UUID) -> Response:
    """The transaction as it stands in the books, kept under the request's key."""
    booked = await transactions.fetch_transaction(tx, cause.tenant_id, id_)
    if booked is None:  # pragma: no cover - it was inserted or found by this very transaction
        raise NotFound("transaction_unknown", "no transaction has this id")
    location = {"Location": f"/v1/transactions/{id_}"}
    return await once.keep(tx, 201, shown_transaction(booked), location)
