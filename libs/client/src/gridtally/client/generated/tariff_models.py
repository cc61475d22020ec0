"""What tariff takes and answers. Generated from docs/openapi/tariff.json by `make docs`."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, ConfigDict, Field, StringConstraints

from gridtally.client.model import Model


class Band(Model):
    """A name on the bill and a rate per kWh."""

    model_config = ConfigDict(
        extra="forbid",
    )
    name: str
    """What windows and bill lines call it."""

    rate: Decimal
    """Money per kWh."""


class BandWorth(Model):
    """What the units of a band are worth when the bank is emptied."""

    model_config = ConfigDict(
        extra="forbid",
    )
    band: str
    """The band in which they were earned."""

    rate: Decimal
    """Money per kWh."""


class Calendar(Model):
    """Seasons, day types and holidays that many tariffs share."""

    version: int
    """Version of the resource, from 1; its ETag"""

    created_at: AwareDatetime
    """When it was recorded, UTC"""

    updated_at: AwareDatetime
    """When it was last changed, UTC"""

    id: UUID
    """The calendar's id."""

    code: str
    """A short name for programs, unique among the tenant's calendars."""

    name: str
    """What people call it."""


class CalendarChange(Model):
    """What is to be different; what is left out stays."""

    model_config = ConfigDict(
        extra="forbid",
    )
    code: str | None = None
    """A short name for programs, unique among the tenant's calendars."""

    name: str | None = None
    """What people call it."""


class CalendarDay(Model):
    """What kind of day a local date is; a holiday that the document itself dates has no name."""

    day: date
    """The local date."""

    weekday: Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"] | str
    """Its day of the week."""

    season: str | None
    """The season that it lies in; null where the calendar has none."""

    day_types: list[str]
    """The day types that it is of."""

    holiday: bool
    """Whether it is a holiday."""

    holiday_name: str | None
    """What the holiday is called; null where it is none, or has no name."""


class CalendarDays(Model):
    """The days of a period, by the calendar's version of that number."""

    number: int
    """The number of the calendar's version that they are read by."""

    days: list[CalendarDay]
    """The days, in order."""


class CapacityCharge(Model):
    """
    So much per kW of connected (sanctioned) load.

    A load that changes within the billed period counts on each day as it is on that day.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    kind: Literal["capacity"]
    """Which of the kinds it is."""

    id: str
    """Stands on each of the component's bill lines, and is its own within the tariff version."""

    payee: str | None = None
    """Who the money is for, where that is not the seller; it stands on the bill lines."""

    tax_class: str | None = None
    """A name by which taxes find the components that they are levied on."""

    rate: Decimal
    """Money per kW and day, month or year."""

    per: Literal["day", "month", "year"] = "month"
    """What the rate is for, besides a kW."""

    proration: Literal["actual_days", "thirty_days", "year_over_twelve", "twelfths", "none"] = (
        "actual_days"
    )
    """What a day costs of a rate per month or year; see the fixed charge."""


class CarryForward(Model):
    """Units go to a bank of kWh and pay for units of later bills, oldest first."""

    model_config = ConfigDict(
        extra="forbid",
    )
    kind: Literal["carry_forward"]
    """Which of the kinds it is."""

    expires_after_months: int | None = None
    """Units are lost to bills that begin so many months or more after the end of the period in which they were earned; null where they never expire."""

    true_up_month: int | None = None
    """The bill that reaches the first day of this month empties the bank; null for never."""

    true_up_rate: Decimal | None = None
    """Money per kWh that the emptied bank is paid out at; null where its units are lost."""

    true_up_rates: Annotated[list[BandWorth], Field(validate_default=True)] = []
    """In its place, what a kWh of each band is paid out at; all of the bands, each once."""

    max_kwh: Decimal | None = None
    """The most kWh that a bill carries forward to the next, with what it was handed itself; what was earned last is above it. Null for any number."""

    max_kwh_per_month: Decimal | None = None
    """The most kWh that a bill adds to the bank, for each month that it is for; a part of a month counts by its days, to the Wh below. Null for any number."""

    excess_rate: Decimal | None = None
    """Money per kWh above these that is paid out at once; null where it is lost."""


class ChangedDay(Model):
    """A day that an upload changed, and the version that it is at since."""

    day: date
    """The local date."""

    version: int
    """The version of the day's prices, from 1."""


class ComparedRow(Model):
    """What one tariff would charge; `difference` is to the cheapest one."""

    model_config = ConfigDict(
        extra="allow",
    )
    name: str
    """What the tariff is called in the request."""

    totals_exact: dict[str, str]
    """The totals by kind of line before rounding, in the currency."""

    totals: dict[str, str]
    """The rounded totals by kind of line, in the currency."""

    difference: Decimal
    """How much more it charges than the cheapest one, in the currency."""


class Comparison(Model):
    """What each tariff would charge, the cheapest first."""

    model_config = ConfigDict(
        extra="allow",
    )
    currency: str
    """The currency of all amounts (ISO 4217)."""

    start: date
    """The first local date that is rated."""

    end: date
    """The local date after the last that is rated."""

    tariffs: list[ComparedRow]
    """The tariffs, the cheapest first."""


class Dates(Model):
    """Local days from `from` up to, but without, `to`."""

    model_config = ConfigDict(
        extra="forbid",
    )
    from_: Annotated[date, Field(alias="from")]
    """The first local date."""

    to: date
    """The local date after the last."""


class DayOfPrices(Model):
    """The prices of a local day, one for each of its intervals; null leaves what is known."""

    model_config = ConfigDict(
        extra="forbid",
    )
    day: date
    """The local date."""

    prices: list[Decimal | None]
    """The price of each interval in the series' currency per kWh, in order; null leaves it."""


class DayType(Model):
    """Days that are alike by their weekday, by whether they are holidays, or by their dates."""

    model_config = ConfigDict(
        extra="forbid",
    )
    name: str
    """What windows call it."""

    weekdays: list[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]] = []
    """The weekdays of this type."""

    holidays: Literal["by_weekday", "included", "excluded"] = "by_weekday"
    """Whether a holiday counts by its weekday, or is always or never of this type."""

    dates: list[date] | None = None
    """Dates of this type, such as the red days of the year or those of critical peaks; an empty list where none is known yet, null for a type that is not by dates. A date that a day type names is of no other type, unless that one names it too."""


class DemandWeight(Model):
    """What power counts for in some windows, where all of it has one rate: at night half."""

    model_config = ConfigDict(
        extra="forbid",
    )
    name: str
    """What windows call it."""

    weight: Decimal
    """What power is multiplied by before peaks are compared: 0.5 counts half; above 0."""


class FixedCharge(Model):
    """So much per local day, calendar month or year, or billed period, whatever is used."""

    model_config = ConfigDict(
        extra="forbid",
    )
    kind: Literal["fixed"]
    """Which of the kinds it is."""

    id: str
    """Stands on each of the component's bill lines, and is its own within the tariff version."""

    payee: str | None = None
    """Who the money is for, where that is not the seller; it stands on the bill lines."""

    tax_class: str | None = None
    """A name by which taxes find the components that they are levied on."""

    from_on: date | None = None
    """The first local day on which it is in force; null for no first."""

    to_on: date | None = None
    """The local day from which it is no longer in force; null for no last."""

    rate: Decimal
    """Money per day, month, year or period."""

    per: Literal["day", "month", "period", "year"]
    """What the rate is for."""

    proration: Literal["actual_days", "thirty_days", "year_over_twelve", "twelfths", "none"] = (
        "actual_days"
    )
    """What a day costs of a rate per month or year. `actual_days`: one of the month's or year's own days; `thirty_days`: 1/30 of a month, 1/360 of a year; `year_over_twelve`: 12/365 of a month, 1/365 of a year; `twelfths`: of a year, a day of a month that costs a twelfth; `none`: a month costs all on its first billed day."""


class Forfeit(Model):
    """What is left over is worth nothing."""

    model_config = ConfigDict(
        extra="forbid",
    )
    kind: Literal["none"]
    """Which of the kinds it is."""


class Gap(Model):
    """Consecutive intervals without a price, up to, but without, `end_at`."""

    start_at: AwareDatetime
    """When the first interval without a price starts, in UTC."""

    end_at: AwareDatetime
    """When the last of them ends, in UTC."""

    intervals: int
    """How many intervals have no price."""


class Holidays(Model):
    """Public holidays of a country or of its subdivision, and the tariff's own dates."""

    model_config = ConfigDict(
        extra="forbid",
    )
    country: str | None = None
    """Its code by ISO 3166-1, `DE`; null for own dates alone."""

    subdivision: str | None = None
    """The subdivision's code by ISO 3166-2 without the country, `BE`."""

    observed: bool = True
    """Whether the days count too on which a holiday that falls on a weekend is observed."""

    dates: list[date] = []
    """Further holidays of the tariff's own."""

    categories: list[str] = ["public"]
    """Which of the country's holidays: `public`, and where it has such `bank`, `government`, `school`, `optional`, `half_day` and others, as the package `holidays` names them."""


