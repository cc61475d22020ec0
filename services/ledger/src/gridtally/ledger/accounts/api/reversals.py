"""`/v1/transactions/{id}/reversal`: undoing what was posted, once."""

from uuid import UUID

from fastapi import Response

from gridtally.contracts.model import Text
from gridtally.database import transaction
from gridtally.http.context import Db, Now
from gridtally.http.idempotency import Idempotent
from gridtally.http.json_bodies import Router
from gridtally.http.resources import Body
from gridtally.ledger.accounts.api.models import Moment
from gridtally.ledger.accounts.api.payments import answer_posted, value_date
from gridtally.ledger.accounts.api.transactions import Transaction
from gridtally.ledger.accounts.domain.reversals import Reason
from gridtally.ledger.accounts.handlers import reversals
from gridtally.ledger.callers import WriteCause

router = Router(prefix="/v1/transactions", tags=["payments"])


class NewReversal(Body):
    """Why a transaction is reversed, and as of when."""

    reason: Text
    occurred_at: Moment | None = None


@router.post("/{transaction_id}/reversal", status_code=201, response_model=Transaction)
async def post_reversal(
    transaction_id: UUID,
    body: NewReversal,
    db: Db,
    cause: WriteCause,
    now: Now,
    request: Idempotent,
) -> Response:
    """Undo a transaction by one that mirrors it. 409 the second time, for invoices, and where the
    credit that it gave was spent; 422 as of a moment before the transaction itself."""
    reason = Reason(
        body.reason,
        value_date(body.occurred_at, now),
        cause.correlation_id,
        is_dated=body.occurred_at is not None,
    )
    async with transaction(db, tenant=cause.tenant_id) as tx:
        if (answer := await request.fetch_answer(tx)) is not None:
            return answer
        id_ = await reversals.reverse_transaction(tx, cause.tenant_id, transaction_id, reason)
        return await answer_posted(tx, cause, request, id_)
