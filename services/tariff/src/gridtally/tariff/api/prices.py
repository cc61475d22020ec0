"""`/v1/price-series/{id}/prices`: uploading prices, reading them back as known at any time, and
finding what is missing."""

from datetime import date, datetime
from functools import partial
from typing import Annotated, Self
from uuid import UUID

from fastapi import Query, Request

from gridtally.contracts.model import Instant
from gridtally.database import snapshot, transaction
from gridtally.http.body_work import BodyReader
from gridtally.http.context import Bodies, Db, Now
from gridtally.http.json_bodies import Router
from gridtally.http.paging import Page, Paging
from gridtally.http.problems import HttpRefusal
from gridtally.http.resources import AnswerModel
from gridtally.kernel.periods import ONE_DAY, Period, midnight_utc
from gridtally.tariff.api.callers import Reader, WriteCause
from gridtally.tariff.api.models import number_in
from gridtally.tariff.api.price_uploads import take_csv, take_json, upload_schema
from gridtally.tariff.domain import prices as domain
from gridtally.tariff.domain.local_days import requested_period
from gridtally.tariff.domain.price_series import PriceSeries
from gridtally.tariff.domain.price_uploads import Upload
from gridtally.tariff.handlers import catalogue
from gridtally.tariff.handlers import prices as handlers
from gridtally.tariff.store import prices
from gridtally.tariff.store.price_series import PRICE_SERIES

router = Router(prefix="/v1/price-series/{series_id}", tags=["prices"])
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


class ChangedDay(AnswerModel):
    """A day that an upload changed, and the version that it is at since."""

    day: date
    """The local date."""
    version: int
    """The version of the day's prices, from 1."""


class PriceUploadResult(AnswerModel):
    """What an upload did: how many of its prices were what, and the days that changed."""

    new: int
    """How many prices were not known before."""
    corrected: int
    """How many prices replaced another one."""
    unchanged: int
    """How many prices were known already."""
    days: list[ChangedDay]
    """The days that changed."""
    recorded_at: datetime
    """When the upload was recorded, in UTC."""

    @classmethod
    def of(cls, recorded: handlers.RecordedPrices) -> Self:
        """The result as the API shows it."""
        outcome = recorded.outcome
        return cls(
            new=outcome.new,
            corrected=outcome.corrected,
            unchanged=outcome.unchanged,
            days=[ChangedDay(day=day.day, version=day.version) for day in outcome.days],
            recorded_at=recorded.recorded_at,
        )


class PriceDay(AnswerModel):
    """The prices of a local day, one for each of its intervals from `start_at` on; null where
    none is known. They are per kWh."""

    day: date
    """The local date."""
    start_at: datetime
    """When the first interval starts, in UTC."""
    minutes: int
    """The length of every interval, in minutes."""
    currency: str
    """The currency of the prices (ISO 4217)."""
    version: int
    """The version of the day's prices, from 1."""
    prices: list[str | None]
    """The price of each interval in `currency` per kWh, in order; null where none is known."""
    recorded_at: datetime
    """When this version was recorded, in UTC."""
    key_id: str
    """The API key that it was uploaded with."""

    @classmethod
    def of(cls, series: PriceSeries, day: domain.PriceDay) -> Self:
        """A day of a series as the API shows it."""
        prices = [None if price is None else f"{domain.unscaled(price):f}" for price in day.prices]
        return cls(
            day=day.day,
            start_at=midnight_utc(series.zone, day.day),
            minutes=series.minutes,
            currency=series.currency,
            version=day.version,
            prices=prices,
            recorded_at=day.recorded_at,
            key_id=day.key_id,
        )


class Gap(AnswerModel):
    """Consecutive intervals without a price, up to, but without, `end_at`."""

    start_at: datetime
    """When the first interval without a price starts, in UTC."""
    end_at: datetime
    """When the last of them ends, in UTC."""
    intervals: int
    """How many intervals have no price."""

    @classmethod
    def of(cls, gap: domain.Gap) -> Self:
        """The gap as the API shows it."""
        return cls(start_at=gap.start_at, end_at=gap.end_at, intervals=gap.intervals)


@router.post("/prices", openapi_extra=_BODY)
async def upload_prices(
    series_id: UUID, request: Request, bodies: Bodies, db: Db, cause: WriteCause, now: Now
) -> PriceUploadResult:
    """Add prices, or correct them, as JSON or CSV: all or nothing. A price that is known already
    changes nothing; another one makes the next version of its day, and the old one stays."""
    async with snapshot(db, tenant=cause.tenant_id) as read:
        series = await catalogue.load(read, cause.tenant_id, PRICE_SERIES, series_id)
    upload = Upload(series.resource)
    await _take(request, bodies, upload)
    async with transaction(db, tenant=cause.tenant_id) as tx:
        series = await catalogue.lock(tx, cause.tenant_id, PRICE_SERIES, series_id)
        recorded = await handlers.record_prices(tx, cause, series.resource, upload, now)
    return PriceUploadResult.of(recorded)


async def _take(request: Request, bodies: BodyReader, upload: Upload) -> None:
    match request.headers.get("content-type", "").partition(";")[0].strip().lower():
        case "application/json":
            body = await request.body()
            await bodies.read(len(body), lambda: take_json(body, upload))
        case "text/csv":
            await take_csv(request.stream(), upload)
        case _:
            raise HttpRefusal(415, "unsupported_media_type", f"send prices as {JSON} or {CSV}")


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
    period = requested_period(start_on, end_on, domain.DAYS_MAX)
    after = paging.after(date.fromisoformat)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        series = await catalogue.load(read, caller.tenant_id, PRICE_SERIES, series_id)
        rest = period if after is None else _after(period, after[0])
        days = (
            await prices.list_days(read, caller.tenant_id, series_id, rest, as_of, paging.rows)
            if rest is not None
            else []
        )
    to_api = partial(PriceDay.of, series.resource)
    return paging.cut(days, item=to_api, position=lambda day: (day.day,))


@router.get("/prices/{day}/versions")
async def list_price_versions(
    series_id: UUID, day: date, db: Db, caller: Reader, paging: Paging
) -> Page[PriceDay]:
    """Everything that was ever recorded for a local day, version by version."""
    after = paging.after(number_in)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        series = await catalogue.load(read, caller.tenant_id, PRICE_SERIES, series_id)
        days = await prices.list_versions(
            read, caller.tenant_id, series_id, day, after[0] if after else 0, paging.rows
        )
    to_api = partial(PriceDay.of, series.resource)
    return paging.cut(days, item=to_api, position=lambda day: (day.version,))


@router.get("/gaps")
async def list_price_gaps(
    series_id: UUID,
    db: Db,
    caller: Reader,
    paging: Paging,
    start_on: FromDay,
    end_on: ToDay,
    as_of: AsOf = None,
) -> Page[Gap]:
    """The intervals without a price, those next to one another as one."""
    period = requested_period(start_on, end_on, domain.DAYS_MAX)
    after = paging.after(datetime.fromisoformat)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        series = await catalogue.load(read, caller.tenant_id, PRICE_SERIES, series_id)
        days = await prices.list_days(read, caller.tenant_id, series_id, period, as_of, period.days)
    gaps = domain.gaps(series.resource, period, {day.day: day.prices for day in days})
    rest = [gap for gap in gaps if after is None or gap.start_at > after[0]]
    return paging.cut(rest[: paging.rows], item=Gap.of, position=lambda gap: (gap.start_at,))


def _after(period: Period, day: date) -> Period | None:
    """What of a period comes after a day."""
    return period.overlap(Period(day + ONE_DAY, date.max)) if day < date.max - ONE_DAY else None
