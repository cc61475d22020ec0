"""Events of the tariff service beside `tariff.published`: calendars, and prices by local day."""

from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from contracts.model import Amount, Code, Count, Currency, Day, Event, Instant, Text, Zone

PRICES_PER_DAY_MAX = 200
"""15 minutes each: 25 hours when clocks go back, and once 48, where the date line was moved."""


class CalendarPublished(Event):
    """A new version of a calendar: the newest one is what drafts of tariffs take from now on.

    `document` is the calendar's JSON form (`contracts.tariff.Calendar`). Tariff versions hold the
    calendar that they were published with, so that this event changes none of them.
    """

    TOPIC: ClassVar[str] = "calendar.published.v1"
    KEY: ClassVar[str] = "calendar_id"

    calendar_id: UUID
    number: Annotated[Count, Field(ge=1)]
    code: Code
    name: Text
    document: dict[str, Any]
    published_at: Instant


class PricesPublished(Event):
    """All prices of a series on one local day, as they are now; a correction has a new version.

    `prices` holds one for each interval of `minutes` from local midnight to local midnight in
    `zone`, so a day has 23 to 25 hours of them; null where none is known. They are in `currency`
    per `unit`, and may be negative.
    """

    TOPIC: ClassVar[str] = "prices.published.v1"
    KEY: ClassVar[str] = "series_id:day"

    series_id: UUID
    code: Code
    currency: Currency
    unit: Literal["kWh"] = "kWh"
    zone: Zone
    day: Day
    minutes: Literal[15, 30, 60]
    version: Annotated[Count, Field(ge=1)]
    prices: Annotated[list[Amount | None], Field(min_length=1, max_length=PRICES_PER_DAY_MAX)]
    published_at: Instant

    def key(self) -> str:
        """A day's prices keep their order among themselves."""
        return f"{self.series_id}:{self.day}"
