"""A tariff version: an immutable list of charges with the calendar and zone they refer to.

Owns the list of kinds (`Component`): a kind that it names and the planner does not know is a type
error. Refuses what would make a wrong bill: ids that repeat, references to nothing, windows that
overlap.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Annotated
from uuid import UUID

from gridtally.kernel.errors import Fault, Rejected
from gridtally.kernel.money import Rounding
from gridtally.kernel.periods import Period, zone_named
from gridtally.rating.bands import schedule
from gridtally.rating.calendar import Calendar
from gridtally.rating.components.adjustment import Adjustment
from gridtally.rating.components.capacity import CapacityCharge
from gridtally.rating.components.coincident_demand import CoincidentDemand
from gridtally.rating.components.demand.charge import Demand
from gridtally.rating.components.energy import EnergyCharge
from gridtally.rating.components.export_credit import ExportCredit
from gridtally.rating.components.fixed import FixedCharge
from gridtally.rating.components.minimum import MinimumBill
from gridtally.rating.components.net_billing import NetBilling
from gridtally.rating.components.net_metering import NetMetering
from gridtally.rating.components.percent import Percent
from gridtally.rating.components.power_factor import PowerFactor
from gridtally.rating.components.reactive_energy import ReactiveEnergy
from gridtally.rating.components.spot import SpotPrice
from gridtally.rating.components.tax import Tax
from gridtally.rating.components.tiered import Tiered
from gridtally.rating.components.tiered_time_of_use import TieredTimeOfUse
from gridtally.rating.components.time_of_use import TimeOfUse
from gridtally.rating.field_types import COMPONENTS_MAX, CURRENCY_FORM, Currency, Length, Zone
from gridtally.rating.limits import NetTierLimits
from gridtally.rating.surplus import Forfeit, Offset, Payout

Component = (
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
    | Tax
)
Crediting = NetMetering | NetBilling | ExportCredit
"""The kinds for meters that export, which declare by their `surplus` how a credit pays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TariffVersion:
    """A tariff: what customers pay for as long as this version of it is in force."""

    id: UUID
    currency: Currency
    """The currency of all its rates and amounts."""
    zone: Zone
    """The clock on which its windows and days are read."""
    components: Annotated[tuple[Component, ...], Length(1, COMPONENTS_MAX)]
    """Its charges, credits and taxes, in the order in which they are charged and shown."""
    calendar: Calendar = field(default_factory=Calendar)
    """How it tells local days apart."""
    rounding: Rounding = field(default_factory=Rounding)
    """Whether each line is rounded or the invoice's total, how, and to how many decimals."""

    def __post_init__(self) -> None:
        """Rejected with the path of every fault."""
        if faults := tuple(self._faults()):
            raise invalid_tariff(faults)

    @property
    def taxes(self) -> list[Tax]:
        """Its taxes, which come after all other lines."""
        return [component for component in self.components if isinstance(component, Tax)]

    def _faults(self) -> Iterator[Fault]:
        if not CURRENCY_FORM.fits(self.currency):
            yield Fault("/currency", f"{self.currency!r} is no currency code of three letters")
        try:
            zone_named(self.zone)
        except ValueError as error:
            yield Fault("/zone", str(error))
        if not 1 <= len(self.components) <= COMPONENTS_MAX:
            yield Fault("/components", f"a tariff has 1 to {COMPONENTS_MAX} components")
        seen: set[str] = set()
        for index, component in enumerate(self.components):
            path = f"/components/{index}"
            if component.id in seen:
                yield Fault(f"{path}/id", f"another component is {component.id!r} too")
            seen.add(component.id)
            if (banded := component.banded) is not None:
                try:
                    schedule(banded, self.calendar)
                except ValueError as error:
                    yield Fault(path, str(error))
            if (
                isinstance(component, Tiered | TieredTimeOfUse)
                and component.limits.reset_daily
                and component.mode == "volume"
                and self.calendar.first_minute
            ):
                yield Fault(
                    f"{path}/mode",
                    "a bill that ends at midnight does not know the total of a day that begins "
                    "later (day_begins): volume needs it",
                )
            yield from self._missing_references(index, component, path)

    def _missing_references(self, index: int, component: Component, path: str) -> Iterator[Fault]:
        """What a component refers to and would not find when it is charged."""
        charged_before = self._charged_before(index, component)
        known = {other.id for other in charged_before}
        referenced: tuple[str, ...] = getattr(component, "component_ids", ())
        for unknown in [name for name in referenced if name not in known]:
            verb = (
                "to tax"
                if isinstance(component, Tax)
                else f"that is charged before {component.id!r}"
            )
            yield Fault(f"{path}/component_ids", f"{unknown!r} is nothing {verb}")
        if isinstance(component, Crediting) and isinstance(component.surplus, Offset):
            payable = {other.id for other in self._payable(index, component)}
            for unknown in [
                name for name in component.surplus.component_ids if name not in payable
            ]:
                yield Fault(
                    f"{path}/surplus/component_ids",
                    f"{unknown!r} is nothing that is charged before the credit of {component.id!r}",
                )
        if isinstance(component, Tax) and component.tax_class is not None:
            classes = {other.tax_class for other in charged_before}
            if component.tax_class not in classes:
                yield Fault(
                    f"{path}/tax_class", f"no component is of tax class {component.tax_class!r}"
                )

    def _charged_before(self, index: int, component: Component) -> list[Component]:
        """Charges in their order, then taxes, then what comes after the taxes in its order."""
        earlier = self.components[:index]
        if isinstance(component, Tax):
            taxable = [charge for charge in self._charges if _is_taxable(charge)]
            return [*taxable, *(tax for tax in earlier if isinstance(tax, Tax))]
        if not comes_after_taxes(component):
            return [charge for charge in earlier if charge in self._charges]
        return [
            *self._charges,
            *self.taxes,
            *(charge for charge in earlier if comes_after_taxes(charge)),
        ]

    def _payable(self, index: int, component: Crediting) -> list[Component]:
        """What a credit may pay: all before it, and what its own component charges."""
        earlier = self.components[:index]
        if component.surplus.after_tax:
            return [
                *self._charges,
                *self.taxes,
                *(charge for charge in earlier if comes_after_taxes(charge)),
            ]
        own = () if isinstance(component, ExportCredit) else (component,)
        return [*(charge for charge in earlier if charge in self._charges), *own]

    @property
    def _charges(self) -> list[Component]:
        """What comes before the taxes."""
        return [
            component
            for component in self.components
            if not isinstance(component, Tax) and not comes_after_taxes(component)
        ]


