"""Estimating what ended periods lack, under agreements that close so.

Load → estimate → record: the blocks go the way of all readings, as estimated, so that whatever is
measured later takes their place and the period follows. What cannot be estimated stays missing; the
period then closes with what is there.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from gridtally.contracts.envelope import Envelope
from gridtally.contracts.metering import ReadingsReceived
from gridtally.database import WriteConnection
from gridtally.ingest.domain import estimates as domain
from gridtally.ingest.domain.merge import MISSING
from gridtally.ingest.domain.meters import Channel, MeterKey
from gridtally.ingest.domain.periods import FlowSeries, OpenPeriod
from gridtally.ingest.domain.readings import OWN_STORE, ReceivedBlocks
from gridtally.ingest.events import SOURCE_ESTIMATES
from gridtally.ingest.events.blocks import block_of, in_columns
from gridtally.ingest.handlers.readings import Recorder
from gridtally.ingest.store import estimates, periods
from gridtally.ingest.store.archive.archive import Archive, MeterDays
from gridtally.kernel.ids import derive_id
from gridtally.metering.estimation import estimate

PERIODS_MAX = 50
"""Periods that are estimated in one transaction."""


async def estimate_due_periods(tx: WriteConnection, recorder: Recorder, now: datetime) -> int:
    """Estimate what some periods lack; how many periods."""
    keys = await estimates.claim_due(tx, PERIODS_MAX)
    if not keys:
        return 0
    known = await periods.lock_periods(tx, keys)
    windows = [replace(period, period=domain.window_of(period)) for period in known]
    await recorder.archive.recall(
        tx,
        [
            MeterDays(own.tenant_id, own.meter.meter_id, own.period.start_on, own.period.end_on)
            for own in windows
        ],
        now,
    )
    of_periods = await periods.fetch_series(tx, windows) if windows else []
    made: list[domain.ChannelEstimate] = []
    whole = set()
    for period, series in zip(known, of_periods, strict=True):
        settings = await estimates.fetch_settings(tx, period.tenant_id)
        is_whole = bool(period.meter.channels)
        for channel, flow_series in zip(period.meter.channels, series, strict=True):
            of_channel, lacks = await _of_channel(
                tx, recorder.archive, period, channel, flow_series, settings
            )
            made.append(of_channel)
            is_whole &= not lacks
        if is_whole:
            whole.add(period.key)
    await estimates.insert_estimates(tx, made, now)
    refused = await _record(tx, recorder, _blocks(made, now), now)
    for period in known:
        if (period.tenant_id, period.meter.meter_id) in refused:
            whole.discard(period.key)
    for key in keys:
        await estimates.mark_estimated(tx, key, is_whole=key in whole, now=now)
    return len(keys)


async def _record(
    tx: WriteConnection, recorder: Recorder, blocks: ReceivedBlocks, now: datetime
) -> set[MeterKey]:
    """Record blocks; the meters of those that were not stored: a derived meter takes none, and its
    period must not want the same estimates for ever."""
    outcomes = await recorder.record(tx, blocks, now) if len(blocks) else []
    return {
        (tenant_id, block.meter_id)
        for tenant_id, block, outcome in zip(blocks.tenants, blocks.blocks, outcomes, strict=True)
        if outcome != "stored"
    }


async def _of_channel(
    tx: WriteConnection,
    archive: Archive,
    period: OpenPeriod,
    channel: Channel,
    series: FlowSeries,
    settings: domain.EstimationSettings,
) -> tuple[domain.ChannelEstimate, bool]:
    """What is made of a channel, and whether the period lacks some of it still. The group is asked
    only for what the channel's own values do not show."""
    window, zone = domain.window_of(period), period.meter.zone
    rules = domain.rules(settings, channel.minutes)
    columns = domain.columns(period, channel, series, settings)
    made = estimate(columns, rules)
    if (columns.is_wanted & (made.values == MISSING)).any():
        days = await estimates.fetch_group_days(
            tx, archive, period.tenant_id, period.meter, channel, window
        )
        group = domain.group_mean(window, zone, channel.minutes, days)
        made = estimate(replace(columns, group=group), rules)
    lacks = bool((columns.is_wanted & (made.values == MISSING)).any())
    return (
        domain.ChannelEstimate(
            period.tenant_id, period.meter.meter_id, zone, channel, window, made
        ),
        lacks,
    )


def _blocks(made: Sequence[domain.ChannelEstimate], now: datetime) -> ReceivedBlocks:
    """The blocks of estimates. Each ranks as if it had been read when it begins: any other estimate
    that a sender or a register has of an interval outranks it."""
    envelopes: list[Envelope] = []
    events: list[ReadingsReceived] = []
    for channel in made:
        for start_at, values in channel.blocks():
            key = (channel.tenant_id, channel.meter_id, channel.channel.flow, start_at, now)
            event_id = derive_id("estimate", *key)
            envelopes.append(
                Envelope(
                    event_id,
                    ReadingsReceived.TOPIC,
                    SOURCE_ESTIMATES,
                    now,
                    channel.tenant_id,
                    str(event_id),
                )
            )
            events.append(
                ReadingsReceived(
                    meter_id=channel.meter_id,
                    flow=channel.channel.flow,
                    start_at=start_at,
                    minutes=channel.channel.minutes,
                    unit=channel.channel.unit,
                    values=values,
                    quality="estimated",
                    source="estimates",
                    read_at=start_at,
                )
            )
    values_of = [event.model_dump_json().encode() for event in events]
    blocks = [block_of(event) for event in events]
    return in_columns(envelopes, blocks, values_of, [OWN_STORE] * len(blocks))
