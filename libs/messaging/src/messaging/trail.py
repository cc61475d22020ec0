"""The trail in the logs: who sent and who handled a message, by its correlation id.

Owns the lines by which the reading that completed a period is followed to its posting. Which
topics have them is said in `contracts.topics`.
"""

from collections.abc import Iterable
from typing import Any, Literal

import structlog

from contracts.topics import TOPICS
from messaging.decoding import Received
from messaging.outgoing import Outgoing

LOGGED = frozenset(topic.name for topic in TOPICS.values() if topic.logged)

log = structlog.get_logger(__name__)


def log_messages(
    what: Literal["sent", "handled"], messages: Iterable[Outgoing | Received[Any]]
) -> None:
    """A line for each message of a logged topic, once what is said of it is committed."""
    for message in messages:
        if message.topic in LOGGED:
            envelope = message.envelope
            log.info(
                what,
                topic=message.topic,
                key=message.key,
                event_id=str(envelope.event_id),
                tenant_id=envelope.tenant_id,
                correlation_id=envelope.correlation_id,
            )