@dataclass(frozen=True, slots=True)
class Part:
    """Local days of a billed period, and the tariff version that applies on them."""

    period: Period
    version: TariffVersion


def _is_taxable(charge: Component) -> bool:
    return not isinstance(charge, ExportCredit) or charge.surplus.taxed


def comes_after_taxes(charge: Component) -> bool:
    """Whether a charge comes after the taxes, which it may count and does not change."""
    return charge.after_tax


def carries_state(version: TariffVersion) -> bool:
    """Whether a bill by this version carries something forward, so that bills' order matters."""
    return bool(carrying(version))


def carrying(version: TariffVersion) -> list[str]:
    """The components of which a bill may carry something forward.

    Tiers of days that begin after midnight do: a bill ends within such a day.
    """
    return [
        component.id
        for component in version.components
        if component.carries_state or (_is_reset_daily(component) and version.calendar.first_minute)
    ]


def price_series_codes(version: TariffVersion) -> frozenset[str]:
    """The codes of the price series that a bill by this version needs."""
    return frozenset(
        component.series for component in version.components if isinstance(component, SpotPrice)
    )


def invalid_tariff(faults: tuple[Fault, ...]) -> Rejected:
    """The answer to a tariff with these faults."""
    detail = "; ".join(f"{fault.path}: {fault.detail}" for fault in faults)
    return Rejected("invalid_tariff", detail, faults)


def usage_charges(version: TariffVersion) -> TariffVersion | None:
    """The version without its standing charges, and with what taxes the rest: for costs per day.

    Tiers count with a day's part of their limits, and are left out where there is no such part.
    Exported units count as much as imported ones and credits are paid out, so that days add up.
    None where nothing remains.
    """
    return _narrowed(version, [_daily_charge(component) for component in version.components])


