"""A meter as ingest knows it, its series and how complete it is."""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel

from contracts.metering import Channel as WireChannel
from contracts.model import Instant
from database import ReadConnection, snapshot
from ingest.api.callers import Reader
from ingest.domain.days import OLDEST_AT, OLDEST_ON, days_between
from ingest.domain.meters import Channel, Flow, Meter
from ingest.domain.series import Resolution, series
from ingest.store import series as store
from ingest.store.meters import fetch_meters
from kernel.errors import NotFound, Rejected
from kernel.periods import ONE_DAY, day_minutes, local_date, midnight_utc
from serving.auth import Principal
from serving.context import Db

DAYS_MAX = 400
LATEST_ON = date(9000, 1, 1)
"""Beyond it the calendar of some zone would overflow."""
From = Annotated[date, Query(alias="from", description="The first local day")]
To = Annotated[date, Query(alias="to", description="The local day after the last one")]


class MeterCopy(BaseModel):
    """A meter as ingest was told of it."""

    meter_id: UUID
    type: str
    zone: str
    channels: list[WireChannel]


class SeriesAnswer(BaseModel):
    """Columns of equal length: a value is null where nothing is there.

    `missing` counts the native intervals that lack in each; `quality` has one letter for each,
    the worst of its parts.
    """

    meter_id: UUID
    flow: Flow
    zone: str
    minutes: int
    resolution: str
    known_at: datetime | None
    starts_at: list[datetime]
    values_wh: list[int | None]
    missing: list[int]
    quality: str


class DayCompleteness(BaseModel):
    """How many intervals of a channel's local day are there."""

    day: date
    flow: Flow
    expected: int
    present: int
    estimated: int
    substituted: int
    version: int
    recorded_at: datetime | None


class Completeness(BaseModel):
    """Per local day and flow."""

    meter_id: UUID
    zone: str
    days: list[DayCompleteness]


def router() -> APIRouter:
    """`/v1/meters`."""
    api = APIRouter(prefix="/v1/meters", tags=["meters"])

    @api.get("/{meter_id}")
    async def get_meter(meter_id: UUID, db: Db, caller: Reader) -> MeterCopy:
        """The meter, as `meter.registered` told of it."""
        async with snapshot(db, tenant=caller.tenant_id) as read:
            meter = await _meter(read, caller, meter_id)
        channels = [
            WireChannel(flow=c.flow, minutes=c.minutes, interval_wh_max=c.interval_wh_max)
            for c in meter.channels
        ]
        return MeterCopy(meter_id=meter_id, type=meter.type, zone=meter.zone, channels=channels)

    @api.get("/{meter_id}/series")
    async def get_series(
        meter_id: UUID,
        db: Db,
        caller: Reader,
        flow: Flow,
        from_: Annotated[AwareDatetime | date, Query(alias="from", union_mode="left_to_right")],
        to: Annotated[AwareDatetime | date, Query(union_mode="left_to_right")],
        resolution: Resolution = "native",
        as_known_at: Instant | None = None,
    ) -> SeriesAnswer:
        """Energy per interval, `from` up to, but without, `to`: instants, or local dates.

        Coarser resolutions are exact sums over whole intervals of the local day or month, from the
        one in which `from` lies. `as_known_at` answers from what had been received by then.
        """
        async with snapshot(db, tenant=caller.tenant_id) as read:
            meter = await _meter(read, caller, meter_id)
            channel = _channel(meter, flow, resolution)
            start_at, end_at = _instant(meter.zone, from_), _instant(meter.zone, to)
            window = _window(meter.zone, start_at, end_at)
            if as_known_at is None:
                days = await store.fetch_days(read, caller.tenant_id, meter_id, channel, window)
            else:
                days = await store.fetch_days_known_at(
                    read, caller.tenant_id, meter, channel, window, as_known_at
                )
        intervals = [
            interval
            for interval in series(meter.zone, channel.minutes, days, window, resolution)
            if resolution in ("1440", "month") or start_at <= interval.start_at < end_at
        ]
        return SeriesAnswer(
            meter_id=meter_id,
            flow=flow,
            zone=meter.zone,
            minutes=channel.minutes,
            resolution=resolution,
            known_at=as_known_at,
            starts_at=[interval.start_at for interval in intervals],
            values_wh=[interval.energy_wh for interval in intervals],
            missing=[interval.missing for interval in intervals],
            quality="".join(interval.quality for interval in intervals),
        )

    @api.get("/{meter_id}/completeness")
    async def get_completeness(
        meter_id: UUID, db: Db, caller: Reader, from_: From, to: To
    ) -> Completeness:
        """How much of each local day is there."""
        _check_days(from_, to)
        async with snapshot(db, tenant=caller.tenant_id) as read:
            meter = await _meter(read, caller, meter_id)
            found = await store.fetch_completeness(read, caller.tenant_id, meter_id, (from_, to))
        days: list[DayCompleteness] = []
        for day in days_between(from_, to):
            for channel in meter.channels:
                row = found.get((day, channel.flow, channel.minutes))
                days.append(
                    DayCompleteness(
                        day=day,
                        flow=channel.flow,
                        expected=day_minutes(meter.zone, day) // channel.minutes,
                        present=row["present"] if row else 0,
                        estimated=row["estimated"] if row else 0,
                        substituted=row["substituted"] if row else 0,
                        version=row["version"] if row else 0,
                        recorded_at=row["recorded_at"] if row else None,
                    )
                )
        return Completeness(meter_id=meter_id, zone=meter.zone, days=days)

    return api


async def _meter(read: ReadConnection, caller: Principal, meter_id: UUID) -> Meter:
    found = await fetch_meters(read, [(caller.tenant_id, meter_id)])
    try:
        return found[caller.tenant_id, meter_id]
    except KeyError:
        raise NotFound("meter_unknown", "ingest knows no such meter") from None


def _channel(meter: Meter, flow: Flow, resolution: Resolution) -> Channel:
    channel = meter.channel(flow)
    if channel is None:
        raise NotFound("flow_unknown", f"this meter does not measure {flow}")
    if resolution in ("15", "30", "60") and int(resolution) % channel.minutes:
        raise Rejected(
            "resolution_too_fine",
            f"intervals of {channel.minutes} min do not make {resolution} min",
        )
    return channel


def _instant(zone: str, bound: datetime | date) -> datetime:
    """An instant as it is, a local date as its midnight."""
    if isinstance(bound, datetime):
        return bound
    if not OLDEST_ON < bound < LATEST_ON:
        raise Rejected("window", f"dates lie between {OLDEST_ON} and {LATEST_ON}")
    return midnight_utc(zone, bound)


def _window(zone: str, start_at: datetime, end_at: datetime) -> tuple[date, date]:
    """The local days that the window touches; Rejected when it is empty or too long."""
    if start_at >= end_at:
        raise Rejected("empty_window", "`to` must be later than `from`")
    far = datetime(LATEST_ON.year, 1, 1, tzinfo=UTC)
    if start_at < OLDEST_AT or end_at > far or (end_at - start_at).days > DAYS_MAX:
        raise Rejected("window", f"ask for at most {DAYS_MAX} days, from {OLDEST_AT.date()} on")
    last = end_at - timedelta.resolution
    window = (local_date(zone, start_at), local_date(zone, last) + ONE_DAY)
    _check_days(*window)
    return window


def _check_days(start_on: date, end_on: date) -> None:
    if not (OLDEST_ON <= start_on < end_on < LATEST_ON and (end_on - start_on).days <= DAYS_MAX):
        raise Rejected("window", f"ask for 1 to {DAYS_MAX} days, from {OLDEST_ON} to {LATEST_ON}")
