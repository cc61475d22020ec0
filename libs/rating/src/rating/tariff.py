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
from rating.calendars import Calendar
from rating.components.adjustment import Adjustment
from rating.components.capacity import CapacityCharge
from rating.components.energy import EnergyCharge
from rating.components.fixed import FixedCharge
from rating.components.tax import Tax
from rating.components.time_of_use import TimeOfUse, schedule
from rating.limits import COMPONENTS_MAX

Component = FixedCharge | CapacityCharge | EnergyCharge | TimeOfUse | Adjustment | Tax
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
        taxable = [part for part in self.components if not isinstance(part, Tax)]
        ids = {part.id for part in taxable}
        classes = {part.tax_class for part in taxable}
        seen: set[str] = set()
        for place, part in enumerate(self.components):
            path = f"/components/{place}"
            if part.id in seen:
                yield Fault(f"{path}/id", f"another component is {part.id!r} too")
            seen.add(part.id)
            match part:
                case TimeOfUse():
                    try:
                        schedule(part, self.calendar)
                    except ValueError as error:
                        yield Fault(path, str(error))
                case Tax():
                    for unknown in [name for name in part.component_ids if name not in ids]:
                        yield Fault(f"{path}/component_ids", f"{unknown!r} is nothing to tax")
                    if part.tax_class is not None and part.tax_class not in classes:
                        yield Fault(
                            f"{path}/tax_class", f"no component is of tax class {part.tax_class!r}"
                        )


@dataclass(frozen=True, slots=True)
class Part:
    """Local days of a billed period, and the tariff version that applies on them."""

    period: Period
    version: TariffVersion


def invalid_tariff(faults: tuple[Fault, ...]) -> Rejected:
    """The answer to a tariff with these faults."""
    told = "; ".join(f"{fault.path}: {fault.detail}" for fault in faults)
    return Rejected("invalid_tariff", told, faults)


def usage_charges(version: TariffVersion) -> TariffVersion | None:
    """The version without its standing charges, and with what taxes the rest: for costs per day.

    None where nothing remains.
    """
    kept = [
        part for part in version.components if not isinstance(part, FixedCharge | CapacityCharge)
    ]
    ids = {part.id for part in kept}
    classes = {part.tax_class for part in kept if not isinstance(part, Tax)}
    components: list[Component] = []
    for part in kept:
        if not isinstance(part, Tax):
            components.append(part)
        elif taxed := tuple(name for name in part.component_ids if name in ids):
            components.append(replace(part, component_ids=taxed))
        elif part.tax_class in classes and part.tax_class is not None:
            components.append(part)
    if not components:
        return None
    return replace(version, components=tuple(components))
