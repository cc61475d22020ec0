"""What every stored thing of the catalogue carries besides its content."""

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Stored(Generic[T]):
    """A thing as stored: `revision` counts its changes from 1 and is its ETag."""

    thing: T
    revision: int
    created_at: datetime
    updated_at: datetime
