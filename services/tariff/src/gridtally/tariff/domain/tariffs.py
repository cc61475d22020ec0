"""Tariffs: what customers sign up for. What a tariff charges is in its versions."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Tariff:
    """A price plan; all its versions are in its currency and on the clock of its zone."""

    id: UUID
    code: str
    name: str
    currency: str
    zone: str
    region_id: UUID | None
