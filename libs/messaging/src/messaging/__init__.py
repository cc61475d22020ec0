"""Consumer, producer, outbox relay, offsets and dead letters."""

from messaging.broker import BrokerMismatch, check_identity, ensure_topics
from messaging.consumer import Consumer
from messaging.decoding import NUL, Handler, Received, Subscription
from messaging.follow import follow
from messaging.outbox import enqueue, run_relay
from messaging.outgoing import Outgoing
from messaging.progress import Progress
from messaging.publisher import Publisher

__all__ = [
    "NUL",
    "BrokerMismatch",
    "Consumer",
    "Handler",
    "Outgoing",
    "Progress",
    "Publisher",
    "Received",
    "Subscription",
    "check_identity",
    "enqueue",
    "ensure_topics",
    "follow",
    "run_relay",
]
