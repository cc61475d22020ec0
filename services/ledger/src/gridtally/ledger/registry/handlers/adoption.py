"""After a restore: what the registry had published is stored as it was said."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from gridtally.contracts.metering import MeterRegistered, PropertyChanged
from gridtally.contracts.registry import UserChanged
from gridtally.database import WriteConnection
from gridtally.ledger.registry.store import adoption as store
from gridtally.messaging import ReceivedMessage, resource_key

Messages = Sequence[ReceivedMessage[Any]]
Store = Callable[[WriteConnection, str, Any, datetime], Awaitable[bool]]
End = Callable[[WriteConnection, str, UUID, datetime], Awaitable[bool]]


async def adopt_properties(
    tx: WriteConnection, messages: Sequence[ReceivedMessage[PropertyChanged]]
) -> Messages:
    """Properties in the versions that were published, and the ends of those that were removed. One
    waits for the property above it."""
    return await _adopt(tx, messages, store.adopt_property, store.end_property)


async def adopt_meters(
    tx: WriteConnection, messages: Sequence[ReceivedMessage[MeterRegistered]]
) -> Messages:
    """Meters with their channels and registers, and the ends of those that were removed. What a
    meter inherits from its property is that one's."""
    return await _adopt(tx, messages, store.adopt_meter, store.end_meter)


async def adopt_users(
    tx: WriteConnection, messages: Sequence[ReceivedMessage[UserChanged]]
) -> Messages:
    """Users in the versions that were published, and the ends of those that were removed. One waits
    while another has the e-mail address."""
    return await _adopt(tx, messages, store.adopt_user, store.end_user)


async def _adopt(tx: WriteConnection, messages: Messages, adopt: Store, end: End) -> Messages:
    waiting = []
    for message in messages:
        tenant_id, id_ = resource_key(message)
        at = message.envelope.occurred_at
        if message.event is None:
            is_stored = await end(tx, tenant_id, id_, at)
        else:
            is_stored = await adopt(tx, tenant_id, message.event, at)
        if not is_stored:
            waiting.append(message)
    return waiting
