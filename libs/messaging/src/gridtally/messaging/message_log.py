"""The log of messages: who sent and who handled one, by its correlation id.

Owns the lines by which the reading that completed a period is followed to its posting. Which
topics have them is declared in `gridtally.contracts.topics`.
"""

from collections.abc import Iterable
from typing import Any, Literal

import structlog

from gridtally.contracts.topics import TOPICS
from gridtally.messaging.outgoing_messages import OutgoingMessage
from gridtally.messaging.received_messages import ReceivedMessage

LOGGED = frozenset(topic.name for topic in TOPICS.values() if topic.logged)

log = structlog.get_logger(__name__)


def log_messages(
    what: Literal["sent", "handled"], messages: Iterable[OutgoingMessage | ReceivedMessage[Any]]
) -> None:
    """Log a line for each message of a logged topic; call it once `what` is committed."""
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
