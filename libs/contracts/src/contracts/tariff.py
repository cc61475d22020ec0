"""Tariff documents: the JSON form of a tariff version, whose meaning `rating.document` reads.

Owns the shape and its published schema. Unlike events, a document refuses unknown fields: a
charge that a reader does not know would make a wrong bill. Decimals are strings.
"""

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from contracts.metering import Flow
from contracts.model import Currency, Zone

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$")]
Rate = Annotated[str, Field(pattern=r"^-?[0-9]{1,9}(\.[0-9]{1,8})?$")]
"""Money per unit of the charge; a negative one pays the customer."""
TaxRate = Annotated[str, Field(pattern=r"^(0(\.[0-9]{1,8})?|1(\.0{1,8})?)$")]
"""A share: 0.19 is 19 %."""
LocalTime = Annotated[str, Field(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$")]
MonthDay = Annotated[str, Field(pattern=r"^[0-1][0-9]-[0-3][0-9]$")]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Proration = Literal["actual_days", "thirty_days", "year_over_twelve", "none"]
"""What one day of a monthly charge costs: a day of its own month, 1/30 of a month, or 12/365 of
one; `none` charges the whole month on its first billed day."""
YearProration = Literal["actual_days", "thirty_days", "year_over_twelve", "twelfths", "none"]
"""Of a charge per year a day costs one of the year's own days, 1/360 or 1/365, or with `twelfths` a
day of a month that costs a twelfth; `none` is for months alone."""


class DocumentModel(BaseModel):
    """A piece of a document: nothing in it may be misunderstood."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Rounding(DocumentModel):
    """Each line rounds for itself, or only the invoice's total does."""

    mode: Literal["half_even", "half_up", "down", "up"] = "half_even"
    decimals: Annotated[int, Field(ge=0, le=8)] = 2
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


class FixedCharge(Charge):
    """So much per local day, calendar month or year, or billed period."""

    kind: Literal["fixed"]
    rate: Rate
    per: Literal["day", "month", "period", "year"]
    proration: YearProration = "actual_days"


class CapacityCharge(Charge):
    """So much per kW of connected load, per day, month or year."""

    kind: Literal["capacity"]
    rate: Rate
    per: Literal["day", "month", "year"] = "month"
    proration: YearProration = "actual_days"


class EnergyCharge(Charge):
    """One rate for every kWh of a flow."""

    kind: Literal["energy"]
    rate: Rate
    flow: Flow = "import"


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


class TimeOfUse(Charge):
    """Energy of a flow by band; what no window covers is of the default band."""

    kind: Literal["time_of_use"]
    bands: Annotated[list[Band], Field(min_length=1, max_length=100)]
    windows: Annotated[list[Window], Field(max_length=200)] = []
    default_band: Name | None = None
    flow: Flow = "import"


class SpotPrice(Charge):
    """Energy of a flow at the prices of a named series, and a mark-up per kWh in a line of its own.

    `interval` prices each metered interval. Else windows of `settle_minutes` are settled:
    `mean_price` at the mean of their prices, which `floor` and `cap` bound; `mean_energy` as if
    their energy had flowed evenly, with each published price bounded. `multiplier` comes after the
    bounds. `credit` pays the price to the customer.
    """

    kind: Literal["spot"]
    series: Name
    flow: Flow = "import"
    direction: Literal["charge", "credit"] = "charge"
    settlement: Literal["interval", "mean_price", "mean_energy"] = "interval"
    settle_minutes: Literal[15, 30, 60] | None = None
    floor: Rate | None = None
    cap: Rate | None = None
    multiplier: Rate = "1"
    markup: Rate = "0"


Limit = Annotated[str, Field(pattern=r"^[0-9]{1,9}(\.[0-9]{1,8})?$")]
Kilowatts = Annotated[str, Field(pattern=r"^[0-9]{1,6}(\.[0-9]{1,3})?$")]
Minutes = Literal[5, 10, 15, 30, 60]


class Tier(DocumentModel):
    """A rate up to and with `limit`, which counts from nothing; the last tier has none."""

    rate: Rate
    limit: Limit | None = None


class Limits(DocumentModel):
    """What a limit in kWh is for: a month (prorated), a day or the billed period, times kW if any.

    With `reset_months` the ladder is climbed over several bills, until a month like `anchor_month`.
    """

    per: Literal["month", "day", "period"] = "month"
    proration: Proration = "actual_days"
    kw: Literal["peak", "connected"] | None = None
    peak_minutes: Minutes | None = None
    from_coarser: Literal["refused", "mean"] = "refused"
    reset_months: Literal[1, 2, 3, 4, 6, 12] | None = None
    anchor_month: Annotated[int, Field(ge=1, le=12)] = 1
    on_version_change: Literal["keep", "reset"] = "keep"


Tiers = Annotated[list[Tier], Field(min_length=1, max_length=50)]


class Tiered(Charge):
    """Each kWh at the rate of the tier in which it lies, or (volume) all at the total's."""

    kind: Literal["tiered"]
    tiers: Tiers
    mode: Literal["graduated", "volume"] = "graduated"
    limits: Limits = Limits()
    flow: Flow = "import"


class TieredBand(DocumentModel):
    """A name on the bill and the ladder of its rates."""

    name: Name
    tiers: Tiers


class TieredTimeOfUse(Charge):
    """Energy by band and tier; `split` says what climbs the ladder of a band.

    Its own energy; the total, shared over the bands pro rata; or the total in order of time.
    """

    kind: Literal["tiered_time_of_use"]
    split: Literal["per_band", "pro_rata", "chronological"]
    bands: Annotated[list[TieredBand], Field(min_length=1, max_length=100)]
    windows: Annotated[list[Window], Field(max_length=200)] = []
    default_band: Name | None = None
    mode: Literal["graduated", "volume"] = "graduated"
    limits: Limits = Limits()
    flow: Flow = "import"


class DemandBand(DocumentModel):
    """A name on the bill, and its rate per kW or the tiers of its kW."""

    name: Name
    rate: Rate | None = None
    tiers: Annotated[list[Tier], Field(max_length=50)] = []


class Demand(Charge):
    """So much per kW of the highest mean power over `minutes`: a rate, tiers of kW, or bands.

    Of the mean of the highest days' peaks; at least a percentage of the highest complete earlier
    month; at least a minimum; rounded up to steps.
    """

    kind: Literal["demand"]
    rate: Rate | None = None
    tiers: Annotated[list[Tier], Field(max_length=50)] = []
    bands: Annotated[list[DemandBand], Field(max_length=100)] = []
    windows: Annotated[list[Window], Field(max_length=200)] = []
    default_band: Name | None = None
    minutes: Minutes = 15
    window: Literal["block", "sliding"] = "block"
    from_coarser: Literal["refused", "mean"] = "refused"
    mean_of_highest_days: Annotated[int, Field(ge=1, le=31)] = 1
    ratchet_months: Annotated[int, Field(ge=0, le=36)] = 0
    ratchet_percent: Annotated[str, Field(pattern=r"^[0-9]{1,3}(\.[0-9]{1,8})?$")] = "100"
    minimum_kw: Kilowatts = "0"
    kw_step: Kilowatts | None = None
    per: Literal["day", "month", "year"] = "month"
    proration: YearProration = "actual_days"
    on_version_change: Literal["keep", "reset"] = "keep"
    flow: Flow = "import"


class Adjustment(Charge):
    """A fuel, levy or rebate amount on every kWh of a flow."""

    kind: Literal["adjustment"]
    rate: Rate
    flow: Flow = "import"


LineKind = Literal["fixed", "energy", "demand", "adjustment", "credit", "tax", "minimum_top_up"]


class Percent(Charge):
    """A share (-0.05 is a discount of 5 %) of earlier components: of those named, else of all."""

    kind: Literal["percent"]
    rate: Rate
    component_ids: list[Name] = []
    kinds: list[LineKind] = []


class MinimumBill(Charge):
    """Tops up what the components that it counts lack to `amount` per day or month.

    `after_tax` counts the taxed bill, and the top-up is not taxed.
    """

    kind: Literal["minimum_bill"]
    amount: Rate
    per: Literal["day", "month"] = "month"
    proration: Proration = "actual_days"
    component_ids: list[Name] = []
    kinds: list[LineKind] = []
    after_tax: bool = False


class Tax(Charge):
    """A share of the named components, or of all components of `tax_class`.

    In force from `from_on` up to, but without, `to_on`.
    """

    kind: Literal["tax"]
    rate: TaxRate
    component_ids: list[Name] = []
    from_on: date | None = None
    to_on: date | None = None


Component = Annotated[
    FixedCharge
    | CapacityCharge
    | EnergyCharge
    | TimeOfUse
    | Tiered
    | TieredTimeOfUse
    | Demand
    | SpotPrice
    | Adjustment
    | Percent
    | MinimumBill
    | Tax,
    Field(discriminator="kind"),
]


class TariffDocument(DocumentModel):
    """A tariff version: `zone` is the clock on which its windows are read."""

    currency: Currency
    zone: Zone
    components: Annotated[list[Component], Field(min_length=1, max_length=100)]
    calendar: Calendar = Calendar()
    rounding: Rounding = Rounding()
