"""`/v1/payments`, `/v1/deposits`, `/v1/refunds`, `/v1/write-offs`, `/v1/adjustments` and
`/v1/allocations`.

Each POST posts one balanced transaction, which nothing edits; its reversal undoes it. An `id` names
it for ever: the same again is answered with what was posted.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import Response
from pydantic import Field

from gridtally.contracts.model import READ_EXACTLY, Currency, Text
from gridtally.database import Database, WriteConnection
from gridtally.http.context import Db, Now
from gridtally.http.grouped_posts import GroupedPosts
from gridtally.http.idempotency import Answer, Idempotent, IdempotentRequest
from gridtally.http.json_bodies import Router
from gridtally.http.resources import Body
from gridtally.kernel.errors import Fault, NotFound, Rejected
from gridtally.kernel.ids import new_id
from gridtally.kernel.resources import Cause
from gridtally.ledger.accounts.api.models import Moment
from gridtally.ledger.accounts.api.transactions import Transaction
from gridtally.ledger.accounts.domain import commands as domain
from gridtally.ledger.accounts.domain.commands import (
    ALLOCATIONS_MAX,
    Command,
    CommandKind,
    CreditSource,
)
from gridtally.ledger.accounts.domain.transactions import AMOUNT_DECIMALS
from gridtally.ledger.accounts.handlers.commands import post_commands
from gridtally.ledger.accounts.store import transactions
from gridtally.ledger.accounts.store.transactions import PostedTransaction
from gridtally.ledger.callers import WriteCause
from gridtally.ledger.moments import EARLIEST_AT

router = Router(prefix="/v1", tags=["payments"])
FUTURE_MAX = timedelta(minutes=5)
"""Clocks differ a little; money does not come tomorrow."""
POSTED_MAX = Decimal(10) ** 13
"""Of one command; what a customer's account may hold is a hundred of them (`BALANCE_MAX`)."""
Amount = Annotated[
    Decimal,
    Field(
        gt=0, lt=POSTED_MAX, decimal_places=AMOUNT_DECIMALS, allow_inf_nan=False,
        description="Above zero; a decimal string",
    ),
    READ_EXACTLY,
]  # fmt: skip
SignedAmount = Annotated[
    Decimal,
    Field(
        gt=-POSTED_MAX, lt=POSTED_MAX, decimal_places=AMOUNT_DECIMALS, allow_inf_nan=False,
        description="Above zero a charge, below zero a credit; a decimal string",
    ),
    READ_EXACTLY,
]  # fmt: skip
Reference = Annotated[str, Field(max_length=200)]


class RequestedAllocation(Body):
    """So much for one invoice."""

    invoice_id: UUID
    amount: Amount


RequestedAllocations = Annotated[list[RequestedAllocation], Field(max_length=ALLOCATIONS_MAX)]


class _NewTransaction(Body):
    """What every command has."""

    id: UUID | None = None
    customer_id: UUID
    currency: Currency
    reference: Reference = ""
    occurred_at: Moment | None = Field(
        default=None, description="The date of value; now where it is left out"
    )

    def command(
        self,
        kind: CommandKind,
        cause: Cause,
        now: datetime,
        *,
        amount: Decimal | None,
        memo: str = "",
        allocations: list[RequestedAllocation] | None = None,
        source: CreditSource = "prepaid",
        due_on: date | None = None,
    ) -> Command:
        """The command that the request states; Rejected for a date of value that cannot be."""
        return Command(
            kind=kind,
            id=self.id or new_id(),
            customer_id=self.customer_id,
            currency=self.currency,
            amount=amount,
            reference=self.reference,
            memo=memo,
            occurred_at=value_date(self.occurred_at, now),
            correlation_id=cause.correlation_id,
            allocations=requested(allocations),
            source=source,
            due_on=due_on,
            is_dated=self.occurred_at is not None,
        )


def requested(
    allocations: list[RequestedAllocation] | None,
) -> tuple[domain.RequestedAllocation, ...] | None:
    """The allocations that a request names, for the domain."""
    if allocations is None:
        return None
    return tuple(
        domain.RequestedAllocation(allocation.invoice_id, allocation.amount)
        for allocation in allocations
    )


class NewPayment(_NewTransaction):
    """Money that came in. Without `allocations` it pays the oldest due invoices first; with them,
    what they name; with an empty list, nothing. The rest is the customer's credit."""

    amount: Amount
    method: Annotated[str, Field(max_length=40)] = ""
    allocations: RequestedAllocations | None = None

    def payment(self, cause: Cause, now: datetime) -> Command:
        """The command that posts it; Rejected for a date of value that cannot be."""
        return self.command(
            "payment",
            cause,
            now,
            amount=self.amount,
            memo=self.method,
            allocations=self.allocations,
        )


class NewDeposit(_NewTransaction):
    """Money that is held for the customer as security, without interest. It pays nothing by itself:
    an allocation whose source is the deposit sets it off, and such a refund returns it."""

    amount: Amount
    method: Annotated[str, Field(max_length=40)] = ""


class NewRefund(_NewTransaction):
    """Money paid out, from the customer's credit, from what exported energy has earned, or from the
    deposit, which so is returned."""

    amount: Amount
    source: CreditSource = "prepaid"
    reason: Text


class NewWriteOff(_NewTransaction):
    """What is given up, of the invoices named or else of the oldest due."""

    amount: Amount
    reason: Text
    allocations: RequestedAllocations | None = None


