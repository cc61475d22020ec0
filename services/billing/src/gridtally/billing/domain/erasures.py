"""Erasures: the trail of whose names were erased, when, by whom and why; it names nobody itself."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Erasure:
    """That what names a customer was erased; `key_id` is the API key that asked for it."""

    customer_id: UUID
    erased_at: datetime
    key_id: str
    reason: str
    correlation_id: str
