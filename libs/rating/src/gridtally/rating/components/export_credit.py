"""Export credit: every kWh of a flow is credited, at one price, in tiers or by time of use."""

from dataclasses import dataclass, field, replace
from typing import Annotated, ClassVar

from gridtally.rating.bands import Bands, Windows, intervals_by_band
from gridtally.rating.components.band_rates import (
    RatedBand,
    bands_of,
    check_rates,
    check_split,
    tiers_by_band,
)
from gridtally.rating.components.charge import Charge, check_charge
from gridtally.rating.engine.lines import Kind
from gridtally.rating.engine.steps import PerKwh, Step
from gridtally.rating.engine.tier_step import BandTiers, Split
from gridtally.rating.field_types import BANDS_MAX, Length, Name, Rate
from gridtally.rating.limits import NetTierLimits, TierLimits, check_kw
from gridtally.rating.plan.span import Span
from gridtally.rating.plan.tier_plan import plan_tiers
from gridtally.rating.quantity_steps import QuantityRounding
from gridtally.rating.seasons import check_season_change
from gridtally.rating.surplus import Offset, Payout, check_credit
from gridtally.rating.tiers import TIERS_MAX, Mode, Tier
from gridtally.rating.usage import NettableFlow, billed_flow


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportCredit(Charge):
    """Gross metering: every kWh of a flow is credited, at a rate, in tiers or by band.

    Import is charged by components of its own. A negative rate makes exporting cost.
    """

    kind: ClassVar[str] = "export_credit"
    surplus: Offset | Payout
    """How the credit pays: at once, or charges and no more than they come to."""
    rate: Rate | None = None
    """Money per kWh, where all of it has one rate."""
    tiers: Annotated[tuple[Tier, ...], Length(most=TIERS_MAX)] = ()
    """In place of a rate, tiers that what is credited fills: the first so many kWh at one rate."""
    split: Split | None = None
    """Of bands with tiers, what fills them: the band's own energy (`per_band`), the total, of which
    each tier is divided over the bands (`pro_rata`), or the running total (`chronological`)."""
    limits: NetTierLimits = field(default_factory=NetTierLimits)
    """What the tiers' limits refer to."""
    bands: Annotated[tuple[RatedBand, ...], Length(most=BANDS_MAX)] = ()
    """The bands with their rates or tiers, where these depend on the time."""
    windows: Windows = ()
    """When each band is in force; they must not overlap."""
    default_band: Name | None = None
    """The band in force where no window is; null where windows cover all the time."""
    flow: NettableFlow = "export"
    """Whose kWh are counted; `net_export` is what is left of export after import is netted within
    each interval."""
    quantity_rounding: QuantityRounding | None = None
    """How each interval's kWh are rounded before they are credited; null for not at all."""

    def __post_init__(self) -> None:
        check_charge(self)
        check_rates(self.rate, self.tiers, self.bands, self.windows, self.default_band)
        check_split(self.split, self.bands)
        if not self.has_tiers and self.limits != NetTierLimits():
            raise ValueError("limits are for tiers")
        for _, tiers in tiers_by_band(self.rate, self.tiers, self.bands):
            check_kw(self.limits, tiers)
        check_season_change(self.limits.on_season_change, self.windows)
        check_credit(self.surplus, self.tax_class)

    @property
    def banded(self) -> Bands | None:
        """When each band is in force; None where there is one rate."""
        return bands_of(self.bands, self.windows, self.default_band)

    @property
    def has_tiers(self) -> bool:
        """Whether anything of it is in tiers."""
        return bool(self.tiers) or any(band.tiers for band in self.bands)

    @property
    def carries_state(self) -> bool:
        """Whether a bill carries credit forward to the next."""
        return self.surplus.carries_state

    @property
    def after_tax(self) -> bool:
        """Whether it comes after the taxes, as a whole."""
        return self.surplus.after_tax


@dataclass(frozen=True, slots=True, kw_only=True)
class _SellTiers:
    """The tiers of a credit as those of a charge at rates below zero; each version counts its own
    days."""

    line_kind: ClassVar[Kind] = "credit"
    mode: ClassVar[Mode] = "graduated"
    id: str
    split: Split
    limits: TierLimits
    flow: NettableFlow
    tiers_of: tuple[BandTiers, ...]
    banded: Bands | None
    quantity_rounding: QuantityRounding | None
    payee: str | None
    tax_class: str | None


def plan_whole_credit(credit: ExportCredit, span: Span) -> list[Step]:
    """A line for each tier of each band in force, over all days of the version; none without."""
    if not credit.has_tiers:
        return []  # adds up: see `plan_credit`
    limits = credit.limits
    tiers_of = tuple(
        BandTiers(band, tuple(replace(tier, rate=-tier.rate) for tier in tiers))
        for band, tiers in tiers_by_band(credit.rate, credit.tiers, credit.bands)
    )
    sold = _SellTiers(
        id=credit.id,
        split=credit.split or "per_band",
        limits=TierLimits(
            per=limits.per,
            proration=limits.proration,
            kw=limits.kw,
            peak_minutes=limits.peak_minutes,
            from_coarser=limits.from_coarser,
            on_version_change="reset",
            on_season_change=limits.on_season_change,
        ),
        flow=credit.flow,
        tiers_of=tiers_of,
        banded=credit.banded,
        quantity_rounding=credit.quantity_rounding,
        payee=credit.payee,
        tax_class=credit.tax_class,
    )
    return [plan_tiers(sold, span)]


def plan_credit(credit: ExportCredit, span: Span) -> list[PerKwh]:
    """One line, or one for each band that is in force during the span; none where there are
    tiers."""
    if credit.has_tiers:
        return []  # of the whole: see `plan_whole_credit`
    tiers = tiers_by_band(credit.rate, credit.tiers, credit.bands)
    counted = span.counted(credit.id, credit.flow, credit.quantity_rounding)
    steps = []
    for band_index, chosen in intervals_by_band(credit.banded, credit.id, span):
        band, (tier,) = tiers[band_index]
        item = span.item(
            credit.id,
            "credit",
            band=band,
            flow=billed_flow(credit.flow),
            unit="kWh",
            rate=-tier.rate,
            payee=credit.payee,
            tax_class=credit.tax_class,
            quantity_rounding=credit.quantity_rounding,
        )
        steps.append(PerKwh(item, counted, span.columns.column_of(counted, chosen)))
    return steps