class NewAdjustment(_NewTransaction):
    """Above zero, a charge that the customer is to pay; below, a credit, spent as a payment is."""

    amount: SignedAmount
    reason: Text
    due_on: date | None = Field(default=None, description="Of a charge; its own day if left out")
    allocations: RequestedAllocations | None = None


class NewAllocation(_NewTransaction):
    """Spend the customer's credit, what exported energy has earned, or the deposit, on the invoices
    named or else on the oldest due. Without `amount`: as much as is named, or as there is."""

    amount: Amount | None = None
    source: CreditSource = "prepaid"
    allocations: Annotated[RequestedAllocations, Field(min_length=1)] | None = None


@router.post("/payments", status_code=201, response_model=Transaction)
async def post_payment(
    body: NewPayment, db: Db, cause: WriteCause, now: Now, request: Idempotent
) -> Response:
    """Post money that came in; 422 where an allocation does not fit."""
    return await _post(db, cause, request, body.payment(cause, now))


@router.post("/deposits", status_code=201, response_model=Transaction)
async def post_deposit(
    body: NewDeposit, db: Db, cause: WriteCause, now: Now, request: Idempotent
) -> Response:
    """Take a deposit; 422 of a customer whom nobody knows."""
    command = body.command("deposit", cause, now, amount=body.amount, memo=body.method)
    return await _post(db, cause, request, command)


@router.post("/refunds", status_code=201, response_model=Transaction)
async def post_refund(
    body: NewRefund, db: Db, cause: WriteCause, now: Now, request: Idempotent
) -> Response:
    """Post money paid out; 422 beyond the credit that there is."""
    command = body.command(
        "refund", cause, now, amount=body.amount, memo=body.reason, source=body.source
    )
    return await _post(db, cause, request, command)


@router.post("/write-offs", status_code=201, response_model=Transaction)
async def post_write_off(
    body: NewWriteOff, db: Db, cause: WriteCause, now: Now, request: Idempotent
) -> Response:
    """Give up what is open of invoices; 422 beyond that."""
    command = body.command(
        "write_off", cause, now, amount=body.amount, memo=body.reason, allocations=body.allocations
    )
    return await _post(db, cause, request, command)


@router.post("/adjustments", status_code=201, response_model=Transaction)
async def post_adjustment(
    body: NewAdjustment, db: Db, cause: WriteCause, now: Now, request: Idempotent
) -> Response:
    """Charge or credit a customer by hand, with the reason."""
    is_charge = body.amount > 0
    if not body.amount:
        fault = Fault("/amount", "must be above or below zero")
        raise Rejected("amount_missing", "there is no amount to post", (fault,))
    if is_charge and body.allocations is not None:
        fault = Fault("/allocations", "must be left out of a charge")
        raise Rejected("allocation_refused", "a charge allocates nothing", (fault,))
    if not is_charge and body.due_on is not None:
        fault = Fault("/due_on", "must be left out of a credit")
        raise Rejected("due_refused", "a credit is not due", (fault,))
    command = body.command(
        "charge" if is_charge else "credit",
        cause,
        now,
        amount=abs(body.amount),
        memo=body.reason,
        allocations=body.allocations,
        due_on=body.due_on,
    )
    return await _post(db, cause, request, command)


@router.post("/allocations", status_code=201, response_model=Transaction)
async def post_allocation(
    body: NewAllocation, db: Db, cause: WriteCause, now: Now, request: Idempotent
) -> Response:
    """Spend a customer's credit on invoices; 422 where there is not so much of either."""
    command = body.command(
        "allocation",
        cause,
        now,
        amount=body.amount,
        allocations=body.allocations,
        source=body.source,
    )
    return await _post(db, cause, request, command)


async def _post(
    db: Database, cause: Cause, request: IdempotentRequest, command: Command
) -> Response:
    """Post what is asked for, together with what others ask for meanwhile; of one customer one
    after another, in the order in which they came."""
    return await _COMMANDS.answer(db, cause.tenant_id, command.customer_id, request, command)


async def _post_commands(
    tx: WriteConnection, tenant_id: str, commands: Sequence[Command]
) -> list[Answer | Rejected]:
    outcomes = await post_commands(tx, tenant_id, commands)
    return [own if isinstance(own, Rejected) else _answer(own) for own in outcomes]


_COMMANDS = GroupedPosts(_post_commands, transactions.GROWING)


def _answer(posted: PostedTransaction) -> Answer:
    location = {"Location": f"/v1/transactions/{posted.id}"}
    return Answer(201, Transaction.of(posted), location)


def value_date(occurred_at: datetime | None, now: datetime) -> datetime:
    """The date of value that was asked for, or `now`; Rejected for one in the future, and for one
    long before there were meters."""
    if occurred_at is not None and occurred_at > now + FUTURE_MAX:
        fault = Fault("/occurred_at", "must not lie in the future")
        raise Rejected("future", "it lies in the future", (fault,))
    if occurred_at is not None and occurred_at < EARLIEST_AT:
        fault = Fault("/occurred_at", f"must not lie before {EARLIEST_AT.date()}")
        raise Rejected("too_early", "it lies too far back", (fault,))
    return occurred_at or now


async def answer_posted(
    tx: WriteConnection, cause: Cause, request: IdempotentRequest, id_: UUID
) -> Response:
    """The answer to a request that posted a transaction: the transaction as it stands in the books,
    stored under the request's key."""
    posted = await transactions.fetch_transaction(tx, cause.tenant_id, id_)
    if posted is None:  # pragma: no cover - it was inserted or found by this very transaction
        raise NotFound("transaction_unknown", "no transaction has this id")
    answer = _answer(posted)
    return await request.store_answer(tx, answer.status, answer.body, answer.headers)
