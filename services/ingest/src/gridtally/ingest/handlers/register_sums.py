"""Sums of intervals against registers: judged when a reading or an interval has changed.

Claim → compare → flag, in the caller's transaction. What is stored decides, not what came: so a
register may be looked at as often as anybody likes, and what agrees again is flagged no more.
"""

from collections.abc import Sequence
from datetime import datetime

import structlog

from gridtally.database import ReadConnection, WriteConnection
from gridtally.ingest.domain import register_sums as domain
from gridtally.ingest.domain.adoption import PublishedDay
from gridtally.ingest.domain.meters import Channel, Meter
from gridtally.ingest.domain.readings import DayKey
from gridtally.ingest.domain.register_sums import CheckedRegister
from gridtally.ingest.domain.registers import RegisterKey
from gridtally.ingest.domain.usage import ChangedDay
from gridtally.ingest.domain.validation_rules import ChannelRules
from gridtally.ingest.store import register_sums, registers, verdicts
from gridtally.ingest.store.archive.archive import Archive
from gridtally.ingest.store.meters import fetch_meters
from gridtally.ingest.store.series import fetch_days
from gridtally.ingest.store.validation_rules import fetch_rule_sets
from gridtally.kernel.errors import Unreadable
from gridtally.kernel.periods import ONE_DAY, midnight_utc
from gridtally.metering.validation.register_sums import RegisterSpan, SumCheck

log = structlog.get_logger(__name__)

MARKS_MAX = 200
"""Marks of registers that are looked at in one transaction, so no more registers."""
INTERVALS_MAX = 2_000_000
"""Intervals that are looked at in one transaction, but for one register: a year of 57 registers.
After a restore all of their time is looked at again, and others wait for the transaction's end."""


async def mark_days(tx: WriteConnection, days: Sequence[ChangedDay | PublishedDay]) -> None:
    """These days have changed: what their registers counted is to be held against them."""
    bounds = [
        (midnight_utc(day.zone, day.day), midnight_utc(day.zone, day.day + ONE_DAY)) for day in days
    ]
    await register_sums.mark_days(tx, days, bounds)


async def check_registers(tx: WriteConnection, archive: Archive, now: datetime) -> int:
    """Look at some registers of which something has changed; how many.

    One that a file of the archive is missing for is looked at again later, behind all others, and
    so are those that are too many.
    """
    claimed = await register_sums.claim_registers(tx, MARKS_MAX)
    if not claimed:
        return 0
    rule_sets = await fetch_rule_sets(tx)
    meters = await fetch_meters(tx, {checked.key[:2] for checked in claimed})
    unread, reason = list[CheckedRegister](), ""
    left, intervals = list[CheckedRegister](), 0
    for checked in claimed:
        if intervals > INTERVALS_MAX:
            left.append(checked)
            continue
        rule_set, meter = rule_sets.get(checked.key[0]), meters.get(checked.key[:2])
        channel = meter.channel(checked.key[2]) if meter else None
        if rule_set is None or meter is None or channel is None:
            continue
        rules = rule_set.of_channel(meter.meter_type, channel.flow)
        try:
            intervals += await _judge(tx, archive, checked, (meter, channel, rules), now)
        except Unreadable as failure:  # before anything is written; other registers go on
            unread.append(checked)
            reason = str(failure)
    if unread:
        log.error("registers cannot be judged now", registers=len(unread), reason=reason)
    again = [(checked.key, checked.from_at, checked.to_at) for checked in (*unread, *left)]
    await register_sums.mark_registers(tx, again)
    return len(claimed) - len(again)


async def _judge(
    tx: WriteConnection,
    archive: Archive,
    checked: CheckedRegister,
    by: tuple[Meter, Channel, ChannelRules],
    now: datetime,
) -> int:
    """Flag the days on which spans end that have changed, and clear the others of these days.

    A day has one verdict, of the worst span that ends on it. So all spans of its days are compared,
    those too that have not changed: whoever clears a day has seen all that may flag it. Returns how
    many intervals they have, those included that are missing.
    """
    meter, channel, rules = by
    days = domain.ended_days(meter.zone, checked, await _spans_between(tx, checked))
    whole = domain.register_on(meter.zone, checked, days)
    spans = domain.ended_between(whole, await _spans_between(tx, whole))
    compared = await _compare(tx, archive, checked.key, meter, channel, spans)
    keys, said = domain.verdicts(checked.key, meter, channel, rules, compared)
    first = DayKey(*checked.key, channel.minutes, days[0])
    await register_sums.clear_between(tx, first, days[1], [key.day for key in keys], now)
    await verdicts.upsert_verdicts(tx, keys, said, now)
    return domain.intervals_of(channel, spans)


async def sums_between(
    read: ReadConnection,
    archive: Archive,
    checked: CheckedRegister,
    meter: Meter,
    channel: Channel,
) -> list[SumCheck]:
    """What a register counted between two moments, from the reading before them to the one after
    them, and the sums of its channel's intervals."""
    spans = await _spans_between(read, checked)
    return await _compare(read, archive, checked.key, meter, channel, spans)


async def _spans_between(read: ReadConnection, checked: CheckedRegister) -> list[RegisterSpan]:
    [readings] = await registers.fetch_readings_around(
        read, [(checked.key, checked.from_at, checked.to_at)], measured_alone=True
    )
    return domain.spans_of(readings)


async def _compare(
    read: ReadConnection,
    archive: Archive,
    key: RegisterKey,
    meter: Meter,
    channel: Channel,
    spans: Sequence[RegisterSpan],
) -> list[SumCheck]:
    if not spans:
        return []
    window = domain.days_of(meter.zone, spans)
    days = await fetch_days(read, archive, *key[:2], channel, window)
    return domain.checks(meter.zone, channel, spans, days)
