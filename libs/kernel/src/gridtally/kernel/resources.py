"""What every stored resource carries besides its content, and who caused a change of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Stored(Generic[T]):
    """A resource as it is stored: `version` counts its changes from 1 and is its ETag."""

    resource: T
    version: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Cause:
    """On whose behalf something changes, by which API key, and the id that follows the change
    through every service."""

    tenant_id: str
    key_id: str
    correlation_id: str
