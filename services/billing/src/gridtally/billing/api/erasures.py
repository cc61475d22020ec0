"""Erasing customers over HTTP, and the trail of that."""

from datetime import datetime
from uuid import UUID

from fastapi import Response

from gridtally.billing.api.callers import Reader, WriteCause
from gridtally.billing.api.customers import Customer
from gridtally.billing.domain import erasures as domain
from gridtally.billing.handlers import customers
from gridtally.billing.handlers import erasures as handlers
from gridtally.billing.store import erasures as store
from gridtally.contracts.model import Text
from gridtally.database import snapshot, transaction
from gridtally.http.context import Db, Now
from gridtally.http.etags import OptionalMatch
from gridtally.http.json_bodies import Router
from gridtally.http.paging import Page, Paging
from gridtally.http.resources import AnswerModel, Body, answer

router = Router(prefix="/v1", tags=["customers"])


class NewErasure(Body):
    """Why a customer is erased."""

    reason: Text
    """What the erasure rests on, for the trail; it must not name the person."""


class Erasure(AnswerModel):
    """That what names a customer was erased."""

    customer_id: UUID
    """The customer, whose id and amounts stay."""
    erased_at: datetime
    """When, UTC."""
    key_id: str
    """The API key that asked for it."""
    reason: str
    """What it rests on."""
    correlation_id: str

    @classmethod
    def of(cls, erasure: domain.Erasure) -> "Erasure":
        """The erasure as the API shows it."""
        return cls.model_validate(erasure, from_attributes=True)


@router.post("/customers/{customer_id}/erase")
async def erase_customer(
    customer_id: UUID,
    new: NewErasure,
    db: Db,
    cause: WriteCause,
    now: Now,
    if_match: OptionalMatch,
    response: Response,
) -> Customer:
    """Replace what names a customer everywhere, for good; amounts and numbers stay.

    Once erased, the same again answers what is left. 409 while an agreement has not ended.
    """
    async with transaction(db, tenant=cause.tenant_id) as tx:
        current = await customers.lock_customer(tx, cause.tenant_id, customer_id)
        if_match.check(current.version)
        erased = await handlers.erase_customer(tx, cause, current, new.reason, now)
    return answer(response, erased, Customer.of)


@router.get("/erasures")
async def list_erasures(db: Db, caller: Reader, paging: Paging) -> Page[Erasure]:
    """Who was erased, the newest first."""
    after = paging.after(datetime.fromisoformat, UUID)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rows = await store.list_erasures(read, caller.tenant_id, after, paging.rows)
    return paging.cut(
        rows, item=Erasure.of, position=lambda erasure: (erasure.erased_at, erasure.customer_id)
    )
