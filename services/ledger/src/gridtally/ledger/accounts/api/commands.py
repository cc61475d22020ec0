"""Commands by the list, `/v1/payments/batch`: payments as a provider of them lists them."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import Response
from pydantic import BaseModel, Field

from gridtally.contracts.problem import ProblemError
from gridtally.database import transaction
from gridtally.database.plans import keep_plans
from gridtally.http.context import Db, Now
from gridtally.http.idempotency import Idempotent
from gridtally.http.json_bodies import Router
from gridtally.http.problems import to_errors
from gridtally.http.resources import Body
from gridtally.kernel.errors import Rejected
from gridtally.kernel.money import EXACT
from gridtally.kernel.resources import Cause
from gridtally.ledger.accounts.api.models import InCurrency, Money
from gridtally.ledger.accounts.api.payments import NewPayment
from gridtally.ledger.accounts.domain.commands import Command
from gridtally.ledger.accounts.domain.transactions import sum_of
from gridtally.ledger.accounts.domain.unmatched_payments import is_unmatched
from gridtally.ledger.accounts.handlers.commands import Decision, decide_commands, post_decided
from gridtally.ledger.accounts.store.transactions import GROWING
from gridtally.ledger.callers import WriteCause
from gridtally.ledger.refused_items import BatchMode, at_item, require_doable

router = Router(prefix="/v1/payments", tags=["payments"])
BATCH_MAX = 10_000


class NewPayments(Body):
    """Payments to post together. With `all_or_nothing` one that is refused refuses all; with
    `item_by_item` the others are posted."""

    items: Annotated[list[NewPayment], Field(min_length=1, max_length=BATCH_MAX)]
    mode: Annotated[BatchMode, Field(description="What happens where some items are refused")] = (
        "all_or_nothing"
    )


class PaymentResult(InCurrency):
    """What became of one payment of a request. `id` is the payment's, `transaction_id` that of
    the transaction which posts it."""

    index: int
    status: Annotated[
        Literal["accepted", "unchanged", "refused"],
        Field(description="What became of it; `unchanged` was posted before"),
    ]
    id: Annotated[UUID | None, Field(description="Null where a refused item has none")]
    transaction_id: UUID | None = None
    allocated: Annotated[
        Money | None, Field(description="Off open items; null where nothing was posted now")
    ] = None
    unallocated: Annotated[
        Money | None,
        Field(description="The rest: credit, or in suspense where nobody knows the customer"),
    ] = None
    unmatched: Annotated[
        bool, Field(description="Whether it stands in suspense, and is to be assigned")
    ] = False
    code: Annotated[
        str | None, Field(description="Why it is refused: a problem code; null where it is not")
    ] = None
    detail: str | None = None
    errors: list[ProblemError] = Field(default_factory=list)

    @classmethod
    def of(cls, index: int, item: NewPayment, outcome: Decision | Rejected) -> Self:
        """What became of the payment, as the API shows it."""
        if isinstance(outcome, Rejected):
            refused = at_item(outcome, index)
            return cls(
                index=index,
                currency=item.currency,
                id=item.id,
                status="refused",
                code=refused.code,
                detail=refused.detail,
                errors=to_errors(refused.faults),
            )
        posted = outcome.posts
        if posted is None:
            return cls(
                index=index,
                currency=item.currency,
                id=outcome.command.id,
                status="unchanged",
                transaction_id=outcome.id,
            )
        allocated = sum_of(allocation.amount for allocation in posted.allocations)
        return cls(
            index=index,
            currency=item.currency,
            id=outcome.command.id,
            status="accepted",
            transaction_id=outcome.id,
            allocated=allocated,
            unallocated=EXACT.subtract(posted.total, allocated),
            unmatched=is_unmatched(posted),
        )


class PaymentResults(BaseModel):
    """What became of each payment, in the order of the request; an `unchanged` one was posted
    before with the same content."""

    accepted: int
    unchanged: Annotated[int, Field(description="Number of items that existed already")]
    refused: int
    items: list[PaymentResult]


@router.post("/batch", status_code=201, response_model=PaymentResults)
async def post_payments(
    new: NewPayments, db: Db, cause: WriteCause, now: Now, request: Idempotent
) -> Response:
    """Post up to 10 000 payments, in their order: all or nothing, or item by item.

    Each finds what those before it have paid. What all of them leave as credit is spent as the
    payment terms say, once they are posted. 201 where something was posted, 200 where all were
    posted already, 422 where nothing could be. Give each its `id`: then a list that comes again
    posts nothing twice, whatever else is in it.
    """
    requested = [_command(item, cause, now) for item in new.items]
    possible = [command for command in requested if isinstance(command, Command)]
    async with transaction(db, tenant=cause.tenant_id) as tx:
        if (answer := await request.fetch_answer(tx)) is not None:
            return answer
        await keep_plans(tx, GROWING)
        decisions = await decide_commands(tx, cause.tenant_id, possible)
        decided = iter(decisions.listed)
        outcomes = [
            _outcome(next(decided)) if isinstance(item, Command) else item for item in requested
        ]
        refused = require_doable(outcomes, "payments", new.mode)
        await post_decided(tx, decisions)
        results = [
            PaymentResult.of(index, item, outcome)
            for index, (item, outcome) in enumerate(zip(new.items, outcomes, strict=True))
        ]
        accepted = sum(result.status == "accepted" for result in results)
        body = PaymentResults(
            accepted=accepted,
            unchanged=len(results) - refused - accepted,
            refused=refused,
            items=results,
        )
        return await request.store_answer(tx, 201 if accepted else 200, body)


def _command(item: NewPayment, cause: Cause, now: datetime) -> Command | Rejected:
    try:
        return item.payment(cause, now)
    except Rejected as refused:
        return refused


def _outcome(decision: Decision) -> Decision | Rejected:
    return decision.refused or decision
