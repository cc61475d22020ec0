"""A tariff version: an immutable list of charges with the calendar and zone they speak of.

Refuses what would make a wrong bill: ids that repeat, references to nothing, windows that overlap.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from uuid import UUID

from kernel.errors import Fault, Rejected
from kernel.money import Rounding
from kernel.periods import Period, zone_named
from rating.bands import schedule
from rating.calendars import Calendar
from rating.components.adjustment import Adjustment
from rating.components.capacity import CapacityCharge
from rating.components.demand import Demand
from rating.components.energy import EnergyCharge
from rating.components.export_credit import ExportCredit
from rating.components.fixed import FixedCharge
from rating.components.minimum import MinimumBill
from rating.components.net_billing import NetBilling
from rating.components.net_metering import NetMetering
from rating.components.percent import Percent
from rating.components.spot import SpotPrice
from rating.components.tax import Tax
from rating.components.tiered import Tiered
from rating.components.tiered_time_of_use import TieredTimeOfUse
from rating.components.time_of_use import TimeOfUse
from rating.limits import COMPONENTS_MAX
from rating.surplus import Offset, Payout

Component = (
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
    | Tax
)
Crediting = NetMetering | NetBilling | ExportCredit
"""What gives as well as takes, and declares by its `surplus` how a credit pays."""
_STANDING = (FixedCharge, CapacityCharge, Demand, MinimumBill)
"""What is owed for time, or for the whole period's peak, and for no single day's use."""
_CURRENCY = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TariffVersion:
    """What a customer pays: `zone` (IANA) is the clock that windows are read on.

    Rejected with the path of every fault.
    """

    id: UUID
    currency: str
    zone: str
    components: tuple[Component, ...]
    calendar: Calendar = field(default_factory=Calendar)
    rounding: Rounding = field(default_factory=Rounding)

    def __post_init__(self) -> None:
        if faults := tuple(self._faults()):
            raise invalid_tariff(faults)

    @property
    def taxes(self) -> list[Tax]:
        """Its taxes, which come after all other lines."""
        return [component for component in self.components if isinstance(component, Tax)]

    def _faults(self) -> Iterator[Fault]:
        if not _CURRENCY.fullmatch(self.currency):
            yield Fault("/currency", f"{self.currency!r} is no currency code of three letters")
        try:
            zone_named(self.zone)
        except ValueError as error:
            yield Fault("/zone", str(error))
        if not 1 <= len(self.components) <= COMPONENTS_MAX:
            yield Fault("/components", f"a tariff has 1 to {COMPONENTS_MAX} components")
        seen: set[str] = set()
        for place, part in enumerate(self.components):
            path = f"/components/{place}"
            if part.id in seen:
                yield Fault(f"{path}/id", f"another component is {part.id!r} too")
            seen.add(part.id)
            if (banded := getattr(part, "banded", None)) is not None:
                try:
                    schedule(banded, self.calendar)
                except ValueError as error:
                    yield Fault(path, str(error))
            yield from self._missing_references(place, part, path)

    def _missing_references(self, place: int, part: Component, path: str) -> Iterator[Fault]:
        """What a component speaks of and would not find when it is charged."""
        charged_before = self._charged_before(place, part)
        found = {other.id for other in charged_before}
        for unknown in [name for name in getattr(part, "component_ids", ()) if name not in found]:
            verb = "to tax" if isinstance(part, Tax) else f"that is charged before {part.id!r}"
            yield Fault(f"{path}/component_ids", f"{unknown!r} is nothing {verb}")
        if isinstance(part, Crediting) and isinstance(part.surplus, Offset):
            payable = {other.id for other in self._payable(place, part)}
            for unknown in [name for name in part.surplus.component_ids if name not in payable]:
                yield Fault(
                    f"{path}/surplus/component_ids",
                    f"{unknown!r} is nothing that is charged before the credit of {part.id!r}",
                )
        if isinstance(part, Tax) and part.tax_class is not None:
            classes = {getattr(other, "tax_class", None) for other in charged_before}
            if part.tax_class not in classes:
                yield Fault(f"{path}/tax_class", f"no component is of tax class {part.tax_class!r}")

    def _charged_before(self, place: int, part: Component) -> list[Component]:
        """Charges in their order, then taxes, then what settles the taxed bill in its order."""
        earlier = self.components[:place]
        if isinstance(part, Tax):
            taxable = [one for one in self._charges if _is_taxable(one)]
            return [*taxable, *(one for one in earlier if isinstance(one, Tax))]
        if not settles(part):
            return [one for one in earlier if one in self._charges]
        return [*self._charges, *self.taxes, *(one for one in earlier if settles(one))]

    def _payable(self, place: int, part: Crediting) -> list[Component]:
        """What a credit may pay: all before it, and what its own component charges."""
        earlier = self.components[:place]
        if part.surplus.after_tax:
            return [*self._charges, *self.taxes, *(one for one in earlier if settles(one))]
        own = () if isinstance(part, ExportCredit) else (part,)
        return [*(one for one in earlier if one in self._charges), *own]

    @property
    def _charges(self) -> list[Component]:
        """What comes before the taxes."""
        return [one for one in self.components if not isinstance(one, Tax) and not settles(one)]


@dataclass(frozen=True, slots=True)
class Part:
    """Local days of a billed period, and the tariff version that applies on them."""

    period: Period
    version: TariffVersion


def _is_taxable(charge: Component) -> bool:
    return not isinstance(charge, ExportCredit) or charge.surplus.taxed


def settles(charge: Component) -> bool:
    """Whether a charge comes after the taxes, which it may count and does not change."""
    return getattr(charge, "after_tax", False)


def carries_state(version: TariffVersion) -> bool:
    """Whether a bill by this version hands something to the next, so that their order matters."""
    return any(getattr(part, "carries_state", False) for part in version.components)


def series_named(version: TariffVersion) -> frozenset[str]:
    """The price series that a bill by this version needs."""
    return frozenset(part.series for part in version.components if isinstance(part, SpotPrice))


def invalid_tariff(faults: tuple[Fault, ...]) -> Rejected:
    """The answer to a tariff with these faults."""
    told = "; ".join(f"{fault.path}: {fault.detail}" for fault in faults)
    return Rejected("invalid_tariff", told, faults)


def usage_charges(version: TariffVersion) -> TariffVersion | None:
    """The version without its standing charges, and with what taxes the rest: for costs per day.

    Tiers count with a day's share of their limits, and are left out where there is no such share.
    Units given count as much as units taken and credits are paid out, so that days add up.
    None where nothing remains.
    """
    kept = [own for part in version.components if (own := _of_a_day(part)) is not None]
    found: dict[str, Component] = {}
    for part in sorted(kept, key=lambda part: isinstance(part, Tax)):  # taxes come last
        if isinstance(part, Tax | Percent) and part.component_ids:
            if named := tuple(name for name in part.component_ids if name in found):
                found[part.id] = replace(part, component_ids=named)
        elif not isinstance(part, Tax) or part.tax_class in {
            one.tax_class for one in found.values() if not isinstance(one, Tax)
        }:
            found[part.id] = part
    if not found:
        return None
    components = tuple(found[part.id] for part in version.components if part.id in found)
    return replace(version, components=components)


def _of_a_day(part: Component) -> Component | None:
    """What a component charges for one day's use; None where it charges no such thing."""
    if isinstance(part, _STANDING):
        return None
    if isinstance(part, Tiered | TieredTimeOfUse):
        if part.limits.needs_more_than_days:
            return None
        if part.limits.proration == "none":  # each day would have the limits of a month
            return replace(part, limits=replace(part.limits, proration="actual_days"))
    if isinstance(part, NetMetering):
        return replace(part, surplus=Payout(taxed=True), surplus_rate=None, cross_band="none")
    if isinstance(part, NetBilling | ExportCredit) and isinstance(part.surplus, Offset):
        paid = Payout(after_tax=part.surplus.after_tax, taxed=part.surplus.taxed)
        return replace(part, surplus=paid)
    if isinstance(part, Percent):
        return replace(part, at_least=None, at_most=None)
    return part
