"""Events of devices: taking them in, storing each once, and what follows from tampering.

A meter that was tampered with keeps its readings: their channel-days are flagged by the tenant's
rule `tamper`, and the meter is looked at for alerts, in the transaction that stores the event.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from gridtally.database import Database, ReadConnection, WriteConnection, snapshot
from gridtally.ingest.domain import device_events as domain
from gridtally.ingest.domain.device_events import (
    EVENT_ID_REUSED,
    FLAGGED_DAYS,
    TOO_MANY_EVENTS,
    DeviceEvent,
    FlaggedDay,
    StoredEvent,
)
from gridtally.ingest.domain.meters import Meter, MeterKey
from gridtally.ingest.domain.validation import Refusal
from gridtally.ingest.domain.validation_rules import RuleSet
from gridtally.ingest.events.device_events import device_event_received
from gridtally.ingest.handlers.alerts import mark_causes
from gridtally.ingest.store import device_events, verdicts
from gridtally.ingest.store.meters import fetch_meters
from gridtally.ingest.store.validation_rules import fetch_rule_sets
from gridtally.kernel.errors import Poison
from gridtally.kernel.periods import ONE_DAY
from gridtally.messaging import Publisher

EXPIRED_MAX = 10_000
"""Events that are deleted in one transaction."""


async def take_in(
    database: Database,
    publisher: Publisher,
    tenant_id: str,
    items: Sequence[DeviceEvent | Refusal],
    now: datetime,
) -> list[UUID | Refusal]:
    """Publish what came over HTTP; the id of each that was accepted, once the broker has
    acknowledged all of them, and why each other one was refused."""
    events = [item for item in items if isinstance(item, DeviceEvent)]
    async with snapshot(database, tenant=tenant_id) as read:
        stored = await device_events.fetch_stored(read, events)
        reused = _reused(events, stored)
        beyond = await _beyond_the_most(read, _new(events, stored))
    outcomes: list[DeviceEvent | Refusal] = []
    for item in items:
        if isinstance(item, DeviceEvent):
            refusal = domain.check_instant(item.happened_at, now)
            if item in reused or item in beyond:
                refusal = refusal or (EVENT_ID_REUSED if item in reused else TOO_MANY_EVENTS)
            outcomes.append(refusal or item)
        else:
            outcomes.append(item)
    messages = [
        device_event_received(item, now) for item in outcomes if isinstance(item, DeviceEvent)
    ]
    if messages:
        await publisher.publish(messages)
    return [item.id if isinstance(item, DeviceEvent) else item for item in outcomes]


async def record_events(tx: WriteConnection, events: Sequence[DeviceEvent], now: datetime) -> int:
    """Store the events that are new; how many. Flags their days and has their meters looked at.

    Poison where one is of the future or the far past, has the id of another event, or is one too
    many of its meter and day: it alone becomes a dead letter.
    """
    for event in events:
        if refusal := domain.check_instant(event.happened_at, now):
            raise Poison(f"{refusal.reason}: {refusal.detail}")
    stored = await device_events.fetch_stored(tx, events)
    if _reused(events, stored):
        raise Poison(f"{EVENT_ID_REUSED.reason}: {EVENT_ID_REUSED.detail}")
    new = _new(events, stored)
    if await _beyond_the_most(tx, new):
        raise Poison(f"{TOO_MANY_EVENTS.reason}: {TOO_MANY_EVENTS.detail}")
    await device_events.insert_events(tx, new, now)
    tampered = [event for event in new if event.severity == "tamper"]
    await _flag(tx, [(*event.meter_key, event.happened_at) for event in tampered], now)
    await mark_causes(tx, [(*event.meter_key, event.correlation_id) for event in tampered], now)
    return len(new)


async def flag_meters(tx: WriteConnection, keys: Collection[MeterKey], now: datetime) -> None:
    """Flag the last days on which these meters were tampered with: they, or their channels, are
    newer than the events."""
    rule_sets = await _rule_sets(tx) if keys else {}
    own = [key for key in keys if key[0] in rule_sets]
    if own:
        since_at = now - (FLAGGED_DAYS + 1) * ONE_DAY
        tampered = await device_events.fetch_tampered(tx, own, since_at)
        meters = await fetch_meters(tx, tampered)
        await _flag_days(tx, meters, rule_sets, domain.recent_days(meters, now), now)


async def delete_expired(tx: WriteConnection, before: datetime) -> int:
    """Delete the oldest events that were recorded before an instant; how many."""
    return await device_events.delete_expired(tx, before, EXPIRED_MAX)


def _reused(events: Sequence[DeviceEvent], stored: Sequence[StoredEvent]) -> set[DeviceEvent]:
    """Those whose id another event has, of what is stored or of these themselves."""
    contents = {
        (event.tenant_id, event.id): (event.meter_id, event.kind, event.happened_at)
        for event in stored
    }
    reused = set()
    for event in events:
        if contents.setdefault((event.tenant_id, event.id), event.content) != event.content:
            reused.add(event)
    return reused


def _new(events: Sequence[DeviceEvent], stored: Sequence[StoredEvent]) -> list[DeviceEvent]:
    """Those that are not stored yet, each content once."""
    known_ids = {(event.tenant_id, event.id) for event in stored}
    known = {(event.tenant_id, event.meter_id, event.kind, event.happened_at) for event in stored}
    contents = {(event.tenant_id, *event.content): event for event in reversed(events)}
    return [
        event
        for content, event in contents.items()
        if (event.tenant_id, event.id) not in known_ids and content not in known
    ]


async def _beyond_the_most(read: ReadConnection, new: Sequence[DeviceEvent]) -> set[DeviceEvent]:
    """Those that are one too many of their meter and day."""
    counts = await device_events.count_stored(read, {event.noted_day for event in new})
    return domain.beyond_the_most(new, counts)


async def _rule_sets(read: ReadConnection) -> dict[str, RuleSet]:
    """Those of the tenants that have the rule `tamper` on."""
    rule_sets = await fetch_rule_sets(read)
    return {id_: rules for id_, rules in rule_sets.items() if "tamper" in rules.names_on}


async def _flag(
    tx: WriteConnection, tampered: Collection[tuple[str, UUID, datetime]], now: datetime
) -> None:
    rule_sets = await _rule_sets(tx) if tampered else {}
    own = [row for row in tampered if row[0] in rule_sets]
    if own:
        meters = await fetch_meters(tx, {(tenant_id, meter_id) for tenant_id, meter_id, _ in own})
        await _flag_days(tx, meters, rule_sets, domain.flagged_days(meters, own), now)


async def _flag_days(
    tx: WriteConnection,
    meters: Mapping[MeterKey, Meter],
    rule_sets: Mapping[str, RuleSet],
    days: Sequence[FlaggedDay],
    now: datetime,
) -> None:
    if days:
        tamperings = await device_events.count_tampering(tx, days)
        keys, said = domain.verdicts(meters, rule_sets, days, tamperings)
        await verdicts.upsert_verdicts(tx, keys, said, now)
