"""The `from` and `to` of a question: [from, to).

Either end is an instant with its zone, or a day, which begins at midnight where the answer says: at
a property, or in UTC where the answer speaks of no place.
"""

from datetime import date, datetime
from typing import Annotated

from fastapi import Query
from pydantic import BeforeValidator, Field

from gridtally.contracts.model import Instant
from gridtally.kernel.periods import EARLIEST_ON, LATEST_ON, midnight_utc


def _only_a_day(text: object) -> object:
    """Pydantic would take a midnight without a zone for a day."""
    if isinstance(text, str) and len(text) != len("2025-04-01"):
        raise ValueError("must be a day, or an instant with its zone")
    return text


LocalDay = Annotated[date, Field(ge=EARLIEST_ON, le=LATEST_ON), BeforeValidator(_only_a_day)]
_FROM, _TO = "An instant or a local day, included", "An instant or a local day, not included"
_FROM_UTC, _TO_UTC = (
    "An instant or a day in UTC, included",
    "An instant or a day in UTC, not included",
)
From = Annotated[Instant | LocalDay, Query(alias="from", description=_FROM)]
To = Annotated[Instant | LocalDay, Query(alias="to", description=_TO)]
OptionalFrom = Annotated[Instant | LocalDay | None, Query(alias="from", description=_FROM)]
OptionalTo = Annotated[Instant | LocalDay | None, Query(alias="to", description=_TO)]
UtcFrom = Annotated[Instant | LocalDay, Query(alias="from", description=_FROM_UTC)]
UtcTo = Annotated[Instant | LocalDay, Query(alias="to", description=_TO_UTC)]
OptionalUtcFrom = Annotated[Instant | LocalDay | None, Query(alias="from", description=_FROM_UTC)]
OptionalUtcTo = Annotated[Instant | LocalDay | None, Query(alias="to", description=_TO_UTC)]


def instant_of(at: datetime | date, zone: str = "UTC") -> datetime:
    """The instant that is meant: a day's is its midnight in the zone."""
    return at if isinstance(at, datetime) else midnight_utc(zone, at)


def known_instant_of(at: datetime | date | None, zone: str = "UTC") -> datetime | None:
    """The same, of an end that may be left out."""
    return None if at is None else instant_of(at, zone)
