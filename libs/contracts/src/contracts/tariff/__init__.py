"""Tariff documents: the JSON form of a tariff version, whose meaning `rating.document` reads.

Owns the shape and its published schema. Unlike events, a document refuses unknown fields: a
charge that a reader does not know would make a wrong bill. Decimals are strings.
"""

from typing import Annotated

from pydantic import Field

from contracts.commerce import LineKind
from contracts.metering import Minutes
from contracts.model import Currency, Zone
from contracts.tariff.charges import (
    Adjustment,
    CapacityCharge,
    Demand,
    DemandBand,
    EnergyCharge,
    FixedCharge,
    Limits,
    SpotPrice,
    Tier,
    Tiered,
    TieredBand,
    TieredTimeOfUse,
    Tiers,
    TimeOfUse,
)
from contracts.tariff.giving import (
    CarryForward,
    ExportCredit,
    Lost,
    NetBand,
    NetBilling,
    NetMetering,
    Offset,
    Payout,
)
from contracts.tariff.shapes import (
    Band,
    Calendar,
    Charge,
    DayType,
    DocumentModel,
    Holidays,
    Kilowatts,
    Limit,
    LocalTime,
    Month,
    MonthDay,
    Name,
    Proration,
    Rate,
    Rounding,
    Season,
    TaxRate,
    Weekday,
    Window,
    YearProration,
)
from contracts.tariff.sums import MinimumBill, Percent, Tax

__all__ = [
    "Adjustment",
    "Band",
    "Calendar",
    "CapacityCharge",
    "CarryForward",
    "Charge",
    "Component",
    "DayType",
    "Demand",
    "DemandBand",
    "DocumentModel",
    "EnergyCharge",
    "ExportCredit",
    "FixedCharge",
    "Holidays",
    "Kilowatts",
    "Limit",
    "Limits",
    "LineKind",
    "LocalTime",
    "Lost",
    "MinimumBill",
    "Minutes",
    "Month",
    "MonthDay",
    "Name",
    "NetBand",
    "NetBilling",
    "NetMetering",
    "Offset",
    "Payout",
    "Percent",
    "Proration",
    "Rate",
    "Rounding",
    "Season",
    "SpotPrice",
    "TariffDocument",
    "Tax",
    "TaxRate",
    "Tier",
    "Tiered",
    "TieredBand",
    "TieredTimeOfUse",
    "Tiers",
    "TimeOfUse",
    "Weekday",
    "Window",
    "YearProration",
]

Component = Annotated[
    FixedCharge
    | CapacityCharge
    | EnergyCharge
    | TimeOfUse
    | Tiered
    | TieredTimeOfUse
    | Demand
    | SpotPrice
    | NetMetering
    | NetBilling
    | ExportCredit
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
