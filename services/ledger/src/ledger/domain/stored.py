"""What every stored thing of the registry carries besides its content."""

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Stored(Generic[T]):
    """A thing as stored: `version` counts its changes from 1 and is its ETag."""

    thing: T
    version: int
    created_at: datetime
    updated_at: datetime
