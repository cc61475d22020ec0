"""Events of simulations: chunks of houses to be rated, and runs that are complete."""

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from gridtally.contracts.model import Amount, Count, Currency, Day, Event, Instant


class SimulationChunkRequested(Event):
    """Some houses of a run are to be rated; whoever receives it may be any worker.

    The same chunk again changes nothing: its results are stored once.
    """

    TOPIC: ClassVar[str] = "simulation.chunk_requested.v1"
    KEY: ClassVar[str] = "chunk_id"

    chunk_id: UUID
    """The chunk; of a run and a number always the same."""
    run_id: UUID
    """The run that it is of."""
    number: Count
    """The chunk's number within the run, from 0."""
    first_house: Count
    """The number of its first house within the run."""
    houses: Annotated[int, Field(ge=1, le=10_000)]
    """How many houses it has."""


class SimulationCompleted(Event):
    """A run is over: all its house bills are there, or none."""

    TOPIC: ClassVar[str] = "simulation.completed.v1"
    KEY: ClassVar[str] = "run_id"

    run_id: UUID
    """The run."""
    status: Literal["COMPLETED", "FAILED", "CANCELLED"]
    """How it ended."""
    start_on: Day
    """The first local date that is billed."""
    end_on: Day
    """The local date after its last."""
    houses: Count
    """How many houses it has."""
    currency: Currency | None = None
    """The currency of the bills; null where there are none."""
    total_amount: Amount | None = None
    """What all house bills come to, in `currency`; null where there are none."""
    ended_at: Instant
    """When it ended, in UTC."""
