"""Estimates over HTTP: what was estimated, by which method, and how far off it was."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query, Response
from pydantic import AfterValidator, Field

from gridtally.database import snapshot, transaction
from gridtally.http.context import Db
from gridtally.http.etags import OptionalMatch, tag
from gridtally.http.json_bodies import Router
from gridtally.http.paging import Page, Paging
from gridtally.http.resources import AnswerModel, Body
from gridtally.ingest.api.callers import Reader, Writer
from gridtally.ingest.domain import estimates as domain
from gridtally.ingest.domain.meters import Flow
from gridtally.ingest.store import estimates as store

router = Router(prefix="/v1", tags=["estimates"])

Method = Literal["straight_line", "same_weekday", "group_profile"]
_METHOD_OF: dict[str, Method] = {
    "L": "straight_line",
    "W": "same_weekday",
    "G": "group_profile",
}


def _known(code: str | None) -> str | None:
    if code is not None:
        domain.check_holidays(code)
    return code


class EstimatedDay(AnswerModel):
    """What was estimated of a channel's local day; it stays when actual values replace it."""

    meter_id: UUID
    """The meter."""
    flow: Flow
    """What is measured."""
    minutes: int
    """The length of an interval in minutes."""
    day: date
    """The local day."""
    methods: str
    """A letter for each interval: `L` straight line, `W` same weekday of earlier weeks, `G` profile
    of its group, `-` not estimated."""
    values: list[int | None]
    """What was estimated, in Wh or varh; null where nothing was."""
    made_at: datetime
    """When it was last estimated, UTC."""
    replaced: int
    """How many of these intervals have an actual value by now."""
    off_wh: int
    """By how much the estimates of those were too high, together."""
    absolute_off_wh: int
    """The same without regard to direction: the sum of what each was off."""


class MethodAccuracy(AnswerModel):
    """How far a method's estimates of a meter were off, where actual values came later."""

    meter_id: UUID
    """The meter."""
    method: Method
    """The method."""
    intervals: int
    """How many estimates were replaced by actual values."""
    actual_wh: int
    """What these intervals really had."""
    off_wh: int
    """By how much the estimates were too high, together."""
    absolute_off_wh: int
    """The sum of what each was off."""
    score: float | None
    """1 where each was right, 0 where they were off by as much as there was."""


class EstimationSettings(AnswerModel):
    """How a tenant estimates what the periods of agreements with the policy `estimate` lack."""

    version: int
    """The ETag."""
    line_hours_max: int
    """The longest gap between two values that is a straight line, in hours."""
    days_max: int
    """Of how many earlier days of the same weekday the mean is taken."""
    holidays: str | None
    """Whose holidays count as Sundays: a country, or a part of one (`DE`, `DE-BY`)."""


class NewEstimationSettings(Body):
    """How a tenant estimates from now on."""

    line_hours_max: Annotated[int, Field(ge=0, le=24)] = 2
    """The longest gap between two values that is a straight line, in hours; 0 for none."""
    days_max: Annotated[int, Field(ge=1, le=6)] = 4
    """Of how many earlier days of the same weekday the mean is taken, of the last six weeks."""
    holidays: Annotated[
        Annotated[str, Field(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")] | None,
        AfterValidator(_known),
    ] = None
    """Whose holidays count as Sundays: a country, or a part of one (`DE`, `DE-BY`)."""


def _settings(response: Response, settings: domain.EstimationSettings) -> EstimationSettings:
    tag(response, settings.version)
    return EstimationSettings.model_validate(settings, from_attributes=True)


@router.get("/estimation-settings")
async def get_estimation_settings(response: Response, db: Db, caller: Reader) -> EstimationSettings:
    """How the tenant estimates."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        settings = await store.fetch_settings(read, caller.tenant_id)
    return _settings(response, settings)


@router.put("/estimation-settings")
async def put_estimation_settings(
    body: NewEstimationSettings, response: Response, db: Db, caller: Writer, if_match: OptionalMatch
) -> EstimationSettings:
    """Estimate otherwise from now on; what was estimated stays."""
    async with transaction(db, tenant=caller.tenant_id) as tx:
        before = await store.lock_settings(tx, caller.tenant_id)
        if_match.check(before.version)
        settings = domain.EstimationSettings(**body.model_dump(), version=before.version + 1)
        await store.upsert_settings(tx, caller.tenant_id, settings)
    return _settings(response, settings)


@router.get("/estimates")
async def list_estimates(
    db: Db,
    caller: Reader,
    paging: Paging,
    meter_id: UUID | None = None,
    start_on: Annotated[date | None, Query(alias="from", description="From this local day")] = None,
    end_on: Annotated[date | None, Query(alias="to", description="Before this local day")] = None,
) -> Page[EstimatedDay]:
    """What was estimated, by day: values, methods, and what actual values changed since."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rows = await store.list_estimates(
            read,
            caller.tenant_id,
            meter_id=meter_id,
            window=(start_on, end_on),
            after=paging.after(date.fromisoformat, UUID, str, int),
            rows_max=paging.rows,
        )
    return paging.cut(
        rows,
        item=lambda row: EstimatedDay.model_validate(dict(row)),
        position=lambda row: (row["day"], row["meter_id"], row["flow"], row["minutes"]),
    )


@router.get("/estimates/accuracy")
async def list_estimate_accuracy(
    db: Db, caller: Reader, paging: Paging, meter_id: UUID | None = None
) -> Page[MethodAccuracy]:
    """How far estimates were off, by meter and method, where actual values came later."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rows = await store.list_accuracy(
            read,
            caller.tenant_id,
            meter_id=meter_id,
            after=paging.after(UUID, str),
            rows_max=paging.rows,
        )
    return paging.cut(rows, item=_accuracy, position=lambda row: (row["meter_id"], row["method"]))


def _accuracy(row: Any) -> MethodAccuracy:
    actual, off = row["actual_wh"], row["absolute_off_wh"]
    return MethodAccuracy(
        meter_id=row["meter_id"],
        method=_METHOD_OF[row["method"]],
        intervals=row["intervals"],
        actual_wh=actual,
        off_wh=row["off_wh"],
        absolute_off_wh=off,
        score=round(max(0.0, 1 - off / actual), 3) if actual else None,
    )