class Identity(Model):
    """The key that a request shows, as this service knows it."""

    tenant_id: str
    """The tenant that it belongs to"""

    key_id: str
    """The middle part of the API key `gt_<id>_<secret>`"""

    scopes: list[str]
    """What the key may do: `<service>:read` or `<service>:write`"""

    customer_id: UUID | None
    """The customer whose rows alone this request sees; null for all rows"""


class ImportNote(Model):
    """What became of a field of the portal's document."""

    kind: Literal["convention", "not_imported", "not_understood", "descriptive"] | str
    """
    `convention`: how it was read, where the document leaves it open; `not_imported` and
    `not_understood`: what may cost money and is not charged; `descriptive`: what charges
    nothing.
    """

    path: str
    """Where it stands in the portal's document, as a JSON pointer."""

    detail: str
    """What became of it, for people."""


class InlinePrices(Model):
    """Prices per kWh from `start_at` on, one for every `minutes`; null where there is none."""

    model_config = ConfigDict(
        extra="forbid",
    )
    currency: str
    """The currency of the prices (ISO 4217)."""

    start_at: AwareDatetime
    """When the first interval starts, in UTC."""

    minutes: Literal[5, 10, 15, 30, 60]
    """The length of every interval, in minutes."""

    prices: list[Decimal | None]
    """The price of each interval in `currency` per kWh, in order; null where there is none."""


class Intervals(Model):
    """
    One meter's consecutive intervals, as many in every flow; null where there is no value.

    `start` is an instant, or, without an offset, a local time of the meter's zone. `load` with or
    without `generation` makes import and export, interval by interval.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    start: str
    """When the first interval starts: an instant, or a local time of the meter's zone."""

    minutes: Literal[5, 10, 15, 30, 60]
    """The length of every interval, in minutes."""

    values: dict[
        Literal["import", "export", "load", "generation", "reactive_import", "reactive_export"],
        list[str | None],
    ]
    """The energy of each interval in kWh, in order, by flow; null where there is no value."""


class Key(Model):
    """A key as answers have it: without its hash."""

    tenant_id: str
    """The tenant that it belongs to"""

    key_id: str
    """The middle part of the API key `gt_<id>_<secret>`"""

    scopes: list[str]
    """What the key may do: `<service>:read` or `<service>:write`"""

    name: str
    """Name, for people"""

    customer_id: UUID | None
    """The customer whose rows alone the key sees; null for all rows"""

    created_at: AwareDatetime
    """When it was recorded, UTC"""

    revoked_at: AwareDatetime | None
    """When the key was revoked, UTC; null while it works"""


class MinimumBill(Model):
    """
    Tops up what the components that it counts lack to an amount, prorated.

    It counts unrounded amounts. Per year it counts them on all bills since it was last topped up,
    or since the first one; the bill that reaches the first day of `true_up_month` tops up what
    they lack for these days.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    kind: Literal["minimum_bill"]
    """Which of the kinds it is."""

    id: str
    """Stands on each of the component's bill lines, and is its own within the tariff version."""

    payee: str | None = None
    """Who the money is for, where that is not the seller; it stands on the bill lines."""

    tax_class: str | None = None
    """A name by which taxes find the components that they are levied on."""

    amount: Decimal
    """Money per day, month or year."""

    per: Literal["day", "month", "year"] = "month"
    """What the amount is for."""

    proration: Literal["actual_days", "thirty_days", "year_over_twelve", "twelfths", "none"] = (
        "actual_days"
    )
    """What a day costs of an amount per month or year; see the fixed charge."""

    true_up_month: int | None = None
    """Of an amount per year, and no other: the month (1 is January) on whose first day it ends."""

    component_ids: list[str] = []
    """The components it counts; all before it where neither these nor kinds are named."""

    kinds: list[
        Literal["fixed", "energy", "demand", "adjustment", "credit", "tax", "minimum_top_up"]
    ] = []
    """The kinds of lines it counts."""

    after_tax: bool = False
    """Whether it comes after the taxes, and may count them; it is not taxed then."""


class NamedSeries(Model):
    """A stored price series, as known now or at an instant."""

    model_config = ConfigDict(
        extra="forbid",
    )
    series_id: UUID
    """The stored price series."""

    as_of: AwareDatetime | None = None
    """The instant as known at which it is read, in UTC; null for now."""


class NetBand(Model):
    """A name on the bill, and what a kWh imported and one exported are worth in the band."""

    model_config = ConfigDict(
        extra="forbid",
    )
    name: str
    """What windows and bill lines call it."""

    import_rate: Decimal
    """Money per kWh imported."""

    export_rate: Decimal | None = None
    """Money credited per kWh exported; null where the surplus is worth nothing."""


class NetTierLimits(Model):
    """
    What a tier's limit in kWh is for, where energy is netted over a version's days.

    Each version nets, and counts, its own days.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    per: Literal["month", "day", "period"] = "month"
    """What a limit of so many kWh is for: a month (prorated), a day, or the billed period."""

    proration: Literal["actual_days", "thirty_days", "year_over_twelve", "none"] = "actual_days"
    """How much of a month's limit falls on some days of the month."""

    kw: Decimal | None = None
    """Times what kW: of the peak of the days or of the connected load. Where a tier has a `limit_per_kw`, only these are, and other limits are in kWh."""

    peak_minutes: Literal[5, 10, 15, 30, 60] | None = None
    """The length in minutes of the blocks over which that peak is measured."""

    from_coarser: Literal["refused", "mean"] = "refused"
    """Whether intervals longer than `peak_minutes` are refused, or give their own mean."""

    on_season_change: Literal["by_days", "most_days", "each_in_full"] = "by_days"
    """Where seasons with other bands meet within these days: each has limits for its days (`by_days`); all is netted and priced as in the season that most of the days lie in (`most_days`); or each season has the limits of all days (`each_in_full`)."""


class NewCalendar(Model):
    """A calendar; what it says is in its versions."""

    model_config = ConfigDict(
        extra="forbid",
    )
    id: UUID | None = None
    """The calendar's id; made by the service unless the caller names one."""

    code: str
    """A short name for programs, unique among the tenant's calendars."""

    name: str
    """What people call it."""


class NewKey(Model):
    """A key to register."""

    model_config = ConfigDict(
        extra="forbid",
    )
    tenant_id: str
    """The tenant that it belongs to"""

    key_id: str
    """The middle part of the API key `gt_<id>_<secret>`"""

    secret_sha256: str
    """SHA-256 of the key's secret, in hexadecimal"""

    scopes: list[str]
    """What the key may do: `<service>:read` or `<service>:write`"""

    name: str
    """Name, for people"""

    customer_id: UUID | None = None
    """The customer whose rows alone the key sees; null for all rows"""


class NewPortalTariff(Model):
    """A tariff as a customer portal stores it, and when the version that it becomes is in force."""

    model_config = ConfigDict(
        extra="forbid",
    )
    id: UUID | None = None
    """The version's id; made by the service unless the caller names one."""

    effective_from: date
    """The first local date on which it is in force."""

    effective_to: date | None = None
    """The local date from which it is no longer in force; null for no end."""

    note: str | None = None
    """What is new in it, for people."""

    portal_tariff: dict[str, Any]
    """
    The portal's document: `time_bands` with `days` and `times`, and `components` with an `id`
    and a `rate_schedule` of one `value` in cents.
    """

    incomplete: bool = False
    """Whether it is also imported without charges that cannot be, which `notes` then name."""


class NewPriceSeries(Model):
    """
    A series of prices in `currency` per kWh, one for every `minutes`, on the clock of `zone`.
    Tariffs name it by its code. All but the name stays.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    id: UUID | None = None
    """The series' id; made by the service unless the caller names one."""

    code: str
    """The name by which tariffs refer to it, unique among the tenant's series."""

    name: str
    """What people call it."""

    currency: str
    """The currency of its prices (ISO 4217)."""

    zone: str
    """The IANA time zone that cuts it into local days."""

    minutes: Literal[5, 10, 15, 30, 60]
    """The length of every interval, in minutes."""


class NewRegion(Model):
    """A municipality or grid area."""

    model_config = ConfigDict(
        extra="forbid",
    )
    id: UUID | None = None
    """The region's id; made by the service unless the caller names one."""

    code: str
    """A short name for programs, unique among the tenant's regions."""

    name: str
    """What people call it."""

    zone: str
    """Its IANA time zone."""

    kind: Literal["municipality", "grid_area"] = "municipality"
    """Whether it is a municipality or a grid area."""

    parent_id: UUID | None = None
    """The region that it lies in; null for none."""


