"""Verdicts over HTTP: what rules say of stored channel-days."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query

from gridtally.database import snapshot
from gridtally.http.context import Db
from gridtally.http.json_bodies import Router
from gridtally.http.paging import Page, Paging
from gridtally.http.resources import AnswerModel
from gridtally.ingest.api.callers import Reader
from gridtally.ingest.domain.meters import Flow
from gridtally.ingest.store import verdicts as store
from gridtally.metering.validation.rules import RuleName

router = Router(prefix="/v1/validation-verdicts", tags=["validation rules"])


class DayVerdict(AnswerModel):
    """A rule speaks of a channel's local day: what it measured, against which limit."""

    day: date
    """The local day."""
    flow: Flow
    """What is measured."""
    minutes: int
    """The length of an interval in minutes."""
    rule: RuleName
    """The rule."""
    value: float
    """What was measured, in the rule's unit."""
    limit: float
    """The limit that counted."""
    slot: int
    """The first interval of the day that it is about, from 0."""
    intervals: int
    """How many intervals it is about."""


class ValidationVerdict(DayVerdict):
    """A verdict, with its meter and since when it holds."""

    meter_id: UUID
    """The meter."""
    judged_at: datetime
    """When the day was last judged so, UTC."""
    cleared_at: datetime | None
    """When it ceased to hold (a correction, or the rule was turned off); null while it holds."""


@router.get("")
async def list_validation_verdicts(
    db: Db,
    caller: Reader,
    paging: Paging,
    meter_id: UUID | None = None,
    rule: Annotated[RuleName | None, Query(description="Those of this rule")] = None,
    start_on: Annotated[date | None, Query(alias="from", description="From this local day")] = None,
    end_on: Annotated[date | None, Query(alias="to", description="Before this local day")] = None,
    cleared: Annotated[bool, Query(description="Also those that hold no more")] = False,  # noqa: FBT002 - a query parameter
) -> Page[ValidationVerdict]:
    """What rules say of stored days, by day; with `cleared=true` also what holds no more.

    Blocks that a rule has quarantined are in `/v1/quarantine`.
    """
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rows = await store.list_verdicts(
            read,
            caller.tenant_id,
            meter_id=meter_id,
            rule=rule,
            window=(start_on, end_on),
            cleared=cleared,
            after=paging.after(date.fromisoformat, UUID, str, str, int),
            rows_max=paging.rows,
        )
    return paging.cut(
        rows,
        item=ValidationVerdict.model_validate,
        position=lambda row: (
            row["day"],
            row["meter_id"],
            row["flow"],
            row["rule"],
            row["minutes"],
        ),
    )
