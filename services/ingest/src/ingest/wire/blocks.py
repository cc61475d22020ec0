"""How a block of readings is read from a message: contract → domain, for every message there is.

What gateways usually send is read field by field, which takes half of the model's time. Whatever
is unusual or wrong is left to the model, so it alone decides what a block is.
"""

from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from pydantic import TypeAdapter

from contracts.metering import BLOCK_VALUES_MAX, ReadingsReceived
from contracts.model import Instant
from ingest.domain.checks import Block
from ingest.domain.days import OLDEST_AT
from ingest.domain.meters import Flow

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


def _read_usual(told: Any) -> Block:
    values, read_at = told["values"], told.get("read_at")
    if type(values) is not list or not 0 < len(values) <= BLOCK_VALUES_MAX:
        raise _Unusual
    if not _WHOLE_OR_NONE.issuperset(map(type, values)):
        raise _Unusual
    flow, minutes, unit, quality, source = _kind(
        told["flow"],
        told["minutes"],
        told.get("unit", _UNIT),
        told.get("quality", _QUALITY),
        told.get("source", _SOURCE),
    )
    return Block(
        _UUID.validate_python(told["meter_id"]),
        flow,
        _begin(told["start_at"]),
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
def _begin(text: Any) -> datetime:
    """Cached, because many meters send blocks of the same times."""
    return _instant(text)


def _instant(text: Any) -> datetime:
    if type(text) is not str:
        raise _Unusual
    at: datetime = _INSTANT.validate_python(text)
    return at