class NewTariff(Model):
    """A tariff. Its code, currency and zone stay; every version has its currency and zone."""

    model_config = ConfigDict(
        extra="forbid",
    )
    id: UUID | None = None
    """The tariff's id; made by the service unless the caller names one."""

    code: str
    """A short name for programs, unique among the tenant's tariffs."""

    name: str
    """What people call it."""

    currency: str
    """The currency of all its versions (ISO 4217)."""

    zone: str
    """The IANA time zone on whose clock its versions read windows."""

    region_id: UUID | None = None
    """The region in which it is offered; null where it is bound to none."""


class Offset(Model):
    """
    The worth of what is left over pays other charges, and no more than they come to.

    What it cannot pay is lost, or carried forward to later bills.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    kind: Literal["offset"]
    """Which of the kinds it is."""

    unused: Literal["lost", "carry_forward"]
    """What becomes of credit that finds no charge on this bill."""

    component_ids: list[str] = []
    """The components whose charges it pays; all before it where neither these nor kinds are."""

    kinds: list[
        Literal["fixed", "energy", "demand", "adjustment", "credit", "tax", "minimum_top_up"]
    ] = []
    """The kinds of lines that it pays."""

    from_bill: Literal["this", "next"] = "this"
    """Whether it pays from this bill on, or only later ones."""

    true_up_month: int | None = None
    """The bill that reaches the first day of this month empties the credit; null for never."""

    true_up: Literal["lost", "payout"] = "lost"
    """What becomes of the credit that is left then."""

    max_amount: Decimal | None = None
    """The most money that a bill carries forward to the next, with what it was handed itself; null for any amount. A `true_up` settles all that is left."""

    max_amount_per_month: Decimal | None = None
    """The most money that a bill adds to what is carried forward, for each month that it is for; a part of a month counts by its days. Null for any amount."""

    excess: Literal["lost", "payout"] = "lost"
    """What becomes of the credit above these."""

    after_tax: bool = False
    """Whether it comes after the taxes, and may pay them too."""

    taxed: bool = False
    """Whether the credit lessens the amounts that the taxes on its component are taken of."""


class PageOfCalendar(Model):
    items: list[Calendar]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""


class PageOfGap(Model):
    items: list[Gap]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""


class PageOfKey(Model):
    items: list[Key]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""


class Payout(Model):
    """What is left over is paid at once, also where the bill falls below zero."""

    model_config = ConfigDict(
        extra="forbid",
    )
    kind: Literal["payout"]
    """Which of the kinds it is."""

    after_tax: bool = False
    """Whether the credit comes after the taxes, which then do not count it."""

    taxed: bool = False
    """Whether the credit lessens the amounts that the taxes on its component are taken of."""


class PeakSet(Model):
    """
    The system's peaks whose mean kW is charged on some days: last summer's five, all of next
    year; or a month's only peak, on the days of that month. Without peaks the days are free.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    name: str
    """What the bill's line calls it: a year, a month."""

    at: list[str]
    """The peaks; each counts with the window of `minutes` that it lies in, or that it begins. None where nothing is charged on the days."""

    from_on: date
    """The first local day on which they are charged."""

    to_on: date
    """The local day from which they are no longer charged."""


class Percent(Model):
    """
    A percentage of the unrounded amounts of earlier components; -0.05 is a discount of 5 %.

    Taxes come later and are never in it.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    kind: Literal["percent"]
    """Which of the kinds it is."""

    id: str
    """Stands on each of the component's bill lines, and is its own within the tariff version."""

    payee: str | None = None
    """Who the money is for, where that is not the seller; it stands on the bill lines."""

    tax_class: str | None = None
    """A name by which taxes find the components that they are levied on."""

    from_on: date | None = None
    """The first local day on which it is in force; null for no first."""

    to_on: date | None = None
    """The local day from which it is no longer in force; null for no last."""

    rate: Decimal
    """The fraction: 0.05 is 5 %, at most 10 in either direction."""

    component_ids: list[str] = []
    """The components it is taken of; all before it where neither these nor kinds are named."""

    kinds: list[
        Literal["fixed", "energy", "demand", "adjustment", "credit", "tax", "minimum_top_up"]
    ] = []
    """The kinds of lines it is taken of."""

    at_least: Decimal | None = None
    """Money per day or month (`per`) that it comes to at least, without its sign."""

    at_most: Decimal | None = None
    """Money per day or month (`per`) that it comes to at most, without its sign."""

    per: Literal["day", "month"] = "month"
    """What these limits are for."""

    proration: Literal["actual_days", "thirty_days", "year_over_twelve", "none"] = "actual_days"
    """How much of a month's limits falls on some days of the month."""


class PowerFactorRow(Model):
    """What meters pay whose power factor is at least a number, and below that of the row before."""

    model_config = ConfigDict(
        extra="forbid",
    )
    at_least: Decimal
    """The least power factor of the row, from 0 to 1."""

    rate: Decimal
    """The fraction of the components' amounts: 0.05 is 5 % more, -0.01 is 1 % off."""


class Price(Model):
    """
    The price of the interval that starts at `start`: an ISO 8601 instant, or, without an offset,
    a local time of the series. Of an hour that the clock repeats, the first is meant first.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    start: str
    """When its interval starts: an instant, or a local time of the series."""

    price: Decimal
    """The price in the series' currency per kWh; a negative one pays the customer."""


class PriceDay(Model):
    """
    The prices of a local day, one for each of its intervals from `start_at` on; null where
    none is known. They are per kWh.
    """

    day: date
    """The local date."""

    start_at: AwareDatetime
    """When the first interval starts, in UTC."""

    minutes: int
    """The length of every interval, in minutes."""

    currency: str
    """The currency of the prices (ISO 4217)."""

    version: int
    """The version of the day's prices, from 1."""

    prices: list[str | None]
    """The price of each interval in `currency` per kWh, in order; null where none is known."""

    recorded_at: AwareDatetime
    """When this version was recorded, in UTC."""

    key_id: str
    """The API key that it was uploaded with."""


class PriceSeries(Model):
    """A series of prices in `currency` per kWh."""

    version: int
    """Version of the resource, from 1; its ETag"""

    created_at: AwareDatetime
    """When it was recorded, UTC"""

    updated_at: AwareDatetime
    """When it was last changed, UTC"""

    id: UUID
    """The series' id."""

    code: str
    """The name by which tariffs refer to it, unique among the tenant's series."""

    name: str
    """What people call it."""

    currency: str
    """The currency of its prices (ISO 4217)."""

    zone: str
    """The IANA time zone that cuts it into local days."""

    minutes: Literal[5, 10, 15, 30, 60]
    """The length of every interval, in minutes."""


class PriceSeriesChange(Model):
    """What is to be different; what is left out stays."""

    model_config = ConfigDict(
        extra="forbid",
    )
    name: str | None = None
    """What people call it."""


class PriceUpload(Model):
    """Prices, by their instant or by whole days."""

    model_config = ConfigDict(
        extra="forbid",
    )
    items: Annotated[list[Price], Field(validate_default=True)] = []
    """Prices of single intervals."""

    days: Annotated[list[DayOfPrices], Field(validate_default=True)] = []
    """Prices of whole local days."""


class PriceUploadResult(Model):
    """What an upload did: how many of its prices were what, and the days that changed."""

    new: int
    """How many prices were not known before."""

    corrected: int
    """How many prices replaced another one."""

    unchanged: int
    """How many prices were known already."""

    days: list[ChangedDay]
    """The days that changed."""

    recorded_at: AwareDatetime
    """When the upload was recorded, in UTC."""


class ProblemError(Model):
    """One thing that is wrong with a request: where, and what is expected there."""

    detail: str
    """What is expected."""

    pointer: str | None = None
    """Where in the body: a JSON pointer in a URI fragment, `#/components/3/rate`."""

    parameter: str | None = None
    """Where outside the body: `query/limit`, `path/meter_id` or `header/If-Match`."""


class QuantityRounding(Model):
    """The energy of each interval is rounded to a multiple of a step before it is priced."""

    model_config = ConfigDict(
        extra="forbid",
    )
    step_kwh: Decimal
    """The step in kWh, such as 0.01: 1, 2 or 5 times a power of ten."""

    mode: Literal["half_even", "half_up", "down", "up"] = "half_even"
    """To the nearest multiple, of two as near the even one or that away from 0; to 0; from 0."""

    minutes: Literal[5, 10, 15, 30, 60] | None = None
    """The length of the intervals that are rounded; usage in others is refused. Null for those of the usage, whatever they are."""


