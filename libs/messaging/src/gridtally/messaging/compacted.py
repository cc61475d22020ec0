"""Batches of compacted topics: of each resource only its newest state counts.

Owns that a message's key names the tenant of its envelope and the resource of its event, since a
compacted topic keeps by key: a message under another resource's key would replace that one.
"""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar
from uuid import UUID

from gridtally.contracts.model import Event
from gridtally.kernel.errors import Poison
from gridtally.messaging.received_messages import ReceivedMessage

E = TypeVar("E", bound=Event)
ResourceKey = tuple[str, UUID]
"""A tenant and the id of one of its resources."""


def resource_key(message: ReceivedMessage[Any]) -> ResourceKey:
    """The tenant and resource that a message's key `tenant:id` names.

    Poison where it names none, another tenant's than the envelope, or another than the event.
    """
    tenant_id, _, resource = message.key.rpartition(":")
    try:
        resource_id = UUID(resource)
    except ValueError:
        raise Poison(f"the key {message.key!r} names no resource") from None
    if tenant_id != message.envelope.tenant_id:
        raise Poison(f"the key {message.key!r} is not of tenant {message.envelope.tenant_id}")
    if message.event is not None and message.event.key() != str(resource_id):
        raise Poison(f"the key {message.key!r} is not that of its event")
    return tenant_id, resource_id


def newest_states(messages: Iterable[ReceivedMessage[E]]) -> dict[ResourceKey, E | None]:
    """The last event of each resource in a batch, in its order; None where that is a tombstone.

    Poison as by `resource_key`.
    """
    return {resource_key(message): message.event for message in messages}


def newest_events(
    messages: Iterable[ReceivedMessage[E]], rank: Callable[[E], Any]
) -> dict[ResourceKey, E]:
    """The event of each resource that ranks highest, the later among equals, in whatever order
    they came; tombstones count for nothing. Poison as by `resource_key`."""
    newest: dict[ResourceKey, E] = {}
    for message in messages:
        key = resource_key(message)
        event = message.event
        if event is not None and (key not in newest or rank(newest[key]) <= rank(event)):
            newest[key] = event
    return newest
