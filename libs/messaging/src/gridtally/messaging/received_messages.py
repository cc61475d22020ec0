"""What a message is to a handler, and how a batch of records becomes one.

Owns what a subscription declares and the bounds of a batch. Refuses what cannot be understood:
that is Poison.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, TypeVar

from aiokafka import ConsumerRecord
from pydantic import ValidationError

from gridtally.contracts.envelope import Envelope, read_message
from gridtally.contracts.faults import faults_of
from gridtally.contracts.model import Event
from gridtally.database import WriteConnection
from gridtally.kernel.errors import Poison
from gridtally.messaging.progress import Heartbeat

E = TypeVar("E")
FAULTS_SHOWN_MAX = 5
NUL = b"\\u0000"
"""As JSON writes it; PostgreSQL's texts cannot hold it."""


class ReceivedMessage(NamedTuple, Generic[E]):
    """A message as a handler sees it; `event` None is a tombstone.

    A tuple for the same reason as its envelope.
    """

    event: E | None
    envelope: Envelope
    topic: str
    partition: int
    offset: int
    key: str
    value: bytes | None


Handler = Callable[[WriteConnection, Sequence[ReceivedMessage[Any]]], Awaitable[None]]
Reader = Callable[[bytes], Any]


@dataclass(frozen=True, slots=True)
class Subscription:
    """Which event goes to which handler, and how many of them at once.

    The handler runs inside the transaction that moves the offsets, for all tenants, and must not
    commit. `read` is for whoever wants values in another form than the event's; it refuses what the
    event refuses, with pydantic's error. A handler whose batch may take a minute beats the
    `heartbeat`.
    """

    event: type[Event]
    handle: Handler
    batch_messages_max: int = 500
    read: Reader | None = None
    heartbeat: Heartbeat = field(default_factory=Heartbeat, compare=False)


def decode_record(
    record: ConsumerRecord, kind: type[Event], read: Reader | None = None
) -> ReceivedMessage[Any]:
    """The message's envelope and its event of that kind; Poison where they are none."""
    envelope, value = read_message(record.headers, record.value)
    if envelope.event_type != record.topic:
        raise Poison(f"{record.topic} carries no {envelope.event_type}")
    event = None if value is None else _read_event(value, kind, read or kind.model_validate_json)
    try:
        key = (record.key or b"").decode()
    except UnicodeDecodeError:
        raise Poison("the key is not UTF-8") from None
    return ReceivedMessage(
        event, envelope, record.topic, record.partition, record.offset, key, value
    )


def _read_event(value: bytes, kind: type[Event], read: Reader) -> Any:
    if b"\\" in value and NUL in value:  # one byte is looked for much quicker
        raise Poison("the value holds NUL characters, which no text column takes")
    try:
        return read(value)
    except ValidationError as invalid:
        faults = faults_of(invalid, value, read)[:FAULTS_SHOWN_MAX]
        shown = "; ".join(f"{'/'.join(map(str, f['loc']))}: {f['msg']}" for f in faults)
        raise Poison(f"the value is not a {kind.TOPIC}: {shown}") from None


def batches(records: Iterable[ConsumerRecord], bytes_max: int) -> Iterator[list[ConsumerRecord]]:
    """The records in their order, in batches of at most `bytes_max` or of one record."""
    batch: list[ConsumerRecord] = []
    size = 0
    for record in records:
        weight = len(record.value or b"")
        if batch and size + weight > bytes_max:
            yield batch
            batch, size = [], 0
        batch.append(record)
        size += weight
    if batch:
        yield batch