class QuotedLine(Model):
    """One charge."""

    model_config = ConfigDict(
        extra="allow",
    )
    component_id: str
    """The component that charges this."""

    kind: str
    """What sort of charge it is."""

    band: str | None
    """The band whose energy or demand it is for; null for all."""

    start: date
    """The first local date that it is for: a season, tax or version may begin in the period."""

    end: date
    """The local date after the last that it is for."""

    quantity: Decimal
    """How much is charged, in `unit`."""

    unit: str
    """The unit of the quantity, such as kWh, kW or month."""

    quantity_rounding: QuantityRounding | None
    """How each interval's kWh are rounded before they are added up; null for not at all."""

    rate: Decimal
    """The price of one `unit`, in the quote's currency."""

    payee: str | None
    """Who receives the money, where it is not the supplier."""

    amount_exact: Decimal
    """Quantity × rate before rounding, in the quote's currency."""

    amount: Decimal
    """The rounded amount, in the quote's currency."""


class QuotedPeriod(Model):
    """The bill of a period; `state` is what it carries forward to the next one."""

    model_config = ConfigDict(
        extra="allow",
    )
    start: date
    """The period's first local date."""

    end: date
    """The local date after the period's last."""

    lines: list[QuotedLine]
    """The charges and credits."""

    totals_exact: dict[str, str]
    """The totals by kind of line before rounding, in the quote's currency."""

    totals: dict[str, str]
    """The rounded totals by kind of line, in the quote's currency."""

    payees: dict[str, str]
    """
    What is for each payee that components name, in the quote's currency; the rest is the
    supplier's.
    """

    peak_kw: Decimal | None
    """The highest mean import of an interval, in kW; null where there is none."""

    state: dict[str, Any]
    """What the next period's quote needs of this one, by component."""


class Region(Model):
    """A municipality or grid area; a region may lie within another one, its parent."""

    version: int
    """Version of the resource, from 1; its ETag"""

    created_at: AwareDatetime
    """When it was recorded, UTC"""

    updated_at: AwareDatetime
    """When it was last changed, UTC"""

    id: UUID
    """The region's id."""

    code: str
    """A short name for programs, unique among the tenant's regions."""

    name: str
    """What people call it."""

    zone: str
    """Its IANA time zone."""

    kind: Literal["municipality", "grid_area"] | str
    """Whether it is a municipality or a grid area."""

    parent_id: UUID | None
    """The region that it lies in; null for none."""


class RegionChange(Model):
    """What is to be different; what is left out stays."""

    model_config = ConfigDict(
        extra="forbid",
    )
    code: str | None = None
    """A short name for programs, unique among the tenant's regions."""

    name: str | None = None
    """What people call it."""

    zone: str | None = None
    """Its IANA time zone."""

    kind: Literal["municipality", "grid_area"] | None = None
    """Whether it is a municipality or a grid area."""

    parent_id: UUID | None = None
    """The region that it lies in; null for none."""


class Rounding(Model):
    """How amounts are rounded: each line for itself, or only the invoice's total."""

    model_config = ConfigDict(
        extra="forbid",
    )
    mode: Literal["half_even", "half_up", "down", "up"] = "half_even"
    """To the nearest, ties to the even digit or away from 0; to 0; from 0."""

    decimals: int | None = None
    """Decimals that stay; null for those of the currency by ISO 4217."""

    per: Literal["line", "invoice"] = "line"
    """What is rounded: each line, or the invoice's total in a line more."""


class Season(Model):
    """A part of the year, from its start until the next season starts."""

    model_config = ConfigDict(
        extra="forbid",
    )
    name: str
    """What windows call it."""

    start: str
    """Its first day of every year."""


class SpotPrice(Model):
    """
    Energy of a flow at the price of each interval in a series, and a mark-up in its own line.

    A price is settled, then held within `floor` and `cap`, then times `multiplier`.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    kind: Literal["spot"]
    """Which of the kinds it is."""

    id: str
    """Stands on each of the component's bill lines, and is its own within the tariff version."""

    payee: str | None = None
    """Who the money is for, where that is not the seller; it stands on the bill lines."""

    tax_class: str | None = None
    """A name by which taxes find the components that they are levied on."""

    series: str
    """The code of the price series; its prices are per kWh, in the tariff's currency."""

    flow: Literal["import", "export", "load", "generation"] = "import"
    """Whose kWh are counted."""

    quantity_rounding: QuantityRounding | None = None
    """How each interval's kWh are rounded before they are priced; null for not at all."""

    direction: Literal["charge", "credit"] = "charge"
    """Whether the price is charged or paid to the customer; the mark-up is charged even so."""

    settlement: Literal["interval", "mean_price", "mean_energy"] = "interval"
    """`interval` prices every metered interval by itself, which must not be longer than the prices' are. The others settle windows on the tariff's clock: `mean_price` at the mean of the window's prices, `mean_energy` as if the window's energy had flowed evenly. They differ by what `floor` and `cap` bound: the mean, or each published price."""

    settle_minutes: Literal[15, 30, 60] | None = None
    """The length in minutes of these windows; null for `interval`."""

    floor: Decimal | None = None
    """The least price, money per kWh; null for none."""

    cap: Decimal | None = None
    """The highest price, money per kWh; null for none."""

    multiplier: Decimal = Decimal("1")
    """A factor above 0, up to 100, such as 1.05 for losses."""

    markup: Decimal = Decimal("0")
    """Money per kWh on top of the price, in a line of its own; 0 for no such line."""


class Tariff(Model):
    """What customers sign up for."""

    version: int
    """Version of the resource, from 1; its ETag"""

    created_at: AwareDatetime
    """When it was recorded, UTC"""

    updated_at: AwareDatetime
    """When it was last changed, UTC"""

    id: UUID
    """The tariff's id."""

    code: str
    """A short name for programs, unique among the tenant's tariffs."""

    name: str
    """What people call it."""

    currency: str
    """The currency of all its versions (ISO 4217)."""

    zone: str
    """The IANA time zone on whose clock its versions read windows."""

    region_id: UUID | None
    """The region in which it is offered; null where it is bound to none."""


class TariffChange(Model):
    """
    What is to be different; what is left out stays. Versions that were published before keep
    the name and region that they were published with.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    name: str | None = None
    """What people call it."""

    region_id: UUID | None = None
    """The region in which it is offered; null where it is bound to none."""


class TariffVersionChange(Model):
    """What is to be different in a draft; what is left out stays."""

    model_config = ConfigDict(
        extra="forbid",
    )
    effective_from: date | None = None
    """The first local date on which it is in force."""

    effective_to: date | None = None
    """The local date from which it is no longer in force; null for no end."""

    note: str | None = None
    """What is new in it, for people."""


class Tax(Model):
    """
    A fraction of the named components, or of all components of a tax class.

    A tax before it is among them where it is named. A credit lessens it where that is `taxed`; one
    that only pays charges lessens what it is taken of to zero at the most, since a bill may be
    taxed on some of its days, or on some of its charges, and the credit stand beside them.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    kind: Literal["tax"]
    """Which of the kinds it is."""

    id: str
    """Stands on each of the component's bill lines, and is its own within the tariff version."""

    payee: str | None = None
    """Who the money is for, where that is not the seller; it stands on the bill lines."""

    tax_class: str | None = None
    """The tax class of the components that it is levied on, unless they are named themselves."""

    from_on: date | None = None
    """The first local day on which it is in force; null for no first."""

    to_on: date | None = None
    """The local day from which it is no longer in force; null for no last."""

    rate: Decimal
    """The fraction: 0.19 is 19 %."""

    component_ids: list[str] = []
    """The components that it is levied on, unless a tax class is named."""

    never_negative: bool = False
    """Whether nothing is taxed where what it is levied on is below zero, over all its days in the bill and the tariff version; else the customer is credited the tax of what is below zero."""


class Tier(Model):
    """A rate for what lies above the tier before, up to and with a limit."""

    model_config = ConfigDict(
        extra="forbid",
    )
    rate: Decimal
    """Money per unit: per kWh, or per kW of demand."""

    limit: Decimal | None = None
    """The highest quantity of the tier, counted from 0: in kWh, or kW; null in the last tier."""

    limit_per_kw: Decimal | None = None
    """Of energy, beside a limit in kWh or in its place: the highest kWh per kW of the tier, which ends at the lower of the two. The kW are those of the `limits`, whose `kw` is for this alone then."""


