"""Charges for being connected, for energy and for demand."""

from typing import Annotated, Literal

from pydantic import Field

from contracts.metering import Flow, Minutes
from contracts.tariff.shapes import (
    Band,
    Charge,
    DocumentModel,
    Kilowatts,
    Limit,
    Month,
    Name,
    Proration,
    Rate,
    Window,
    YearProration,
)

Percentage = Annotated[str, Field(pattern=r"^[0-9]{1,3}(\.[0-9]{1,8})?$")]


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


class TimeOfUse(Charge):
    """Energy of a flow by band; what no window covers is of the default band."""

    kind: Literal["time_of_use"]
    bands: Annotated[list[Band], Field(min_length=1, max_length=100)]
    windows: Annotated[list[Window], Field(max_length=200)] = Field(default_factory=list)
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
    windows: Annotated[list[Window], Field(max_length=200)] = Field(default_factory=list)
    default_band: Name | None = None
    mode: Literal["graduated", "volume"] = "graduated"
    limits: Limits = Limits()
    flow: Flow = "import"


class DemandBand(DocumentModel):
    """A name on the bill, and its rate per kW or the tiers of its kW."""

    name: Name
    rate: Rate | None = None
    tiers: Annotated[list[Tier], Field(max_length=50)] = Field(default_factory=list)


class Demand(Charge):
    """So much per kW of the highest mean power over `minutes`: a rate, tiers of kW, or bands.

    Of the mean of the highest days' peaks; at least a percentage of the highest complete earlier
    month (twelve of them where they differ, or of some months only); at least a minimum; rounded
    up to steps.
    """

    kind: Literal["demand"]
    rate: Rate | None = None
    tiers: Annotated[list[Tier], Field(max_length=50)] = Field(default_factory=list)
    bands: Annotated[list[DemandBand], Field(max_length=100)] = Field(default_factory=list)
    windows: Annotated[list[Window], Field(max_length=200)] = Field(default_factory=list)
    default_band: Name | None = None
    minutes: Minutes = 15
    window: Literal["block", "sliding"] = "block"
    from_coarser: Literal["refused", "mean"] = "refused"
    mean_of_highest_days: Annotated[int, Field(ge=1, le=31)] = 1
    ratchet_months: Annotated[int, Field(ge=0, le=36)] = 0
    ratchet_percent: Percentage = "100"
    ratchet_percent_by_month: Annotated[list[Percentage], Field(max_length=12)] = Field(
        default_factory=list
    )
    ratchet_only_months: Annotated[list[Month], Field(max_length=12)] = Field(default_factory=list)
    ratchet_across_bands: bool = False
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