def standing_charges(version: TariffVersion) -> TariffVersion | None:
    """The version's charges for time alone, fixed and per connected kW, with what taxes them: what
    `usage_charges` leaves out and no reading changes. None where it has none."""
    if not any(isinstance(own, FixedCharge | CapacityCharge) for own in version.components):
        return None
    return _narrowed(version, [_standing_charge(component) for component in version.components])


def _narrowed(version: TariffVersion, charges: Iterable[Component | None]) -> TariffVersion | None:
    """The version with these charges alone, of which percentages and taxes count those that are
    left of what they name. None where nothing remains."""
    remaining: dict[str, Component] = {}
    left = [charge for charge in charges if charge is not None]
    for charge in sorted(left, key=lambda charge: isinstance(charge, Tax)):  # taxes come last
        if isinstance(charge, Tax | Percent) and charge.component_ids:
            if named := tuple(name for name in charge.component_ids if name in remaining):
                remaining[charge.id] = replace(charge, component_ids=named)
        elif not isinstance(charge, Tax) or charge.tax_class in {
            other.tax_class for other in remaining.values() if not isinstance(other, Tax)
        }:
            remaining[charge.id] = charge
    if not remaining:
        return None
    components = tuple(
        remaining[component.id] for component in version.components if component.id in remaining
    )
    return replace(version, components=components)


def _is_reset_daily(component: Component) -> bool:
    """Whether its tiers start again with each day."""
    return isinstance(component, Tiered | TieredTimeOfUse) and component.limits.reset_daily


def _daily_charge(component: Component) -> Component | None:
    """What a component charges for one day's use; None where it charges no such thing."""
    match component:
        case FixedCharge() | CapacityCharge() | Demand() | MinimumBill():
            return None  # owed for time, or for the whole period's peak
        case CoincidentDemand():
            return None  # owed for time
        case ReactiveEnergy() | PowerFactor():
            return None  # of the whole period's share of reactive energy
        case Tiered() | TieredTimeOfUse():
            if component.limits.needs_more_than_days:
                return None
            if component.limits.proration != "none":
                return component
            # each day would have the limits of a month
            limits = replace(component.limits, proration="actual_days")
            return replace(component, limits=limits)
        case NetMetering():
            return _daily_netting(component)
        case ExportCredit():
            return _daily_credit(component)
        case NetBilling():
            surplus = component.surplus
            paid = surplus if isinstance(surplus, Forfeit) else _paid(surplus)
            return replace(component, surplus=paid)
        case Percent():
            return replace(component, at_least=None, at_most=None)
        case EnergyCharge() | Adjustment() | TimeOfUse() | SpotPrice() | Tax():
            return component


def _standing_charge(component: Component) -> Component | None:
    """What a component charges for time; None where it charges for what was used."""
    if isinstance(component, FixedCharge | CapacityCharge | Tax):
        return component
    if isinstance(component, Percent):
        return replace(component, at_least=None, at_most=None)
    return None


def _paid(surplus: Offset | Payout) -> Payout:
    """A credit that is paid out, so that days add up."""
    return Payout(after_tax=surplus.after_tax, taxed=surplus.taxed)


def _daily_credit(credit: ExportCredit) -> ExportCredit | None:
    """Paid out; in tiers with a day's part of their limits."""
    if credit.has_tiers:
        if (limits := _daily_limits(credit.limits)) is None:
            return None
        credit = replace(credit, limits=limits)
    return replace(credit, surplus=_paid(credit.surplus))


def _daily_limits(limits: NetTierLimits) -> NetTierLimits | None:
    """The same limits for single days; None for those of the whole period."""
    if limits.needs_more_than_days:
        return None
    if limits.proration == "none":  # each day would have the limits of a month
        return replace(limits, proration="actual_days")
    return limits


def _daily_netting(metering: NetMetering) -> NetMetering | None:
    """Units over are worth what imported ones cost; of tiers, what the first ones do."""
    paid = Payout(taxed=True)
    if not metering.has_tiers:
        return replace(metering, surplus=paid, surplus_rate=None, cross_band="none")
    if (limits := _daily_limits(metering.limits)) is None:
        return None
    (_, first_rate), *_ = metering.rates
    return replace(
        metering, surplus=paid, surplus_rate=first_rate, cross_band="none", limits=limits
    )