class TierLimits(Model):
    """
    What a tier's limit in kWh is for: a month, a day or the billed period, times kW if any.

    With `reset_months` energy is counted over several bills: each carries forward how much of the
    tiers is used, until the months are over.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    per: Literal["month", "day", "period"] = "month"
    """What a limit of so many kWh is for: a month (prorated), a day, or the billed period."""

    proration: Literal["actual_days", "thirty_days", "year_over_twelve", "none"] = "actual_days"
    """How much of a month's limit falls on some days of the month."""

    kw: Decimal | None = None
    """
    Times what kW: of the period's peak or of the connected load ("hours use of demand"). Where a tier has a `limit_per_kw`, only these are, and other limits are in kWh.
    """

    peak_minutes: Literal[5, 10, 15, 30, 60] | None = None
    """The length in minutes of the blocks over which that peak is measured."""

    from_coarser: Literal["refused", "mean"] = "refused"
    """Whether intervals longer than `peak_minutes` are refused, or give their own mean."""

    reset_months: Literal[1, 2, 3, 4, 6, 12] | None = None
    """So many calendar months a limit is for, after which counting starts again."""

    anchor_month: int = 1
    """A month of the year (1 is January) with which such a count begins."""

    reset_daily: bool = False
    """Whether counting starts again with each local day of the meter; without it a limit per day is for the days of the bill together."""

    on_version_change: Literal["keep", "reset"] = "keep"
    """Where a new version begins within a billed period: go on with the whole period's limits (`keep`), or count from 0 with limits for the version's own days (`reset`)."""

    on_season_change: Literal["by_days", "most_days", "each_in_full"] = "by_days"
    """Where seasons with other bands meet within the days that a limit is for: each is counted by itself, with limits for its days (`by_days`); all is charged as in the season that most of the days lie in (`most_days`); or each season has the limits of all days (`each_in_full`)."""


class Tiered(Model):
    """Each kWh at the rate of the tier in which it lies, or with `volume` all at the total's."""

    model_config = ConfigDict(
        extra="forbid",
    )
    kind: Literal["tiered"]
    """Which of the kinds it is."""

    id: str
    """Stands on each of the component's bill lines, and is its own within the tariff version."""

    payee: str | None = None
    """Who the money is for, where that is not the seller; it stands on the bill lines."""

    tax_class: str | None = None
    """A name by which taxes find the components that they are levied on."""

    tiers: list[Tier]
    """The tiers with rising limits, of which the last has none."""

    mode: Literal["graduated", "volume"] = "graduated"
    """Each tier's part at its own rate, or all at the rate of the tier that the total lies in."""

    limits: TierLimits | None = None
    flow: Literal["import", "export", "load", "generation", "net_import", "net_export"] = "import"
    """Whose kWh are counted; `net_import` is what is left of import after export is netted within each interval."""

    quantity_rounding: QuantityRounding | None = None
    """How each interval's kWh are rounded before they are counted; null for not at all."""


class TieredBand(Model):
    """A name on the bill, and the tiers of its rates."""

    model_config = ConfigDict(
        extra="forbid",
    )
    name: str
    """What windows and bill lines call it."""

    tiers: list[Tier]
    """Its tiers with rising limits, of which the last has none."""


class UsedCalendar(Model):
    """The calendar, and the number of its version, that a version was published with."""

    id: UUID
    """The calendar."""

    number: int
    """The number of its version."""


class Verdict(Model):
    """Whether a version could be published, and what is wrong where it could not."""

    valid: bool
    """Whether it could be published as it is."""

    errors: list[ProblemError]
    """What is wrong, once for each part of the document."""


class VersionQuoteRequest(Model):
    """A meter, and the state that its last bill left: `state` of a quote's last period."""

    model_config = ConfigDict(
        extra="forbid",
    )
    usage: Intervals
    zone: str | None = None
    """The meter's IANA time zone; null for the tariff's."""

    period: Literal["month"] | Dates | None = None
    """`month` for one bill a month, dates for one bill of these days; null for `month`."""

    connected_kw: Decimal | None = None
    """The connected load (sanctioned load) in kW; null where no charge needs it."""

    prices: (
        dict[
            Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$")],
            InlinePrices,
        ]
        | None
    ) = None
    """Prices in the request itself, by the code that a tariff has for them."""

    price_series: (
        dict[
            Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$")],
            NamedSeries,
        ]
        | None
    ) = None
    """Stored price series, by the code that a tariff has for them."""

    state: (
        dict[
            Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$")],
            Any,
        ]
        | None
    ) = None
    """What the last bill carries forward, by component."""


class VersionStep(Model):
    """A step in a version's life: when, and by which API key."""

    at: AwareDatetime
    """When it was taken, in UTC."""

    key_id: str
    """The API key that it was taken with."""


class Window(Model):
    """
    A band is in force from a local time to another, also across midnight, on the named days.

    The early hours of a window that crosses midnight belong to the day on which they lie: that of
    their date, or with the calendar's `day_begins` until then the one before.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    band: str
    """The name of the band."""

    from_time: str
    """When it begins, on the clock of the tariff's zone."""

    to_time: str
    """When it ends; 00:00 and 24:00 are midnight. A window that ends when it begins is a day, of 00:00 or of the calendar's `day_begins`."""

    seasons: list[str] = []
    """The calendar's seasons that it is for; all of them where none is named."""

    day_types: list[str] = []
    """The calendar's day types that it is for; all days where none is named."""


class Withdrawal(Model):
    """Why a version is out of force from a local date on."""

    from_on: date
    """The first local date on which it is not in force."""

    reason: str
    """Why it was withdrawn, for people."""


class WithdrawalRequest(Model):
    """Why a version is withdrawn, and from which local date on; from its beginning unless named."""

    model_config = ConfigDict(
        extra="forbid",
    )
    reason: str
    """Why it is withdrawn, for people."""

    from_on: date | None = None
    """The first local date on which it is not in force; null for its very first."""


class Adjustment(Model):
    """A fuel, levy or rebate amount on every kWh of a flow, beside the price of the energy."""

    model_config = ConfigDict(
        extra="forbid",
    )
    kind: Literal["adjustment"]
    """Which of the kinds it is."""

    id: str
    """Stands on each of the component's bill lines, and is its own within the tariff version."""

    payee: str | None = None
    """Who the money is for, where that is not the seller; it stands on the bill lines."""

    tax_class: str | None = None
    """A name by which taxes find the components that they are levied on."""

    from_on: date | None = None
    """The first local day on which it is in force; null for no first."""

    to_on: date | None = None
    """The local day from which it is no longer in force; null for no last."""

    rate: Decimal
    """Money per kWh; a negative rate pays the customer."""

    flow: Literal["import", "export", "load", "generation"] = "import"
    """Whose kWh are counted."""

    quantity_rounding: QuantityRounding | None = None
    """How each interval's kWh are rounded before they are priced; null for not at all."""


class CalendarDocument(Model):
    """Seasons, day types and holidays."""

    model_config = ConfigDict(
        extra="forbid",
    )
    seasons: Annotated[list[Season], Field(validate_default=True)] = []
    """The parts of the year; none where the whole year is alike."""

    day_types: Annotated[list[DayType], Field(validate_default=True)] = []
    """The kinds of days that windows name; one day may be of several."""

    holidays: Holidays | None = None
    """The days that are holidays; null for none."""

    day_begins: str = "00:00"
    """When a day begins on the clock of the tariff's zone: the hours until then are of the date before, with its season, its day types and whether it is a holiday."""

    other_dates: Literal["by_weekday", "refused"] = "by_weekday"
    """What a date is that no day type names: of the day types of its weekday; or, where every date must be named (each day's colour), the reason to make no bill of it."""


class CalendarTerms(Model):
    """What a version of a calendar says."""

    model_config = ConfigDict(
        extra="forbid",
    )
    document: CalendarDocument


class CalendarVersion(Model):
    """
    A version of a calendar. The published one with the highest number is in use; a published
    version never changes, nor do the tariff versions that were published with it.
    """

    version: int
    """Version of the resource, from 1; its ETag"""

    created_at: AwareDatetime
    """When it was recorded, UTC"""

    updated_at: AwareDatetime
    """When it was last changed, UTC"""

    id: UUID
    """The version's id."""

    calendar_id: UUID
    """The calendar that it is a version of."""

    number: int
    """Its number within the calendar, from 1."""

    status: Literal["draft", "published", "withdrawn"] | str
    """Whether it is a draft or published."""

    document: CalendarDocument
    published: VersionStep | None
    """When and by whom it was published; null for a draft."""


