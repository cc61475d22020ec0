"""`/v1/opening-balances/batch`: what customers' accounts are taken over with."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import Response
from pydantic import BaseModel, Field

from gridtally.contracts.model import Currency
from gridtally.database import transaction
from gridtally.http.context import Db, Now
from gridtally.http.idempotency import Idempotent
from gridtally.http.json_bodies import Router
from gridtally.http.resources import Body
from gridtally.kernel.errors import Rejected
from gridtally.ledger.accounts.api.models import Moment
from gridtally.ledger.accounts.api.payments import SignedAmount, value_date
from gridtally.ledger.accounts.api.transactions import Transaction
from gridtally.ledger.accounts.domain.opening_balances import OpeningBalance
from gridtally.ledger.accounts.handlers import opening_balances
from gridtally.ledger.accounts.store import transactions
from gridtally.ledger.callers import WriteCause
from gridtally.ledger.refused_items import at_item

router = Router(prefix="/v1/opening-balances", tags=["payments"])
BATCH_MAX = 500


class NewOpeningBalance(Body):
    """What a customer owes, above zero, or has as credit, below, when the account is taken over; or
    one open invoice of the books before. It is booked once for customer, currency and reference."""

    customer_id: UUID
    currency: Currency
    amount: SignedAmount
    reference: Annotated[
        str,
        Field(
            min_length=1, max_length=200,
            description="What the books before these call it, as an invoice's number",
        ),
    ]  # fmt: skip
    occurred_at: Annotated[Moment, Field(description="The date of value, as of the cut-over")]
    due_on: date | None = Field(
        default=None,
        description="When what is owed is, or was, to be paid; its day of value if left out",
    )

    def to_domain(self, now: datetime) -> OpeningBalance:
        """What is to be booked; Rejected for what cannot be."""
        return OpeningBalance(
            customer_id=self.customer_id,
            currency=self.currency,
            amount=self.amount,
            reference=self.reference,
            occurred_at=value_date(self.occurred_at, now),
            due_on=self.due_on,
        )


class NewOpeningBalances(Body):
    """Opening balances to book together, all or nothing."""

    items: Annotated[list[NewOpeningBalance], Field(min_length=1, max_length=BATCH_MAX)]


class OpeningBalances(BaseModel):
    """The transactions that book them, in the order requested."""

    items: list[Transaction]


@router.post("/batch", status_code=201, response_model=OpeningBalances)
async def post_opening_balances(
    new: NewOpeningBalances, db: Db, cause: WriteCause, now: Now, request: Idempotent
) -> Response:
    """Book up to 500 opening balances, all or nothing; those that are booked already with the same
    content are answered as they are, with 200 where all of them are. One that was reversed is
    booked again."""
    requested = []
    for index, item in enumerate(new.items):
        try:
            requested.append(item.to_domain(now))
        except Rejected as refused:
            raise at_item(refused, index) from None
    async with transaction(db, tenant=cause.tenant_id) as tx:
        if (answer := await request.fetch_answer(tx)) is not None:
            return answer
        posted = await opening_balances.post_opening_balances(tx, cause, requested)
        ids = [id_ for id_, _ in posted]
        booked = await transactions.fetch_transactions(tx, cause.tenant_id, ids)
        body = OpeningBalances(items=[Transaction.of(booked[id_]) for id_ in ids])
        status = 201 if any(is_new for _, is_new in posted) else 200
        return await request.store_answer(tx, status, body)
