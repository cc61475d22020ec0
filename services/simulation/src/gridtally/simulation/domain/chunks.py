"""Chunks: the parts of a run that workers share, each a message and a transaction."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from gridtally.kernel.ids import derive_id

CHUNK_HOUSES = 200
"""Some 10 MB of a month's readings, and a second of work: little to repeat where a worker dies."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some houses of a run, by their numbers."""

    id: UUID
    number: int
    first_house: int
    houses: int


def chunks_of(run_id: UUID, houses: int, houses_max: int = CHUNK_HOUSES) -> Iterator[Chunk]:
    """The chunks of up to `houses_max` that a run's houses are rated in; of the same run always
    the same."""
    for number, first in enumerate(range(0, houses, houses_max)):
        yield Chunk(
            id=derive_id("simulation chunk", run_id, number),
            number=number,
            first_house=first,
            houses=min(houses_max, houses - first),
        )