class CoincidentDemand(Model):
    """
    So much per kW, at a rate or in tiers, of the mean power when the system had its peaks.

    Peaks within the billed period are measured. The kW at those before are what the bills of their
    days left, by a version that named them: they stand for a capacity tag. Bills carry them forward
    for three years. Days of no set make no bill: nobody has said what they
    cost.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    kind: Literal["coincident_demand"]
    """Which of the kinds it is."""

    id: str
    """Stands on each of the component's bill lines, and is its own within the tariff version."""

    payee: str | None = None
    """Who the money is for, where that is not the seller; it stands on the bill lines."""

    tax_class: str | None = None
    """A name by which taxes find the components that they are levied on."""

    peak_sets: list[PeakSet]
    """The peaks and the days on which each set is charged, in order of time. Days that cost nothing have a set without peaks."""

    rate: Decimal | None = None
    """Money per kW and month, day or year; null for tiers."""

    tiers: Annotated[list[Tier], Field(validate_default=True)] = []
    """Tiers by kW, in place of the one rate: of the mean of a set's peaks, or `minimum_kw`."""

    default_kw: Decimal | None = None
    """What a peak counts for at which no bill measured the meter; null to refuse the bill then."""

    minimum_kw: Decimal = Decimal("0")
    """The least billed kW."""

    minutes: Literal[5, 10, 15, 30, 60] = 60
    """The length in minutes of the blocks of the tariff's clock over which power is the mean."""

    from_coarser: Literal["refused", "mean"] = "refused"
    """Whether intervals longer than `minutes` are refused, or give their own mean."""

    per: Literal["day", "month", "year"] = "month"
    """What the rate is for, besides a kW."""

    proration: Literal["actual_days", "thirty_days", "year_over_twelve", "twelfths", "none"] = (
        "actual_days"
    )
    """What a day costs of a rate per month or year; see the fixed charge."""

    flow: Literal["import", "export", "load", "generation"] = "import"
    """Whose power is measured."""


class DemandBand(Model):
    """A name on the bill, and a rate per kW or the tiers of its kW."""

    model_config = ConfigDict(
        extra="forbid",
    )
    name: str
    """What windows and bill lines call it."""

    rate: Decimal | None = None
    """Money per kW and month, day or year; null for tiers."""

    tiers: Annotated[list[Tier], Field(validate_default=True)] = []
    """Tiers by kW, in place of the one rate."""


class EnergyCharge(Model):
    """One rate for every kWh of a flow, whenever it is used."""

    model_config = ConfigDict(
        extra="forbid",
    )
    kind: Literal["energy"]
    """Which of the kinds it is."""

    id: str
    """Stands on each of the component's bill lines, and is its own within the tariff version."""

    payee: str | None = None
    """Who the money is for, where that is not the seller; it stands on the bill lines."""

    tax_class: str | None = None
    """A name by which taxes find the components that they are levied on."""

    from_on: date | None = None
    """The first local day on which it is in force; null for no first."""

    to_on: date | None = None
    """The local day from which it is no longer in force; null for no last."""

    rate: Decimal
    """Money per kWh; a negative rate pays the customer."""

    flow: Literal["import", "export", "load", "generation"] = "import"
    """Whose kWh are counted."""

    quantity_rounding: QuantityRounding | None = None
    """How each interval's kWh are rounded before they are priced; null for not at all."""


class NetBilling(Model):
    """
    Import and export netted within each interval: net import is charged, the rest credited.

    A tax class covers the charges, and the credit where that is taxed.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    kind: Literal["net_billing"]
    """Which of the kinds it is."""

    id: str
    """Stands on each of the component's bill lines, and is its own within the tariff version."""

    payee: str | None = None
    """Who the money is for, where that is not the seller; it stands on the bill lines."""

    tax_class: str | None = None
    """A name by which taxes find the components that they are levied on."""

    surplus: Annotated[Forfeit | Offset | Payout, Field(discriminator="kind")]
    """How the credit for net export pays; `none` credits nothing."""

    import_rate: Decimal | None = None
    """Money per kWh of net import, where all of it has one rate."""

    export_rate: Decimal | None = None
    """Money credited per kWh of net export; needed unless the surplus is `none`."""

    bands: Annotated[list[NetBand], Field(validate_default=True)] = []
    """The bands with their rates, where rates depend on the time."""

    windows: Annotated[list[Window], Field(validate_default=True)] = []
    """When each band is in force; they must not overlap."""

    default_band: str | None = None
    """The band in force where no window is; null where windows cover all the time."""

    quantity_rounding: QuantityRounding | None = None
    """How what is left of each interval's import or export is rounded before it is priced; null for not at all."""


class NewCalendarVersion(Model):
    """A draft of a new version."""

    model_config = ConfigDict(
        extra="forbid",
    )
    document: CalendarDocument
    id: UUID | None = None
    """The version's id; made by the service unless the caller names one."""


class PageOfCalendarVersion(Model):
    items: list[CalendarVersion]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""


class PageOfPriceDay(Model):
    items: list[PriceDay]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""


class PageOfPriceSeries(Model):
    items: list[PriceSeries]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""


class PageOfRegion(Model):
    items: list[Region]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""


class PageOfTariff(Model):
    items: list[Tariff]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""


class PowerFactor(Model):
    """
    A percentage of the unrounded amounts of earlier components, by the meter's power factor.

    The factor is kWh / √(kWh² + kvarh²) over the days of the version in the billed period, and 1
    where there is no energy. Taxes come later and are never in it.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    kind: Literal["power_factor"]
    """Which of the kinds it is."""

    id: str
    """Stands on each of the component's bill lines, and is its own within the tariff version."""

    payee: str | None = None
    """Who the money is for, where that is not the seller; it stands on the bill lines."""

    tax_class: str | None = None
    """A name by which taxes find the components that they are levied on."""

    table: list[PowerFactorRow]
    """From the highest power factor to the lowest, which is 0; a row of rate 0 charges nothing."""

    component_ids: list[str] = []
    """The components it is taken of; all before it where neither these nor kinds are named."""

    kinds: list[
        Literal["fixed", "energy", "demand", "adjustment", "credit", "tax", "minimum_top_up"]
    ] = []
    """The kinds of lines it is taken of."""

    decimals: int = 2
    """To so many decimals the power factor is rounded, half up, before the table is read."""

    flow: Literal["import", "export", "load", "generation"] = "import"
    """Whose kWh they are."""

    reactive: Literal["import", "export", "net", "higher"] = "import"
    """Whose kvarh: what is drawn (`import`), what is fed in (`export`), their difference (`net`) or the `higher` of the two over the period."""


class Problem(Model):
    """The body of an `application/problem+json` answer; `code` is for programs."""

    type: str = "about:blank"
    """A reference to the explanation of the code."""

    title: str
    """What the code means, in short."""

    status: int
    """The HTTP status."""

    detail: str
    """What is wrong this time, for people."""

    code: str
    """The kind of problem, for programs."""

    correlation_id: str
    """The id under which logs speak of this request."""

    errors: list[ProblemError] | None = None
    """What is wrong with the parts of the request."""


class Quote(Model):
    """What a tariff would charge, period by period."""

    model_config = ConfigDict(
        extra="allow",
    )
    currency: str
    """The currency of all amounts (ISO 4217)."""

    periods: list[QuotedPeriod]
    """The bills, in order."""


class RatedBand(Model):
    """A name on the bill, and a rate per kWh or tiers."""

    model_config = ConfigDict(
        extra="forbid",
    )
    name: str
    """What windows and bill lines call it."""

    rate: Decimal | None = None
    """Money per kWh; null for tiers."""

    tiers: Annotated[list[Tier], Field(validate_default=True)] = []
    """Tiers in place of the one rate."""


class ReactiveBand(Model):
    """A name on the bill, and a rate per kvarh or the tiers of the share of its own kWh."""

    model_config = ConfigDict(
        extra="forbid",
    )
    name: str
    """What windows and bill lines call it."""

    rate: Decimal | None = None
    """Money per kvarh that is not free; null for tiers."""

    tiers: Annotated[list[Tier], Field(validate_default=True)] = []
    """Tiers by kvarh per kWh, in place of the one rate."""


class ReactiveEnergy(Model):
    """
    So much per kvarh beyond a free share of the kWh: a rate, tiers by share, or bands with them.

    kvarh per kWh is the tangent of the phase angle: 0.33 is a power factor of 0.95, 0.5 one of 0.89
    and 0.75 one of 0.8. Where there are no kWh all kvarh are beyond every share.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    kind: Literal["reactive_energy"]
    """Which of the kinds it is."""

    id: str
    """Stands on each of the component's bill lines, and is its own within the tariff version."""

    payee: str | None = None
    """Who the money is for, where that is not the seller; it stands on the bill lines."""

    tax_class: str | None = None
    """A name by which taxes find the components that they are levied on."""

    rate: Decimal | None = None
    """Money per kvarh that is not free, where there are neither tiers nor bands."""

    tiers: Annotated[list[Tier], Field(validate_default=True)] = []
    """Tiers by kvarh per kWh, in place of the one rate: limits are shares such as 0.75."""

    bands: Annotated[list[ReactiveBand], Field(validate_default=True)] = []
    """Bands of time in place of rate and tiers, each with a share of its own kWh."""

    windows: Annotated[list[Window], Field(validate_default=True)] = []
    """When each band is in force; they must not overlap."""

    default_band: str | None = None
    """The band in force where no window is; null where nothing is charged then."""

    free_share: Decimal = Decimal("0")
    """So many kvarh per kWh are free."""

    mode: Literal["graduated", "volume"] = "graduated"
    """Each tier's kvarh at its rate, or all that are not free at the rate of the tier in which the whole share lies (`volume`)."""

    measured_over: Literal["day", "month", "period"] = "month"
    """Of which days the share is taken: each local day, each calendar month or all of the billed period, of the days of the version."""

    flow: Literal["reactive_import", "reactive_export"] = "reactive_import"
    """Whose kvarh are charged."""

    active_flow: Literal["import", "export", "load", "generation"] = "import"
    """Whose kWh the share is of."""


