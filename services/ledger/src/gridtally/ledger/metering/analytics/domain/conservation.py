"""The conservation of energy at a property: what is supplied goes through the meters below it, or
is unaccounted for: main = subs + losses.

Owns which meters stand on which side. Supplied is what the main meters count (where there is none,
`total`) and what solar meters generate; metered are the sub meters, and the main meters of the
properties directly below. Exported energy is subtracted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from gridtally.kernel.money import EXACT, Rounding
from gridtally.ledger.metering.analytics.domain.consumption import Consumption
from gridtally.ledger.registry.domain.meters import ActiveFlow, Meter
from gridtally.metering.curves import Quality, worst

PERCENT = Rounding("half_even", 2)
Side = Literal["supplied", "metered"]


@dataclass(frozen=True, slots=True)
class BalanceTerm:
    """One register on one side of the balance, added (`sign` 1) or subtracted (-1)."""

    meter: Meter
    side: Side
    sign: int
    flow: ActiveFlow


def balance_terms(own: Sequence[Meter], below: Sequence[Sequence[Meter]]) -> list[BalanceTerm]:
    """The registers of a property's balance: those of its own meters, and of the meters of each
    property directly below."""
    supplied = _supply_meters(own) + [meter for meter in own if meter.meter_type == "solar"]
    metered = [meter for meter in own if meter.meter_type == "sub"]
    metered += [meter for child in below for meter in _supply_meters(child)]
    return [term for meter in supplied for term in _net_terms(meter, "supplied")] + [
        term for meter in metered for term in _net_terms(meter, "metered")
    ]


def _supply_meters(meters: Sequence[Meter]) -> list[Meter]:
    mains = [meter for meter in meters if meter.meter_type == "main"]
    return mains or [meter for meter in meters if meter.meter_type == "total"]


def _net_terms(meter: Meter, side: Side) -> list[BalanceTerm]:
    """A meter's main register less its export."""
    flows = {register.flow for register in meter.registers}
    main = meter.main_flow
    terms = [BalanceTerm(meter, side, 1, main)] if main and main != "export" else []
    return terms + ([BalanceTerm(meter, side, -1, "export")] if "export" in flows else [])


@dataclass(frozen=True, slots=True)
class Balance:
    """Supplied = metered + unaccounted, in kWh; None where something is not completely known."""

    supplied_kwh: Decimal | None
    metered_kwh: Decimal | None
    unaccounted_kwh: Decimal | None
    unaccounted_percent: Decimal | None
    quality: Quality

    def ok(self, loss_percent_max: Decimal) -> bool | None:
        """Whether the unaccounted energy can be a loss: not negative, and at most that percentage
        of what was supplied; None where it is not known."""
        if self.unaccounted_kwh is None or self.supplied_kwh is None:
            return None
        loss_kwh_max = EXACT.multiply(self.supplied_kwh, loss_percent_max) / 100
        return 0 <= self.unaccounted_kwh <= loss_kwh_max


def balance(counted: Sequence[tuple[BalanceTerm, Consumption]]) -> Balance:
    """The balance of what each register counted."""
    supplied, metered = (_sum(counted, "supplied"), _sum(counted, "metered"))
    quality = worst(consumption.quality for _, consumption in counted)
    if supplied is None or metered is None:
        return Balance(supplied, metered, None, None, quality)
    unaccounted = EXACT.subtract(supplied, metered)
    percent = PERCENT.round(EXACT.divide(100 * unaccounted, supplied)) if supplied else None
    return Balance(supplied, metered, unaccounted, percent, quality)


def _sum(counted: Sequence[tuple[BalanceTerm, Consumption]], side: Side) -> Decimal | None:
    """The kWh of one side; None where a register of it is not completely known."""
    total = Decimal(0)
    for term, consumption in counted:
        if term.side != side:
            continue
        if consumption.kwh is None or not consumption.complete:
            return None
        total = EXACT.add(total, term.sign * consumption.kwh)
    return total
