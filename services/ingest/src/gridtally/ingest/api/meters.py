"""A meter as ingest knows it, its series and how complete it is."""

from collections import defaultdict
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import AwareDatetime, BaseModel, Field

from gridtally.contracts import metering as contracts
from gridtally.contracts.model import Instant
from gridtally.database import ReadConnection, snapshot
from gridtally.http.auth import Principal
from gridtally.http.context import Db
from gridtally.http.json_bodies import Router
from gridtally.ingest.api.callers import Archived, Reader
from gridtally.ingest.api.verdicts import DayVerdict
from gridtally.ingest.domain import meters as domain
from gridtally.ingest.domain.channels import expectation
from gridtally.ingest.domain.derived_meters import refuse_earlier_knowledge
from gridtally.ingest.domain.local_days import OLDEST_AT, OLDEST_ON, days_between
from gridtally.ingest.domain.meters import Flow
from gridtally.ingest.domain.series import Resolution, series, within_channel
from gridtally.ingest.store import series as store
from gridtally.ingest.store.meters import fetch_meters
from gridtally.ingest.store.verdicts import fetch_verdicts
from gridtally.kernel.errors import NotFound, Rejected
from gridtally.kernel.periods import ONE_DAY, Period, local_date, midnight_utc
from gridtally.metering.validation.rules import RuleName

router = Router(prefix="/v1/meters", tags=["meters"])

DAYS_MAX = 400
LATEST_ON = date(9000, 1, 1)
"""Beyond it the calendar of some zone would overflow."""
From = Annotated[date, Query(alias="from", description="The first local day")]
To = Annotated[date, Query(alias="to", description="The local day after the last one")]


class Meter(BaseModel):
    """A meter as ingest knows it: as it was registered, in its first zone."""

    meter_id: UUID
    meter_type: str
    zone: str
    channels: list[contracts.Channel]

    @classmethod
    def of(cls, meter: domain.Meter) -> "Meter":
        """The domain's meter."""
        channels = [contracts.Channel(**asdict(channel)) for channel in meter.channels]
        return cls(
            meter_id=meter.meter_id,
            meter_type=meter.meter_type,
            zone=meter.zone,
            channels=channels,
        )


class Series(BaseModel):
    """Columns of equal length: a value is null where nothing is there.

    `missing` counts the native intervals that are missing in each; `quality` has one letter for
    each, the worst of its parts, or `N` where the meter did not measure the flow at all; `verdicts`
    is what rules say of the days, as they are now.
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
    verdicts: list[DayVerdict] = Field(description="What rules say of the days")


class DayCompleteness(BaseModel):
    """How many intervals of a channel's local day are there, of those in which it measures, and
    which rules speak of it."""

    day: date
    flow: Flow
    expected: int
    present: int
    estimated: int
    substituted: int
    version: int
    recorded_at: datetime | None
    flags: list[RuleName] = Field(description="The rules that speak of the day")


class Completeness(BaseModel):
    """Per local day and flow."""

    meter_id: UUID
    zone: str
    days: list[DayCompleteness]


@router.get("/{meter_id}")
async def get_meter(meter_id: UUID, db: Db, caller: Reader) -> Meter:
    """The meter, as it was registered."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        return Meter.of(await known_meter(read, caller, meter_id))


@router.get("/{meter_id}/series")
async def get_series(
    meter_id: UUID,
    db: Db,
    archive: Archived,
    caller: Reader,
    flow: Flow,
    from_: Annotated[AwareDatetime | date, Query(alias="from", union_mode="left_to_right")],
    to: Annotated[AwareDatetime | date, Query(union_mode="left_to_right")],
    resolution: Resolution = "native",
    as_known_at: Instant | None = None,
) -> Series:
    """Energy per interval, `from` up to, but without, `to`: instants, or local dates.

    Coarser resolutions are exact sums over whole intervals of the local day or month, from the
    one in which `from` lies. `as_known_at` answers from what had been received by then.
    """
    async with snapshot(db, tenant=caller.tenant_id) as read:
        meter = await known_meter(read, caller, meter_id)
        channel = known_channel(meter, flow, resolution)
        start_at, end_at = _instant(meter.zone, from_), _instant(meter.zone, to)
        window = _window(meter.zone, start_at, end_at)
        if as_known_at is None:
            days = await store.fetch_days(
                read, archive, caller.tenant_id, meter_id, channel, window
            )
        else:
            refuse_earlier_knowledge([meter])
            days = await store.fetch_days_known_at(
                read, archive, caller.tenant_id, meter, channel, window, as_known_at
            )
        verdicts = await fetch_verdicts(read, caller.tenant_id, [meter_id], window)
    if channel.is_bounded:
        days = within_channel(meter.zone, channel, days, window)
    intervals = [
        interval
        for interval in series(meter.zone, channel.minutes, days, window, resolution)
        if resolution in ("1440", "month") or start_at <= interval.start_at < end_at
    ]
    return Series(
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
        verdicts=[
            DayVerdict.model_validate(verdict)
            for verdict in verdicts
            if verdict["flow"] == flow and verdict["minutes"] == channel.minutes
        ],
    )


@router.get("/{meter_id}/completeness")
async def get_completeness(
    meter_id: UUID, db: Db, archive: Archived, caller: Reader, from_: From, to: To
) -> Completeness:
    """How much of each local day is there."""
    check_days(from_, to)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        meter = await known_meter(read, caller, meter_id)
        present = await store.fetch_completeness(
            read, archive, caller.tenant_id, meter_id, (from_, to)
        )
        verdicts = await fetch_verdicts(read, caller.tenant_id, [meter_id], (from_, to))
    flags: defaultdict[tuple[object, ...], list[RuleName]] = defaultdict(list)
    for verdict in verdicts:
        flags[verdict["day"], verdict["flow"], verdict["minutes"]].append(verdict["rule"])
    days: list[DayCompleteness] = []
    for day in days_between(from_, to):
        for channel in meter.channels:
            row = present.get((day, channel.flow, channel.minutes))
            expected = expectation(meter.zone, Period(day, day + ONE_DAY), channel).count
            days.append(
                DayCompleteness(
                    day=day,
                    flow=channel.flow,
                    expected=expected,
                    present=min(row["present"], expected) if row else 0,
                    estimated=row["estimated"] if row else 0,
                    substituted=row["substituted"] if row else 0,
                    version=row["version"] if row else 0,
                    recorded_at=row["recorded_at"] if row else None,
                    flags=flags[day, channel.flow, channel.minutes],
                )
            )
    return Completeness(meter_id=meter_id, zone=meter.zone, days=days)


async def known_meter(read: ReadConnection, caller: Principal, meter_id: UUID) -> domain.Meter:
    """The meter; NotFound where there is none."""
    meters = await fetch_meters(read, [(caller.tenant_id, meter_id)])
    try:
        return meters[caller.tenant_id, meter_id]
    except KeyError:
        raise NotFound("meter_unknown", "ingest knows no such meter") from None


def known_channel(meter: domain.Meter, flow: Flow, resolution: Resolution) -> domain.Channel:
    """The channel of a flow; NotFound where there is none, Rejected where it is too coarse."""
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
    check_days(*window)
    return window


def check_days(start_on: date, end_on: date) -> None:
    """Rejected where these are too many days, none, or beyond the calendar."""
    if not (OLDEST_ON <= start_on < end_on < LATEST_ON and (end_on - start_on).days <= DAYS_MAX):
        raise Rejected("window", f"ask for 1 to {DAYS_MAX} days, from {OLDEST_ON} to {LATEST_ON}")