class TieredTimeOfUse(Model):
    """Energy of a flow by band and tier."""

    model_config = ConfigDict(
        extra="forbid",
    )
    kind: Literal["tiered_time_of_use"]
    """Which of the kinds it is."""

    id: str
    """Stands on each of the component's bill lines, and is its own within the tariff version."""

    payee: str | None = None
    """Who the money is for, where that is not the seller; it stands on the bill lines."""

    tax_class: str | None = None
    """A name by which taxes find the components that they are levied on."""

    split: Literal["per_band", "pro_rata", "chronological"]
    """What fills a band's tiers: its own energy (`per_band`); the total, of which each tier is divided over the bands in proportion to their energy (`pro_rata`); or the running total, interval by interval (`chronological`)."""

    bands: list[TieredBand]
    """The bands with their tiers, in the order of the bill's lines."""

    windows: Annotated[list[Window], Field(validate_default=True)] = []
    """When each band is in force; they must not overlap."""

    default_band: str | None = None
    """The band in force where no window is; null where windows cover all the time."""

    mode: Literal["graduated", "volume"] = "graduated"
    """Each tier's part at its own rate, or all at the rate of the tier that the total lies in."""

    limits: TierLimits | None = None
    flow: Literal["import", "export", "load", "generation", "net_import", "net_export"] = "import"
    """Whose kWh are counted; `net_import` is what is left of import after export is netted within each interval."""

    quantity_rounding: QuantityRounding | None = None
    """How each interval's kWh are rounded before they are counted; null for not at all."""


class TimeOfUse(Model):
    """Energy of a flow by band: each kWh costs the rate of the band in force when it is used."""

    model_config = ConfigDict(
        extra="forbid",
    )
    kind: Literal["time_of_use"]
    """Which of the kinds it is."""

    id: str
    """Stands on each of the component's bill lines, and is its own within the tariff version."""

    payee: str | None = None
    """Who the money is for, where that is not the seller; it stands on the bill lines."""

    tax_class: str | None = None
    """A name by which taxes find the components that they are levied on."""

    bands: list[Band]
    """The bands with their rates, in the order of the bill's lines."""

    windows: Annotated[list[Window], Field(validate_default=True)] = []
    """When each band is in force; they must not overlap."""

    default_band: str | None = None
    """The band in force where no window is; null where windows cover all the time."""

    flow: Literal["import", "export", "load", "generation"] = "import"
    """Whose kWh are counted."""

    quantity_rounding: QuantityRounding | None = None
    """How each interval's kWh are rounded before they are priced; null for not at all."""


class Demand(Model):
    """
    So much per kW of the highest mean power over some minutes: a rate, tiers of kW, or bands.

    The billed kW is the measured one, or its mean with those of earlier months, but at least the
    ratchet's percentage of an earlier month, at least `minimum_kw`, and then rounded up to whole
    `kw_step`.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    kind: Literal["demand"]
    """Which of the kinds it is."""

    id: str
    """Stands on each of the component's bill lines, and is its own within the tariff version."""

    payee: str | None = None
    """Who the money is for, where that is not the seller; it stands on the bill lines."""

    tax_class: str | None = None
    """A name by which taxes find the components that they are levied on."""

    rate: Decimal | None = None
    """Money per billed kW and month, day or year, where all the time has one rate."""

    tiers: Annotated[list[Tier], Field(validate_default=True)] = []
    """Tiers by billed kW, in place of the one rate."""

    bands: Annotated[list[DemandBand], Field(validate_default=True)] = []
    """Bands of time, each measured and billed for itself, in place of rate and tiers."""

    weights: Annotated[list[DemandWeight], Field(validate_default=True)] = []
    """Weights by time: windows and `default_band` name them in place of bands, and power at any time is measured together, times its weight."""

    windows: Annotated[list[Window], Field(validate_default=True)] = []
    """When each band or weight is in force; they must not overlap."""

    default_band: str | None = None
    """The band or weight in force where no window is; null where nothing is measured then."""

    minutes: Literal[5, 10, 15, 30, 60] = 15
    """The length in minutes of the windows over which power is the mean."""

    window: Literal["block", "sliding"] = "block"
    """Whether windows are blocks of the tariff's clock, or begin with any interval."""

    from_coarser: Literal["refused", "mean"] = "refused"
    """Whether intervals longer than `minutes` are refused, or give their own mean."""

    mean_of_highest_days: int = 1
    """Of so many days with the highest peaks the mean is measured, or of as many as there are."""

    mean_of_months: int = 0
    """Of so many calendar months up to each that is billed the mean of their peaks is billed, or of as many as were billed so far, each of at least `minimum_kw`; 0 where a bill is of its own peak. Several months on one bill are billed one by one."""

    ratchet_months: int = 0
    """So many calendar months before the billed period's first the ratchet looks back; 0 for no ratchet. Only months that were billed whole count."""

    ratchet_percent: Decimal = Decimal("100")
    """The percentage of the highest of these months that is billed at least; 80 is 80 %."""

    ratchet_percent_by_month: list[Decimal] = []
    """Twelve percentages in place of the one, January's first, for periods that begin in each."""

    ratchet_only_months: list[int] = []
    """The months of the year (1 is January) whose peaks count; all where none is named."""

    ratchet_across_bands: bool = False
    """Whether a band's ratchet looks back on the peaks of all bands, not only its own."""

    minimum_kw: Decimal = Decimal("0")
    """The least billed kW; with `mean_of_months` the least that each month counts for."""

    kw_step: Decimal | None = None
    """The billed kW is rounded up to whole steps of so many kW; null for no rounding."""

    per: Literal["day", "month", "year"] = "month"
    """What rates are for, besides a kW."""

    proration: Literal["actual_days", "thirty_days", "year_over_twelve", "twelfths", "none"] = (
        "actual_days"
    )
    """What a day costs of a rate per month or year; see the fixed charge."""

    on_version_change: Literal["keep", "reset"] = "keep"
    """Where a new version begins within the billed period: measure over the whole period (`keep`) or over the version's own days (`reset`); the charge is prorated either way."""

    on_season_change: Literal["by_days", "most_days", "each_in_full"] = "by_days"
    """Where seasons with other bands meet within the billed period: each is charged for its days (`by_days`); all is charged as in the season that most of the days lie in (`most_days`); or each band as if it were in force in all seasons (`each_in_full`)."""

    flow: Literal["import", "export", "load", "generation"] = "import"
    """Whose power is measured."""

    unit: Literal["kW", "kVA", "kvar"] = "kW"
    """Whether power is active, apparent (the root of kW² + kvar² of each window, to whole VA) or reactive. All that is said of kW is of kVA or kvar then."""

    reactive: Literal["import", "export", "net", "higher"] = "import"
    """Which reactive energy makes kVA or kvar: what is drawn (`import`), what is fed in (`export`), their difference (`net`) or the `higher` of the two in each window."""

    free_share: Decimal = Decimal("0")
    """Of kvar so many are free for each kW of the highest over the same windows: 0.5 is a power factor of 0.89."""


