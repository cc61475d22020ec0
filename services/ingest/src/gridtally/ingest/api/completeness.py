"""How complete a portfolio is: meters × days in one request."""

import asyncio
from collections.abc import Sequence
from datetime import date
from uuid import UUID

from gridtally.database import snapshot
from gridtally.http.context import Db
from gridtally.http.json_bodies import Router
from gridtally.http.resources import AnswerModel
from gridtally.ingest.api.bulk_series import ChannelSelection, known_meters
from gridtally.ingest.api.callers import Archived, Reader
from gridtally.ingest.domain.completeness import PresentDay, check_size, completeness
from gridtally.ingest.domain.meters import Flow, Meter
from gridtally.ingest.store.completeness import fetch_present_days

router = Router(prefix="/v1/series", tags=["series"])


class ChannelCompleteness(AnswerModel):
    """A channel's local days, one entry per day in every list."""

    meter_id: UUID
    """The meter."""
    flow: Flow
    """What is measured."""
    minutes: int
    """The length of an interval in minutes."""
    zone: str
    """The meter's zone."""
    expected: list[int]
    """How many intervals each day should have; 0 where the channel did not measure."""
    present: list[int]
    """How many of them have a value."""
    estimated: list[int]
    """How many of these are estimated."""
    substituted: list[int]
    """How many of these are substituted."""
    flagged: list[int]
    """How many rules speak of the day."""


class PortfolioCompleteness(AnswerModel):
    """Channels in the order of `meter_ids`, over the local days from `start_on` on."""

    start_on: date
    """The first local day."""
    end_on: date
    """The local day after the last one."""
    channels: list[ChannelCompleteness]
    """The channels of the meters, of the flows that were asked for."""


@router.post("/completeness")
async def query_completeness(
    selection: ChannelSelection, db: Db, archive: Archived, caller: Reader
) -> PortfolioCompleteness:
    """How many intervals each local day of many meters has, and should have."""
    check_size(len(selection.meter_ids), selection.window)
    meters = await known_meters(db, caller, selection)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        days = await fetch_present_days(
            read, archive, caller.tenant_id, selection.meter_ids, selection.window
        )
    channels = await asyncio.to_thread(_channels, meters, selection, days)
    return PortfolioCompleteness(
        start_on=selection.start_on, end_on=selection.end_on, channels=channels
    )


def _channels(
    meters: Sequence[Meter], selection: ChannelSelection, days: Sequence[PresentDay]
) -> list[ChannelCompleteness]:
    return [
        ChannelCompleteness.model_validate(channel, from_attributes=True)
        for channel in completeness(meters, selection.window, days)
        if channel.flow in selection.flows
    ]
