"""Users: the people of a property."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class User:
    """A person at a property; no other user of the tenant has the same `email`."""

    id: UUID
    name: str
    email: str
    phone_number: str | None
    property_id: UUID
    default_meter_id: UUID | None
