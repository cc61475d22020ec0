"""Consumer, producer, outbox relay, offsets, dead letters, and adoption of what was said."""

from gridtally.messaging.adoption import Adopter, Adoption
from gridtally.messaging.broker import BrokerMismatch, check_identity, ensure_topics
from gridtally.messaging.broker_access import BrokerAccess
from gridtally.messaging.compacted import (
    ResourceKey,
    newest_events,
    newest_states,
    resource_key,
)
from gridtally.messaging.consumer import Consumer
from gridtally.messaging.follow import follow
from gridtally.messaging.outbox import enqueue, run_relay
from gridtally.messaging.outgoing_messages import OutgoingMessage
from gridtally.messaging.progress import Heartbeat, Progress
from gridtally.messaging.publisher import Publisher
from gridtally.messaging.received_messages import NUL, Handler, ReceivedMessage, Subscription
from gridtally.messaging.tail import Tail, TailMessage

__all__ = [
    "NUL",
    "Adopter",
    "Adoption",
    "BrokerAccess",
    "BrokerMismatch",
    "Consumer",
    "Handler",
    "Heartbeat",
    "OutgoingMessage",
    "Progress",
    "Publisher",
    "ReceivedMessage",
    "ResourceKey",
    "Subscription",
    "Tail",
    "TailMessage",
    "check_identity",
    "enqueue",
    "ensure_topics",
    "follow",
    "newest_events",
    "newest_states",
    "resource_key",
    "run_relay",
]
