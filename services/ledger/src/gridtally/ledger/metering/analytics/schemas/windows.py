"""The `from` and `to` of a question: [from, to).

Either end is an instant with its zone, or a day, which begins at midnight where the property is.
"""

from datetime import date, datetime
from typing import Annotated

from fastapi import Query
from pydantic import BeforeValidator, Field

from gridtally.contracts.model import Instant
from gridtally.kernel.errors import Fault, Rejected
from gridtally.kernel.periods import midnight_utc
from gridtally.ledger.metering.analytics.domain.consumption import Window
from gridtally.ledger.moments import EARLIEST_ON, LATEST_ON


def _only_a_day(text: object) -> object:
    """Pydantic would take a midnight without a zone for a day."""
    if isinstance(text, str) and len(text) != len("2025-04-01"):
        raise ValueError("must be a day, or an instant with its zone")
    return text


LocalDay = Annotated[date, Field(ge=EARLIEST_ON, le=LATEST_ON), BeforeValidator(_only_a_day)]
From = Annotated[Instant | LocalDay, Query(alias="from", description="An instant or a local day")]
To = Annotated[Instant | LocalDay, Query(alias="to", description="An instant or a local day")]


def window_of(from_at: datetime | date, to_at: datetime | date, zone: str) -> Window:
    """The instants that are meant; Rejected for a time that ends before it begins."""
    window = (instant_of(from_at, zone), instant_of(to_at, zone))
    if window[0] >= window[1]:
        fault = Fault("/query/to", "must lie after `from`")
        raise Rejected("empty_window", "`from` must lie before `to`", (fault,))
    return window


def instant_of(at: datetime | date, zone: str) -> datetime:
    """The instant that is meant: a day's is its midnight in the zone."""
    return at if isinstance(at, datetime) else midnight_utc(zone, at)
