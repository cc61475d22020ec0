"""Agreements that wait for their meter or tariff to be known, over HTTP."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from fastapi import Query

from gridtally.billing.api.agreements import Agreement
from gridtally.billing.api.callers import Reader
from gridtally.billing.domain import incomplete_agreements as domain
from gridtally.billing.store import incomplete_agreements as store
from gridtally.database import snapshot
from gridtally.http.context import Db, Now
from gridtally.http.json_bodies import Router
from gridtally.http.paging import Page, Paging
from gridtally.http.resources import AnswerModel

router = Router(prefix="/v1/incomplete-agreements", tags=["agreements"])


class IncompleteAgreement(AnswerModel):
    """An agreement by which nothing can be billed yet."""

    agreement: Agreement
    """The agreement."""
    missing: list[domain.Missing]
    """What it names and nobody knows yet: its `meter` was not registered, its `tariff` has no
    published version."""
    made_at: datetime
    """When the agreement was made, in UTC."""
    age_hours: int
    """How many whole hours ago that was."""

    @classmethod
    def of(cls, known: domain.IncompleteAgreement, now: datetime) -> Self:
        """The agreement as the API shows it."""
        return cls(
            agreement=Agreement.of(known.agreement),
            missing=list(known.missing),
            made_at=known.made_at,
            age_hours=known.age_hours(now),
        )


@router.get("")
async def list_incomplete_agreements(
    db: Db,
    caller: Reader,
    paging: Paging,
    now: Now,
    missing: Annotated[
        domain.Missing | None, Query(description="Those that lack this, whatever else")
    ] = None,
    customer_id: UUID | None = None,
) -> Page[IncompleteAgreement]:
    """Agreements whose meter or tariff nobody knows yet, the oldest first.

    They were accepted since both may arrive late. One that names the wrong thing is deleted, or
    rebilled.
    """
    after = paging.after(datetime.fromisoformat, UUID)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        incomplete = await store.list_incomplete(
            read, caller.tenant_id, missing, customer_id, after, paging.rows
        )
    return paging.cut(
        incomplete,
        item=lambda known: IncompleteAgreement.of(known, now),
        position=lambda known: (known.made_at, known.agreement.id),
    )
