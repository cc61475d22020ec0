"""After a restore: what the catalogue had published is stored just as it was said."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

from gridtally.contracts.catalogue import RegionChanged
from gridtally.database import WriteConnection
from gridtally.messaging import ReceivedMessage, resource_key
from gridtally.tariff.store import adoption as store

Messages = Sequence[ReceivedMessage[Any]]
Store = Callable[[WriteConnection, str, Any, datetime], Awaitable[bool]]


async def adopt_regions(
    tx: WriteConnection, messages: Sequence[ReceivedMessage[RegionChanged]]
) -> Messages:
    """Regions as they were published; those that had ended are deleted."""
    waiting = []
    for message in messages:
        tenant_id, region_id = resource_key(message)
        at = message.envelope.occurred_at
        if message.event is None:
            is_stored = await store.end_region(tx, tenant_id, region_id, at)
        else:
            is_stored = await store.adopt_region(tx, tenant_id, message.event, at)
        if not is_stored:
            waiting.append(message)
    return waiting


async def adopt_calendars(tx: WriteConnection, messages: Messages) -> Messages:
    """Published versions of calendars."""
    return await _adopt(tx, messages, store.adopt_calendar)


async def adopt_tariffs(tx: WriteConnection, messages: Messages) -> Messages:
    """Published and withdrawn versions of tariffs."""
    return await _adopt(tx, messages, store.adopt_tariff)


async def adopt_prices(tx: WriteConnection, messages: Messages) -> Messages:
    """Days of price series, in the versions that were published."""
    return await _adopt(tx, messages, store.adopt_prices)


async def _adopt(tx: WriteConnection, messages: Messages, adopt: Store) -> Messages:
    """Store each of these; what must wait for another of its topic. A tombstone says nothing."""
    return [
        message
        for message in messages
        if message.event is not None
        and not await adopt(
            tx, message.envelope.tenant_id, message.event, message.envelope.occurred_at
        )
    ]
