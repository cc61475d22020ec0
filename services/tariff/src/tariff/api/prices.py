"""`/v1/price-series/{id}/prices`: uploading prices, reading them back as known at any time, and
finding what is missing."""

import asyncio
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel

from contracts.model import Instant
from database import snapshot, transaction
from kernel.periods import ONE_DAY, Period, midnight_utc
from serving.context import Db
from serving.paging import Page, Paging
from serving.problems import Refusal
from tariff.api.callers import Reader, WriteCause
from tariff.api.days import asked_period
from tariff.api.forms import instant_in, number_in
from tariff.api.price_uploads import take_csv, take_json, upload_schema
from tariff.domain import prices as domain
from tariff.domain.catalogue import PriceSeries
from tariff.domain.prices import DAYS_MAX, Upload, gaps, unscaled
from tariff.handlers import prices as handlers
from tariff.handlers.catalogue import find
from tariff.store import prices
from tariff.store.catalogue import PRICE_SERIES

router = APIRouter(prefix="/v1/price-series/{series_id}", tags=["prices"])
CSV, JSON = "text/csv", "application/json"
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            JSON: {"schema": upload_schema()},
            CSV: {
                "schema": {
                    "type": "string",
                    "description": "Columns start_local or start_utc, and price.",
                }
            },
        },
    }
}
FromDay = Annotated[date, Query(alias="from", description="The first local date")]
ToDay = Annotated[date, Query(alias="to", description="The local date after the last")]
AsOf = Annotated[Instant | None, Query(description="As known at this instant; else as known now")]


class ChangedDay(BaseModel):
    """A day that an upload changed, and the version that it is at since."""

    day: date
    version: int


class Receipt(BaseModel):
    """What an upload did: how many of its prices were what, and the days that changed."""

    new: int
    corrected: int
    unchanged: int
    days: list[ChangedDay]
    recorded_at: datetime


class PriceDay(BaseModel):
    """The prices of a local day, one for each of its intervals from `start_at` on; null where
    none is known. They are per kWh."""

    day: date
    start_at: datetime
    minutes: int
    currency: str
    version: int
    prices: list[str | None]
    recorded_at: datetime
    key_id: str


class Gap(BaseModel):
    """Consecutive intervals without a price, up to, but without, `end_at`."""

    start_at: datetime
    end_at: datetime
    intervals: int


@router.post("/prices", openapi_extra=_BODY)
async def upload_prices(series_id: UUID, request: Request, db: Db, cause: WriteCause) -> Receipt:
    """Add prices, or correct them, as JSON or CSV: all or nothing. A price that is known already
    changes nothing; another one makes the next version of its day, and the old one stays."""
    async with snapshot(db, tenant=cause.tenant_id) as read:
        known = await find(read, cause.tenant_id, PRICE_SERIES, series_id)
    upload = Upload(known.thing)
    await _take(request, upload)
    async with transaction(db, tenant=cause.tenant_id) as tx:
        series = await handlers.lock_series(tx, cause.tenant_id, series_id)
        recorded = await handlers.record_prices(tx, cause, series, upload)
    outcome = recorded.outcome
    return Receipt(
        new=outcome.new,
        corrected=outcome.corrected,
        unchanged=outcome.unchanged,
        days=[ChangedDay(day=one.day, version=one.version) for one in outcome.days],
        recorded_at=recorded.recorded_at,
    )


async def _take(request: Request, upload: Upload) -> None:
    match request.headers.get("content-type", "").partition(";")[0].strip().lower():
        case "application/json":
            await asyncio.to_thread(take_json, await request.body(), upload)
        case "text/csv":
            await take_csv(request.stream(), upload)
        case _:
            raise Refusal(415, "unsupported_media_type", f"send prices as {JSON} or {CSV}")


@router.get("/prices")
async def list_prices(
    series_id: UUID,
    db: Db,
    caller: Reader,
    paging: Paging,
    start_on: FromDay,
    end_on: ToDay,
    as_of: AsOf = None,
) -> Page[PriceDay]:
    """The prices by local day, as known now or at an instant; days without any are left out."""
    period = asked_period(start_on, end_on, DAYS_MAX)
    after = paging.after(date.fromisoformat)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        series = (await find(read, caller.tenant_id, PRICE_SERIES, series_id)).thing
        rest = period if after is None else _after(period, after[0])
        days = (
            await prices.fetch_days(read, caller.tenant_id, series_id, rest, as_of, paging.rows)
            if rest is not None
            else []
        )
    return paging.cut(days, item=_shown(series), position=lambda one: (one.day,))


@router.get("/prices/{day}/versions")
async def list_price_versions(
    series_id: UUID, day: date, db: Db, caller: Reader, paging: Paging
) -> Page[PriceDay]:
    """Everything that was ever recorded for a local day, version by version."""
    after = paging.after(number_in)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        series = (await find(read, caller.tenant_id, PRICE_SERIES, series_id)).thing
        days = await prices.fetch_versions(
            read, caller.tenant_id, series_id, day, after[0] if after else 0, paging.rows
        )
    return paging.cut(days, item=_shown(series), position=lambda one: (one.version,))


@router.get("/gaps")
async def list_gaps(
    series_id: UUID,
    db: Db,
    caller: Reader,
    paging: Paging,
    start_on: FromDay,
    end_on: ToDay,
    as_of: AsOf = None,
) -> Page[Gap]:
    """The intervals without a price, those next to one another as one."""
    period = asked_period(start_on, end_on, DAYS_MAX)
    after = paging.after(instant_in)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        series = (await find(read, caller.tenant_id, PRICE_SERIES, series_id)).thing
        days = await prices.fetch_days(
            read, caller.tenant_id, series_id, period, as_of, period.days
        )
    missing = gaps(series, period, {one.day: one.prices for one in days})
    rest = [gap for gap in missing if after is None or gap.start_at > after[0]]
    return paging.cut(rest[: paging.rows], item=_shown_gap, position=lambda gap: (gap.start_at,))


def _after(period: Period, day: date) -> Period | None:
    """What of a period comes after a day."""
    return period.overlap(Period(day + ONE_DAY, date.max)) if day < date.max - ONE_DAY else None


def _shown(series: PriceSeries) -> Any:
    def shown(one: domain.PriceDay) -> PriceDay:
        return PriceDay(
            day=one.day,
            start_at=midnight_utc(series.zone, one.day),
            minutes=series.minutes,
            currency=series.currency,
            version=one.version,
            prices=[None if price is None else f"{unscaled(price):f}" for price in one.prices],
            recorded_at=one.recorded_at,
            key_id=one.key_id,
        )

    return shown


def _shown_gap(gap: domain.Gap) -> Gap:
    return Gap(start_at=gap.start_at, end_at=gap.end_at, intervals=gap.intervals)
