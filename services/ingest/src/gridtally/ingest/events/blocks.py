"""Blocks of readings: contract → domain, for every message there is.

What gateways usually send is read field by field, which takes half of the model's time. Whatever
is unusual or wrong is left to the model, so it alone decides what a block is.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from pydantic import TypeAdapter

from gridtally.contracts.envelope import Envelope
from gridtally.contracts.metering import BLOCK_VALUES_MAX, ReadingsReceived
from gridtally.contracts.model import Instant
from gridtally.ingest.domain.local_days import OLDEST_AT
from gridtally.ingest.domain.merge import OF_REGISTER, QUALITY_CODES
from gridtally.ingest.domain.meters import Flow
from gridtally.ingest.domain.readings import OWN_STORE, ReceivedBlocks
from gridtally.ingest.domain.validation import Block
from gridtally.ingest.events import SOURCE_REGISTERS
from gridtally.kernel.errors import Poison
from gridtally.messaging import ReceivedMessage

KINDS_CACHED_MAX = 4_096
INSTANTS_CACHED_MAX = 4_096

_UUID = TypeAdapter(UUID).validator
_INSTANT = TypeAdapter(Instant).validator
_UNIT, _QUALITY, _SOURCE = (
    ReadingsReceived.model_fields[name].default for name in ("unit", "quality", "source")
)
_WHOLE_OR_NONE = frozenset({int, type(None)})


class _Kind(NamedTuple):
    """What all blocks of a sender's channel have in common, but for the meter."""

    flow: Flow
    minutes: int
    unit: str
    quality: str
    source: str


class _Unusual(ValueError):
    """Not in the form that gateways usually send."""


def read_block(value: bytes) -> Block:
    """The block in a message's value; pydantic's ValidationError where `ReadingsReceived` has one.

    Equal to `block_of` what the model reads.
    """
    try:
        return _read_usual(orjson.loads(value))
    except (KeyError, TypeError, ValueError):
        return block_of(ReadingsReceived.model_validate_json(value))


def block_of(event: ReadingsReceived) -> Block:
    """The event as the rules see it."""
    return Block(
        event.meter_id,
        event.flow,
        event.start_at,
        event.minutes,
        event.unit,
        event.values,
        event.quality,
        event.source,
        event.read_at,
    )


def _read_usual(fields: Any) -> Block:
    values, read_at = fields["values"], fields.get("read_at")
    if type(values) is not list or not 0 < len(values) <= BLOCK_VALUES_MAX:
        raise _Unusual
    if not _WHOLE_OR_NONE.issuperset(map(type, values)):
        raise _Unusual
    flow, minutes, unit, quality, source = _kind(
        fields["flow"],
        fields["minutes"],
        fields.get("unit", _UNIT),
        fields.get("quality", _QUALITY),
        fields.get("source", _SOURCE),
    )
    return Block(
        _UUID.validate_python(fields["meter_id"]),
        flow,
        _start(fields["start_at"]),
        minutes,
        unit,
        values,
        quality,
        source,
        None if read_at is None else _instant(read_at),
    )


@lru_cache(KINDS_CACHED_MAX)
def _kind(flow: Any, minutes: Any, unit: Any, quality: Any, source: Any) -> _Kind:
    """Cached, because many messages have the same."""
    event = ReadingsReceived(
        meter_id=UUID(int=0),
        flow=flow,
        start_at=OLDEST_AT,
        minutes=minutes,
        unit=unit,
        values=[0],
        quality=quality,
        source=source,
    )
    return _Kind(event.flow, event.minutes, event.unit, event.quality, event.source)


@lru_cache(INSTANTS_CACHED_MAX)
def _start(text: Any) -> datetime:
    """Cached, because many meters send blocks of the same times."""
    return _instant(text)


def _instant(text: Any) -> datetime:
    if type(text) is not str:
        raise _Unusual
    at: datetime = _INSTANT.validate_python(text)
    return at


def received_blocks(batch: Sequence[ReceivedMessage[Block]]) -> ReceivedBlocks:
    """A batch of the consumer, in columns.

    Poison for a tombstone, which readings do not have, and for a sender that has the source of our
    own registers: only their blocks may void values, and they never come over the broker.
    """
    blocks = [message.event for message in batch if message.event is not None]
    values = [message.value for message in batch if message.value is not None]
    if not len(blocks) == len(values) == len(batch):
        raise Poison(f"{ReadingsReceived.TOPIC} has no tombstones")
    if SOURCE_REGISTERS in {message.envelope.source for message in batch}:
        raise Poison(f"nobody else may send as {SOURCE_REGISTERS}")
    envelopes = [message.envelope for message in batch]
    return in_columns(envelopes, blocks, values, [message.partition for message in batch])


def stored_blocks(rows: Sequence[Any]) -> ReceivedBlocks:
    """Blocks out of quarantine, or pending ones, as they were received; rows of those tables."""
    envelopes = [
        Envelope(
            row["event_id"],
            ReadingsReceived.TOPIC,
            row["source"],
            row["occurred_at"],
            row["tenant_id"],
            row["correlation_id"],
        )
        for row in rows
    ]
    values = [row["value"] for row in rows]
    blocks = [read_block(value) for value in values]
    return in_columns(envelopes, blocks, values, [OWN_STORE] * len(blocks))


def in_columns(
    envelopes: Sequence[Envelope],
    blocks: Sequence[Block],
    values: Sequence[bytes],
    partitions: Sequence[int],
) -> ReceivedBlocks:
    """Blocks and what came with each, one entry per block in every column.

    One without a `read_at` was read when its envelope says that it occurred.
    """
    return ReceivedBlocks(
        [envelope.tenant_id for envelope in envelopes],
        [envelope.event_id for envelope in envelopes],
        [envelope.source for envelope in envelopes],
        [envelope.occurred_at for envelope in envelopes],
        [envelope.correlation_id for envelope in envelopes],
        partitions,
        blocks,
        values,
        [
            block.read_at or envelope.occurred_at
            for block, envelope in zip(blocks, envelopes, strict=True)
        ],
        [
            OF_REGISTER if envelope.source == SOURCE_REGISTERS else QUALITY_CODES[block.quality]
            for block, envelope in zip(blocks, envelopes, strict=True)
        ],
    )
