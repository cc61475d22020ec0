"""How events are encoded: from plain values, by orjson.

Many times as quick as by the contracts' models; a test holds the two equal.
"""

from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson

from gridtally.contracts.envelope import source_of
from gridtally.contracts.model import ContractModel
from gridtally.kernel.money import plain

SOURCE = source_of("billing")


def fields_of(event: type[ContractModel], document: object, **named: Any) -> dict[str, Any]:
    """The event's fields by name, in its order: those in `named`, and else the document's
    attributes of the same name. AttributeError where it has none."""
    return {
        name: named[name] if name in named else getattr(document, name)
        for name in event.model_fields
    }


def encoded(value: dict[str, Any]) -> bytes:
    """The value as JSON: decimals as strings without an exponent, instants in UTC with a Z."""
    return orjson.dumps(value, default=_json_value, option=orjson.OPT_UTC_Z)


def canonically_encoded(value: object) -> bytes:
    """The value as JSON with sorted names: the very bytes that `kernel.chain.canonical` makes of
    what `encoded` says."""
    return orjson.dumps(value, default=_json_value, option=orjson.OPT_UTC_Z | orjson.OPT_SORT_KEYS)


def _json_value(value: object) -> str:
    """What orjson does not know: decimals, and asyncpg's own kind of UUID."""
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value)} has no place in an event")
