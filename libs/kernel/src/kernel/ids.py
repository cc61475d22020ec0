"""Identifiers: random ones for things that people create, derived ones for what events cause.

A derived id is the UUIDv5 of its kind and parts, so the same cause gives the same id for ever.
"""

from uuid import UUID, uuid4, uuid5

NAMESPACE = UUID("7b1f9c52-0a64-5c0e-9d6c-6f6f1d1c7a10")
"""Never changes: every derived id that was ever stored depends on it."""
SEPARATOR = "\x1f"


def new_id() -> UUID:
    """A fresh random id."""
    return uuid4()


def derive_id(kind: str, *parts: object) -> UUID:
    """The id of what `kind` makes of `parts`; ValueError where parts could be confused."""
    texts = [kind, *(str(part) for part in parts)]
    if any(SEPARATOR in text for text in texts):
        raise ValueError("the parts of an id must not hold the unit separator")
    return uuid5(NAMESPACE, SEPARATOR.join(texts))
