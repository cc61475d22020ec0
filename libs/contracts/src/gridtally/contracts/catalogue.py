"""Events of the tariff service beside `tariff.published`: regions, calendars, and prices by local
day."""

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from gridtally.contracts.model import (
    Amount,
    Code,
    Count,
    Currency,
    Day,
    Document,
    Event,
    Instant,
    Text,
    Zone,
)

PRICES_PER_DAY_MAX = 600
"""5 minutes each: 25 hours when clocks go back, and once 48, where the date line was moved."""


class RegionChanged(Event):
    """A region as the catalogue knows it now; a tombstone on this topic ends it."""

    TOPIC: ClassVar[str] = "region.changed.v1"
    KEY: ClassVar[str] = "region_id"

    region_id: UUID
    """The region."""
    code: Code
    """What programs call the region."""
    name: Text
    """What people call the region."""
    zone: Zone
    """Its time zone."""
    kind: Literal["municipality", "grid_area"]
    """Whether it is a municipality or a grid area."""
    parent_id: UUID | None = None
    """The region that it lies in; null for none."""
    version: Count
    """How often the region was changed so far; a higher one replaces a lower one."""


class CalendarPublished(Event):
    """A new version of a calendar: the newest one is what drafts of tariffs take from now on.

    Tariff versions hold the calendar that they were published with, so that this event changes none
    of them.
    """

    TOPIC: ClassVar[str] = "calendar.published.v1"
    KEY: ClassVar[str] = "calendar_id"

    calendar_id: UUID
    """The calendar."""
    number: Annotated[Count, Field(ge=1)]
    """The number of its version, counted from 1."""
    code: Code
    """What programs call the calendar."""
    name: Text
    """What people call the calendar."""
    document: Document
    """The calendar's JSON form: seasons, day types and holidays."""
    published_at: Instant
    """When the version was published, in UTC."""
    version_id: UUID | None = None
    """The id of the version itself; null in messages of before it was published."""


class PricesPublished(Event):
    """All prices of a series on one local day, as they are now; a correction has a new version.

    `prices` holds one for each interval of `minutes` from local midnight to local midnight in
    `zone`, so a day has 23 to 25 hours of them; null where none is known. They are in `currency`
    per `unit`, and may be negative.
    """

    TOPIC: ClassVar[str] = "prices.published.v1"
    KEY: ClassVar[str] = "series_id:day"

    series_id: UUID
    """The series."""
    code: Code
    """What tariffs and programs call the series."""
    currency: Currency
    """The currency of the prices."""
    unit: Literal["kWh"] = "kWh"
    """What a price is for: 1 kWh."""
    zone: Zone
    """The time zone that cuts the series into days."""
    day: Day
    """The local date, in `zone`."""
    minutes: Literal[5, 10, 15, 30, 60]
    """The length of an interval in minutes."""
    version: Annotated[Count, Field(ge=1)]
    """How often the day's prices changed so far; a higher one replaces a lower one."""
    prices: Annotated[list[Amount | None], Field(min_length=1, max_length=PRICES_PER_DAY_MAX)]
    """The price of each interval in `currency` per kWh, in order; null where none is known."""
    published_at: Instant
    """When the prices became so, in UTC."""
    name: Text | None = None
    """What people call the series; null in messages of before it was published."""

    def key(self) -> str:
        """A day's prices keep their order among themselves."""
        return f"{self.series_id}:{self.day}"
