"""Events of devices: taking them in, storing each once, and what follows from tampering.

A meter that was tampered with keeps its readings: their channel-days are flagged by the tenant's
rule `tamper`, and the meter is looked at for alerts, in the transaction that stores the event.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from gridtally.database import Database, ReadConnection, WriteConnection, snapshot
from gridtally.ingest.domain import device_events as domain
from gridtally.ingest.domain.device_events import EVENT_ID_REUSED, DeviceEvent
from gridtally.ingest.domain.meters import MeterKey
from gridtally.ingest.domain.validation import Refusal
from gridtally.ingest.events.device_events import device_event_received
from gridtally.ingest.handlers.alerts import mark_causes
from gridtally.ingest.store import device_events, verdicts
from gridtally.ingest.store.meters import fetch_meters
from gridtally.ingest.store.validation_rules import fetch_rule_sets
from gridtally.kernel.errors import Poison
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
        reused = await _reused(read, events)
    outcomes: list[DeviceEvent | Refusal] = []
    for item in items:
        if isinstance(item, DeviceEvent):
            refusal = domain.check_instant(item.happened_at, now)
            outcomes.append(refusal or (EVENT_ID_REUSED if item in reused else item))
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

    Poison where one is of the future or the far past, or has the id of another event: it alone
    becomes a dead letter.
    """
    for event in events:
        if refusal := domain.check_instant(event.happened_at, now):
            raise Poison(f"{refusal.reason}: {refusal.detail}")
    if await _reused(tx, events):
        raise Poison(f"{EVENT_ID_REUSED.reason}: {EVENT_ID_REUSED.detail}")
    stored = await device_events.fetch_stored(tx, events)
    known_ids = {(row["tenant_id"], row["id"]) for row in stored}
    known = {(row["tenant_id"], row["meter_id"], row["kind"], row["happened_at"]) for row in stored}
    new = [
        event
        for event in {
            (event.tenant_id, *event.content): event for event in reversed(events)
        }.values()
        if (event.tenant_id, event.id) not in known_ids
        and (event.tenant_id, *event.content) not in known
    ]
    await device_events.insert_events(tx, new, now)
    tampered = [event for event in new if event.severity == "tamper"]
    await _flag(tx, [(*event.meter_key, event.happened_at) for event in tampered], now)
    await mark_causes(tx, [(*event.meter_key, event.correlation_id) for event in tampered], now)
    return len(new)


async def flag_meters(tx: WriteConnection, keys: Collection[MeterKey], now: datetime) -> None:
    """Flag the days on which these meters were tampered with: they, or their channels, may be newer
    than the events."""
    await _flag(tx, await device_events.fetch_tampered(tx, keys), now)


async def delete_expired(tx: WriteConnection, before: datetime) -> int:
    """Delete the oldest events that were recorded before an instant; how many."""
    return await device_events.delete_expired(tx, before, EXPIRED_MAX)


async def _reused(read: ReadConnection, events: Sequence[DeviceEvent]) -> set[DeviceEvent]:
    """Those whose id another event has, of what is stored or of these themselves."""
    contents = {
        (row["tenant_id"], row["id"]): (row["meter_id"], row["kind"], row["happened_at"])
        for row in await device_events.fetch_stored(read, events)
    }
    reused = set()
    for event in events:
        if contents.setdefault((event.tenant_id, event.id), event.content) != event.content:
            reused.add(event)
    return reused


async def _flag(
    tx: WriteConnection, tampered: Collection[tuple[str, UUID, datetime]], now: datetime
) -> None:
    if not tampered:
        return
    rule_sets = await fetch_rule_sets(tx)
    own = [row for row in tampered if row[0] in rule_sets]
    meters = await fetch_meters(tx, {(tenant_id, meter_id) for tenant_id, meter_id, _ in own})
    days = domain.flagged_days(meters, own)
    if days:
        tamperings = await device_events.count_tampering(tx, days)
        keys, said = domain.verdicts(meters, rule_sets, days, tamperings)
        await verdicts.upsert_verdicts(tx, keys, said, now)