class ExportCredit(Model):
    """
    Gross metering: every kWh of a flow is credited, at a rate, in tiers or by band.

    Import is charged by components of its own. A negative rate makes exporting cost.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    kind: Literal["export_credit"]
    """Which of the kinds it is."""

    id: str
    """Stands on each of the component's bill lines, and is its own within the tariff version."""

    payee: str | None = None
    """Who the money is for, where that is not the seller; it stands on the bill lines."""

    tax_class: str | None = None
    """A name by which taxes find the components that they are levied on."""

    surplus: Annotated[Offset | Payout, Field(discriminator="kind")]
    """How the credit pays: at once, or charges and no more than they come to."""

    rate: Decimal | None = None
    """Money per kWh, where all of it has one rate."""

    tiers: Annotated[list[Tier], Field(validate_default=True)] = []
    """In place of a rate, tiers that what is credited fills: the first so many kWh at one rate."""

    split: Literal["per_band", "pro_rata", "chronological"] | None = None
    """Of bands with tiers, what fills them: the band's own energy (`per_band`), the total, of which each tier is divided over the bands (`pro_rata`), or the running total (`chronological`)."""

    limits: NetTierLimits | None = None
    bands: Annotated[list[RatedBand], Field(validate_default=True)] = []
    """The bands with their rates or tiers, where these depend on the time."""

    windows: Annotated[list[Window], Field(validate_default=True)] = []
    """When each band is in force; they must not overlap."""

    default_band: str | None = None
    """The band in force where no window is; null where windows cover all the time."""

    flow: Literal["import", "export", "load", "generation", "net_import", "net_export"] = "export"
    """Whose kWh are counted; `net_export` is what is left of export after import is netted within each interval."""

    quantity_rounding: QuantityRounding | None = None
    """How each interval's kWh are rounded before they are credited; null for not at all."""


class NetMetering(Model):
    """
    Import less export over a version's days in the period, at a rate or by band.

    Each band nets for itself. A tax class covers the charges, and the credit where that is taxed.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    kind: Literal["net_metering"]
    """Which of the kinds it is."""

    id: str
    """Stands on each of the component's bill lines, and is its own within the tariff version."""

    payee: str | None = None
    """Who the money is for, where that is not the seller; it stands on the bill lines."""

    tax_class: str | None = None
    """A name by which taxes find the components that they are levied on."""

    surplus: Annotated[Forfeit | Offset | CarryForward | Payout, Field(discriminator="kind")]
    """What becomes of units that are left over."""

    surplus_rate: Decimal | None = None
    """Money per kWh left over, where it offsets or is paid out; null for the band's own rate, of which there is none where there are tiers."""

    rate: Decimal | None = None
    """Money per kWh of import less export, where all of it has one rate."""

    tiers: Annotated[list[Tier], Field(validate_default=True)] = []
    """In place of a rate, tiers that what is left of import fills; what is taken of a bank empties the highest first."""

    split: Literal["per_band", "pro_rata"] | None = None
    """Of bands with tiers, what fills them: what is left of the band's own import (`per_band`), or that of all bands, of which each tier is divided over the bands in proportion (`pro_rata`)."""

    limits: NetTierLimits | None = None
    bands: Annotated[list[RatedBand], Field(validate_default=True)] = []
    """The bands with their rates or tiers, where these depend on the time; the dearest first for `later`."""

    windows: Annotated[list[Window], Field(validate_default=True)] = []
    """When each band is in force; they must not overlap."""

    default_band: str | None = None
    """The band in force where no window is; null where windows cover all the time."""

    cross_band: Literal["none", "later", "any"] = "none"
    """Whether units left over in a band also pay for those of no other band (`none`), of the bands after it in `bands` (`later`), or of every other (`any`)."""

    quantity_rounding: QuantityRounding | None = None
    """How each interval's kWh of import and of export are rounded before they are added up; null for not at all."""


class DraftDocument(Model):
    """What it charges."""

    model_config = ConfigDict(
        extra="forbid",
    )
    currency: str
    """The currency of all its rates and amounts."""

    zone: str
    """The clock on which its windows and days are read."""

    components: list[
        Annotated[
            FixedCharge
            | CapacityCharge
            | EnergyCharge
            | TimeOfUse
            | Tiered
            | TieredTimeOfUse
            | Demand
            | CoincidentDemand
            | ReactiveEnergy
            | SpotPrice
            | NetMetering
            | NetBilling
            | ExportCredit
            | Adjustment
            | Percent
            | PowerFactor
            | MinimumBill
            | Tax,
            Field(discriminator="kind"),
        ]
    ]
    """Its charges, credits and taxes, in the order in which they are charged and shown."""

    calendar: CalendarDocument | None = None
    rounding: Rounding | None = None
    calendar_id: UUID | None = None
    """A calendar in place of `calendar`."""


class NewTariffVersion(Model):
    """A draft of a new version."""

    model_config = ConfigDict(
        extra="forbid",
    )
    effective_from: date
    """The first local date on which it is in force."""

    effective_to: date | None = None
    """The local date from which it is no longer in force; null for no end."""

    document: DraftDocument
    note: str | None = None
    """What is new in it, for people."""

    id: UUID | None = None
    """The version's id; made by the service unless the caller names one."""


class TariffVersion(Model):
    """A version of a tariff. A published one never changes; it may only be withdrawn."""

    version: int
    """Version of the resource, from 1; its ETag"""

    created_at: AwareDatetime
    """When it was recorded, UTC"""

    updated_at: AwareDatetime
    """When it was last changed, UTC"""

    id: UUID
    """The version's id."""

    tariff_id: UUID
    """The tariff that it is a version of."""

    number: int
    """Its number within the tariff, from 1."""

    status: Literal["draft", "published", "withdrawn"] | str
    """Whether it is a draft, published or withdrawn."""

    effective_from: date
    """The first local date on which it is in force."""

    effective_to: date | None
    """The local date from which it is no longer in force; null for no end."""

    document: DraftDocument
    note: str | None
    """What is new in it, for people."""

    calendar: UsedCalendar | None
    """The calendar that became part of its document; null where it named none."""

    published: VersionStep | None
    """When and by whom it was published; null for a draft."""

    withdrawn: VersionStep | None
    """When and by whom it was withdrawn; null where it was not."""

    withdrawal: Withdrawal | None
    """From when on and why it was withdrawn; null where it was not."""


class TariffVersionTerms(Model):
    """
    What a version says, in force on local dates from `effective_from` up to, but without,
    `effective_to`, as long as no later version has begun.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    effective_from: date
    """The first local date on which it is in force."""

    effective_to: date | None = None
    """The local date from which it is no longer in force; null for no end."""

    document: DraftDocument
    note: str | None = None
    """What is new in it, for people."""


class ChosenTariff(Model):
    """A stored version of a tariff, of whatever status, or a document that is stored nowhere."""

    model_config = ConfigDict(
        extra="forbid",
    )
    tariff_id: UUID | None = None
    """The tariff."""

    number: int | None = None
    """The number of its version."""

    document: DraftDocument | None = None
    """A document, in place of a stored version."""


class ComparedTariff(Model):
    """
    One of several tariffs. Unless it is given, its name is the tariff's code and the version's
    number, or else its position among the tariffs.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    tariff_id: UUID | None = None
    """The tariff."""

    number: int | None = None
    """The number of its version."""

    document: DraftDocument | None = None
    """A document, in place of a stored version."""

    name: str | None = None
    """What its row is called in the answer."""


class ComparisonRequest(Model):
    """A meter and several tariffs."""

    model_config = ConfigDict(
        extra="forbid",
    )
    usage: Intervals
    zone: str | None = None
    """The meter's IANA time zone; null for the tariff's."""

    period: Literal["month"] | Dates | None = None
    """`month` for one bill a month, dates for one bill of these days; null for `month`."""

    connected_kw: Decimal | None = None
    """The connected load (sanctioned load) in kW; null where no charge needs it."""

    prices: (
        dict[
            Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$")],
            InlinePrices,
        ]
        | None
    ) = None
    """Prices in the request itself, by the code that a tariff has for them."""

    price_series: (
        dict[
            Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$")],
            NamedSeries,
        ]
        | None
    ) = None
    """Stored price series, by the code that a tariff has for them."""

    tariffs: list[ComparedTariff]
    """The tariffs to compare."""


class ImportedVersion(Model):
    """The draft that a portal's document became, to be looked at and published."""

    draft: TariffVersion
    notes: list[ImportNote]
    """What became of every field that is not charged as it stands, in their order."""


class PageOfTariffVersion(Model):
    items: list[TariffVersion]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""


class QuoteRequest(Model):
    """A meter and a tariff."""

    model_config = ConfigDict(
        extra="forbid",
    )
    usage: Intervals
    zone: str | None = None
    """The meter's IANA time zone; null for the tariff's."""

    period: Literal["month"] | Dates | None = None
    """`month` for one bill a month, dates for one bill of these days; null for `month`."""

    connected_kw: Decimal | None = None
    """The connected load (sanctioned load) in kW; null where no charge needs it."""

    prices: (
        dict[
            Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$")],
            InlinePrices,
        ]
        | None
    ) = None
    """Prices in the request itself, by the code that a tariff has for them."""

    price_series: (
        dict[
            Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$")],
            NamedSeries,
        ]
        | None
    ) = None
    """Stored price series, by the code that a tariff has for them."""

    state: (
        dict[
            Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$")],
            Any,
        ]
        | None
    ) = None
    """What the last bill carries forward, by component."""

    tariff: ChosenTariff
