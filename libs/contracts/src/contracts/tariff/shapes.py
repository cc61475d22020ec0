"""What charges are described with: names, numbers as texts, calendars, bands and windows.

Owns what a text must look like; refuses unknown fields everywhere.
"""

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$")]
Rate = Annotated[str, Field(pattern=r"^-?[0-9]{1,9}(\.[0-9]{1,8})?$")]
"""Money per unit of the charge; a negative one pays the customer."""
TaxRate = Annotated[str, Field(pattern=r"^(0(\.[0-9]{1,8})?|1(\.0{1,8})?)$")]
"""A share: 0.19 is 19 %."""
LocalTime = Annotated[str, Field(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$")]
MonthDay = Annotated[str, Field(pattern=r"^[0-1][0-9]-[0-3][0-9]$")]
Month = Annotated[int, Field(ge=1, le=12)]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Proration = Literal["actual_days", "thirty_days", "year_over_twelve", "none"]
"""What one day of a monthly charge costs: a day of its own month, 1/30 of a month, or 12/365 of
one; `none` charges the whole month on its first billed day."""
YearProration = Literal["actual_days", "thirty_days", "year_over_twelve", "twelfths", "none"]
"""Of a charge per year a day costs one of the year's own days, 1/360 or 1/365, or with `twelfths` a
day of a month that costs a twelfth; `none` is for months alone."""
Limit = Annotated[str, Field(pattern=r"^[0-9]{1,9}(\.[0-9]{1,8})?$")]
Kilowatts = Annotated[str, Field(pattern=r"^[0-9]{1,6}(\.[0-9]{1,3})?$")]


class DocumentModel(BaseModel):
    """A piece of a document: nothing in it may be misunderstood."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Rounding(DocumentModel):
    """Each line rounds for itself, or only the invoice's total does.

    To as many `decimals` as the currency's smallest unit has by ISO 4217, unless it names others.
    """

    mode: Literal["half_even", "half_up", "down", "up"] = "half_even"
    decimals: Annotated[int, Field(ge=0, le=8)] | None = None
    per: Literal["line", "invoice"] = "line"


class Season(DocumentModel):
    """Starts on `start` (MM-DD) of every year and lasts until the next season starts."""

    name: Name
    start: MonthDay


class DayType(DocumentModel):
    """Days by weekday; a holiday counts by its weekday, or is always included or excluded."""

    name: Name
    weekdays: list[Weekday]
    holidays: Literal["by_weekday", "included", "excluded"] = "by_weekday"


class Holidays(DocumentModel):
    """Public holidays of a country or subdivision (ISO 3166), and own dates."""

    country: str | None = None
    subdivision: str | None = None
    observed: bool = True
    dates: Annotated[list[date], Field(max_length=1000)] = []


class Calendar(DocumentModel):
    """How the tariff tells local days apart."""

    seasons: Annotated[list[Season], Field(max_length=12)] = []
    day_types: Annotated[list[DayType], Field(max_length=24)] = []
    holidays: Holidays | None = None


class Charge(DocumentModel):
    """What every component carries: `id` reappears on each of its bill lines."""

    id: Name
    payee: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    tax_class: Name | None = None


class Band(DocumentModel):
    """A name on the bill and its rate per kWh."""

    name: Name
    rate: Rate


class Window(DocumentModel):
    """`band` is on from `from_time` to `to_time`, also across midnight, on the named days.

    No season or day type named means all of them. The early hours of a window that crosses
    midnight belong to the day on which they lie.
    """

    band: Name
    from_time: LocalTime
    to_time: LocalTime
    seasons: list[Name] = []
    day_types: list[Name] = []
