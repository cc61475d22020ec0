"""Charges for meters that give as well as take, and what becomes of what is left over."""

from typing import Annotated, Literal

from pydantic import Field

from contracts.commerce import LineKind
from contracts.metering import Flow
from contracts.tariff.shapes import Band, Charge, DocumentModel, Month, Name, Rate, Window


class Lost(DocumentModel):
    """What is left over is worth nothing."""

    kind: Literal["none"]


class Payout(DocumentModel):
    """What is left over is paid at once, also where the bill falls below nothing.

    A credit that is `taxed` lessens what the taxes on its component are taken of.
    """

    kind: Literal["payout"]
    after_tax: bool = False
    taxed: bool = False


class Offset(DocumentModel):
    """The worth of what is left over pays other charges, and no more than they come to.

    Those named by `component_ids` or `kinds`, else all before it; with `after_tax` the taxes too.
    `from_bill` `next` pays later bills only. What it cannot pay is `lost`, or carried forward: to
    the first day of `true_up_month`, if there is one, when it is lost or paid out.
    """

    kind: Literal["offset"]
    unused: Literal["lost", "carry_forward"]
    component_ids: list[Name] = Field(default_factory=list)
    kinds: list[LineKind] = Field(default_factory=list)
    from_bill: Literal["this", "next"] = "this"
    true_up_month: Month | None = None
    true_up: Literal["lost", "payout"] = "lost"
    after_tax: bool = False
    taxed: bool = False


class CarryForward(DocumentModel):
    """Units go to a bank of kWh and pay for units of later bills, oldest first.

    They expire so many months after the end of the period that earned them. The first day of
    `true_up_month` empties the bank, for `true_up_rate` per kWh or for nothing.
    """

    kind: Literal["carry_forward"]
    expires_after_months: Annotated[int, Field(ge=1, le=120)] | None = None
    true_up_month: Month | None = None
    true_up_rate: Rate | None = None


class NetMetering(Charge):
    """Import less export over the period, at a rate or per band; `surplus` is what is left.

    It is worth `surplus_rate`, or the band's own rate. `cross_band` says whether units of a band
    also pay for those of none, of `later` or of `any` other band.
    """

    kind: Literal["net_metering"]
    surplus: Annotated[Lost | Offset | CarryForward | Payout, Field(discriminator="kind")]
    surplus_rate: Rate | None = None
    rate: Rate | None = None
    bands: Annotated[list[Band], Field(max_length=100)] = Field(default_factory=list)
    windows: Annotated[list[Window], Field(max_length=200)] = Field(default_factory=list)
    default_band: Name | None = None
    cross_band: Literal["none", "later", "any"] = "none"


class NetBand(DocumentModel):
    """A name on the bill, and what a kWh taken and one given are worth while it is on."""

    name: Name
    import_rate: Rate
    export_rate: Rate | None = None


class NetBilling(Charge):
    """Import and export netted within each interval: what is taken is charged, the rest credited.

    `export_rate` is needed unless the surplus is `none`.
    """

    kind: Literal["net_billing"]
    surplus: Annotated[Lost | Offset | Payout, Field(discriminator="kind")]
    import_rate: Rate | None = None
    export_rate: Rate | None = None
    bands: Annotated[list[NetBand], Field(max_length=100)] = Field(default_factory=list)
    windows: Annotated[list[Window], Field(max_length=200)] = Field(default_factory=list)
    default_band: Name | None = None


class ExportCredit(Charge):
    """Every kWh of a flow is credited at a rate or per band; `surplus` says how it pays."""

    kind: Literal["export_credit"]
    surplus: Annotated[Offset | Payout, Field(discriminator="kind")]
    rate: Rate | None = None
    bands: Annotated[list[Band], Field(max_length=100)] = Field(default_factory=list)
    windows: Annotated[list[Window], Field(max_length=200)] = Field(default_factory=list)
    default_band: Name | None = None
    flow: Flow = "export"
