"""Sums of intervals against registers: judged when a reading or an interval has changed.

Claim → compare → flag, in the caller's transaction. What is stored decides, not what came: so a
register may be looked at as often as anybody likes, and what agrees again is flagged no more.
"""

from collections.abc import Sequence
from datetime import datetime

from gridtally.database import ReadConnection, WriteConnection
from gridtally.ingest.domain import register_sums as domain
from gridtally.ingest.domain.meters import Channel, Meter
from gridtally.ingest.domain.readings import DayKey
from gridtally.ingest.domain.register_sums import CheckedRegister
from gridtally.ingest.domain.usage import ChangedDay
from gridtally.ingest.store import register_sums, registers, verdicts
from gridtally.ingest.store.archive.archive import Archive
from gridtally.ingest.store.meters import fetch_meters
from gridtally.ingest.store.series import fetch_days
from gridtally.ingest.store.validation_rules import fetch_rule_sets
from gridtally.kernel.periods import ONE_DAY, local_date, midnight_utc
from gridtally.metering.validation.register_sums import SumCheck

MARKS_MAX = 200
"""Marks of registers that are looked at in one transaction, so no more registers."""


async def mark_days(tx: WriteConnection, days: Sequence[ChangedDay]) -> None:
    """These days have changed: what their registers counted is to be held against them."""
    bounds = [
        (midnight_utc(day.zone, day.day), midnight_utc(day.zone, day.day + ONE_DAY)) for day in days
    ]
    await register_sums.mark_days(tx, days, bounds)


async def check_registers(tx: WriteConnection, archive: Archive, now: datetime) -> int:
    """Look at some registers of which something has changed; how many."""
    claimed = await register_sums.claim_registers(tx, MARKS_MAX)
    if not claimed:
        return 0
    rule_sets = await fetch_rule_sets(tx)
    meters = await fetch_meters(tx, {checked.key[:2] for checked in claimed})
    for checked in claimed:
        rules, meter = rule_sets.get(checked.key[0]), meters.get(checked.key[:2])
        channel = meter.channel(checked.key[2]) if meter else None
        if rules is None or meter is None or channel is None:
            continue
        compared = await sums_between(tx, archive, checked, meter, channel)
        keys, said = domain.verdicts(
            checked.key, meter, channel, rules.of_channel(meter.meter_type, channel.flow), compared
        )
        moments = [checked.from_at, checked.to_at]
        moments += [
            moment for sums in compared for moment in (sums.span.start_at, sums.span.end_at)
        ]
        first = DayKey(*checked.key, channel.minutes, local_date(meter.zone, min(moments)))
        end_on = local_date(meter.zone, max(moments)) + ONE_DAY
        await register_sums.clear_between(tx, first, end_on, [key.day for key in keys], now)
        await verdicts.upsert_verdicts(tx, keys, said, now)
    return len(claimed)


async def sums_between(
    read: ReadConnection,
    archive: Archive,
    checked: CheckedRegister,
    meter: Meter,
    channel: Channel,
) -> list[SumCheck]:
    """What a register counted between two moments, from the reading before them to the one after
    them, and the sums of its channel's intervals."""
    [readings] = await registers.fetch_readings_around(
        read, [(checked.key, checked.from_at, checked.to_at)]
    )
    spans = domain.spans_of(readings)
    if not spans:
        return []
    window = domain.days_of(meter.zone, spans)
    days = await fetch_days(read, archive, *checked.key[:2], channel, window)
    return domain.checks(meter.zone, channel, spans, days)
