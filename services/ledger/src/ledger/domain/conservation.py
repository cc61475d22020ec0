"""The conservation of energy at a node: what is supplied goes through the meters below, or is
unaccounted for: main = subs + losses.

Owns which meters stand on which side. Supplied is what the main meters count (where there is none,
`total`) and what solar meters generate; metered are the sub meters, and the main meters of the
properties that hang directly under the node. What goes back counts less.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from kernel.money import EXACT, Rounding
from ledger.domain.curves import Quality, worst
from ledger.domain.derived import Consumption
from ledger.domain.registry import Flow, Meter

PERCENT = Rounding("half_even", 2)
Side = Literal["supplied", "metered"]


@dataclass(frozen=True, slots=True)
class Share:
    """One register on one side of the balance, added or taken away."""

    meter: Meter
    side: Side
    sign: int
    flow: Flow


def shares(own: Sequence[Meter], below: Sequence[Sequence[Meter]]) -> list[Share]:
    """The registers of a node's balance: its own meters', and those of each property below."""
    supplied = _entrances(own) + [meter for meter in own if meter.type == "solar"]
    metered = [meter for meter in own if meter.type == "sub"]
    metered += [meter for child in below for meter in _entrances(child)]
    return [share for meter in supplied for share in _net(meter, "supplied")] + [
        share for meter in metered for share in _net(meter, "metered")
    ]


def _entrances(meters: Sequence[Meter]) -> list[Meter]:
    mains = [meter for meter in meters if meter.type == "main"]
    return mains or [meter for meter in meters if meter.type == "total"]


def _net(meter: Meter, side: Side) -> list[Share]:
    flows = {register.flow for register in meter.registers}
    main = meter.main_flow
    plus = [Share(meter, side, 1, main)] if main is not None and main != "export" else []
    return plus + ([Share(meter, side, -1, "export")] if "export" in flows else [])


@dataclass(frozen=True, slots=True)
class Balance:
    """Supplied = metered + unaccounted, in kWh; None where something is not completely known."""

    supplied_kwh: Decimal | None
    metered_kwh: Decimal | None
    unaccounted_kwh: Decimal | None
    unaccounted_percent: Decimal | None
    quality: Quality

    def ok(self, loss_percent_max: Decimal) -> bool | None:
        """Whether the loss is one: not negative, and not more than that."""
        if self.unaccounted_kwh is None or self.supplied_kwh is None:
            return None
        most = EXACT.multiply(self.supplied_kwh, loss_percent_max) / 100
        return 0 <= self.unaccounted_kwh <= most


def balance(counted: Sequence[tuple[Share, Consumption]]) -> Balance:
    """The balance of what each register counted."""
    supplied, metered = (_sum(counted, "supplied"), _sum(counted, "metered"))
    quality = worst(each.quality for _, each in counted)
    if supplied is None or metered is None:
        return Balance(supplied, metered, None, None, quality)
    lost = EXACT.subtract(supplied, metered)
    percent = PERCENT.round(EXACT.divide(100 * lost, supplied)) if supplied else None
    return Balance(supplied, metered, lost, percent, quality)


def _sum(counted: Sequence[tuple[Share, Consumption]], side: Side) -> Decimal | None:
    total = Decimal(0)
    for share, each in counted:
        if share.side != side:
            continue
        if each.kwh is None or not each.complete:
            return None
        total = EXACT.add(total, share.sign * each.kwh)
    return total
