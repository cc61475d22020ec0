"""Identifiers: random ones for what people create, derived ones for what events cause, and ids in
order of arrival for what comes without one.

A derived id is the UUIDv5 of its kind and parts, so the same cause gives the same id for ever.
"""

import hashlib
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

NAMESPACE = UUID("7b1f9c52-0a64-5c0e-9d6c-6f6f1d1c7a10")
"""Never changes: every derived id that is stored depends on it."""
SEPARATOR = "\x1f"
_NAMESPACE_BYTES = NAMESPACE.bytes
_VERSION_BITS, _VERSION_5 = 0xF000 << 64 | 0xC000 << 48, 0x5000 << 64 | 0x8000 << 48
"""Where a UUID says its version and variant, and what it says there (RFC 9562, section 5.5)."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def new_id() -> UUID:
    """A fresh random id."""
    return uuid4()


# What `uuid5` gives, in three fifths of its time: a payment derives five ids.
def derive_id(kind: str, *parts: object) -> UUID:
    """The id of what `kind` makes of `parts`; ValueError where parts could be confused."""
    name = SEPARATOR.join([kind, *map(str, parts)])
    if name.count(SEPARATOR) != len(parts):
        raise ValueError("the parts of an id must not hold the unit separator")
    digest = hashlib.sha1(_NAMESPACE_BYTES + name.encode(), usedforsecurity=False).digest()
    return UUID(int=int.from_bytes(digest[:16]) & ~_VERSION_BITS | _VERSION_5)


def own_meter_id(tenant_id: str, property_id: UUID, meter_type: str) -> UUID:
    """The id of one of the four meters that every property has."""
    return derive_id("meter", tenant_id, property_id, meter_type)


def arrival_id(arrived_at: datetime, content: bytes) -> UUID:
    """The id of something that arrived without one: a UUIDv8 of the microsecond and the content.

    The bytes of ids are in the order of arrival, as long as it is after 1970.
    """
    microseconds = (arrived_at - _EPOCH) // timedelta(microseconds=1)
    digest = int.from_bytes(hashlib.sha256(content).digest()[:8]) >> 2
    fields = (microseconds >> 12, 0x8, microseconds & 0xFFF, 0b10, digest)
    number = 0
    for bits, value in zip((48, 4, 12, 2, 62), fields, strict=True):
        number = number << bits | value
    return UUID(int=number)
