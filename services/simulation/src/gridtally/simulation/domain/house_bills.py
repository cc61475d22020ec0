"""House bills: what `gridtally.rating` makes of a house's month, with every part of the sum.

Rates as invoices are rated: the same function, the same tariff documents.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

import numpy as np

from gridtally.kernel.energy import kwh
from gridtally.kernel.errors import Rejected
from gridtally.kernel.ids import derive_id
from gridtally.kernel.money import plain
from gridtally.kernel.periods import Period
from gridtally.rating.document import tariff_version
from gridtally.rating.engine.bill import NO_PRICES, NO_STATE, Bill, rate
from gridtally.rating.prices import Prices
from gridtally.rating.quote import quote_document
from gridtally.rating.state import State
from gridtally.rating.tariff import TariffVersion
from gridtally.rating.usage import MISSING, Flow, Series, Usage, with_net
from gridtally.simulation.domain.houses import House
from gridtally.simulation.domain.policies import (
    ARREARS,
    ENERGY,
    EXPORT,
    FIXED,
    FUEL,
    TAX,
    band_name,
)
from gridtally.simulation.domain.runs import MissingIntervals

Json = dict[str, object]
_NAMED = {
    "energy_charge": ENERGY,
    "fixed_charge": FIXED,
    "fac_charge": FUEL,
    "arrears": ARREARS,
    "tax": TAX,
}
"""The sums of a policy's bill, by the component that each is of."""


@dataclass(frozen=True, slots=True)
class HouseBill:
    """A house's month: energy in Wh, the amount in `currency`, and how it came about."""

    house_node_id: UUID
    house_name: str
    imported_wh: int
    exported_wh: int
    calculated_bill_amount: Decimal
    currency: str
    bill_details: Json = field(hash=False)

    @property
    def total_energy_imported_kwh(self) -> Decimal:
        """What the house took."""
        return kwh(self.imported_wh)

    @property
    def total_energy_exported_kwh(self) -> Decimal:
        """What the house fed in."""
        return kwh(self.exported_wh)

    @property
    def net_energy_balance_kwh(self) -> Decimal:
        """Taken less fed in; below zero where the house fed in more."""
        return kwh(self.imported_wh - self.exported_wh)


@dataclass(frozen=True, slots=True, eq=False)
class MeterSeries:
    """A flow of a meter over the billing month, in Wh; `MISSING` where there is no value."""

    flow: Flow
    minutes: int
    values: Series = field(repr=False)


def version_of(document: Mapping[str, object], zone: str) -> TariffVersion:
    """The tariff of a run for houses of a zone: a policy's document names none, a tariff's does."""
    whole = document if "zone" in document else {**document, "zone": zone}
    return tariff_version(derive_id("simulation tariff", zone), whole)


def usage_of(house: House, month: Period, meters: Sequence[Sequence[MeterSeries]]) -> Usage:
    """A house's usage: the flows of its meters, added up to the longest of their intervals.

    A house without an export meter exports nothing. Rejected where the series do not fit the zone.
    """
    minutes = max((series.minutes for meter in meters for series in meter), default=15)
    flows: dict[Flow, list[Series]] = {}
    for meter in meters:
        at_minutes: dict[Flow, Series] = {
            series.flow: _coarser(series, minutes) for series in meter
        }
        for flow, values in with_net(at_minutes).items():
            flows.setdefault(flow, []).append(values)
    summed = {flow: _added(series) for flow, series in flows.items()}
    if summed:
        nothing = np.zeros_like(next(iter(summed.values())))
        for flow in ("import", "export"):
            summed.setdefault(flow, nothing)
    try:
        return Usage(house.zone, month, minutes, summed, house.connected_kw)
    except ValueError as unfit:
        raise Rejected("readings_unfit", f"house {house.house_node_id}: {unfit}") from None


def _coarser(series: MeterSeries, minutes: int) -> Series:
    per_sum = minutes // series.minutes
    if per_sum * series.minutes != minutes or series.values.size % per_sum:
        raise Rejected(
            "readings_unfit",
            f"{series.flow}: intervals of {series.minutes} min do not make {minutes} min",
        )
    if per_sum == 1:
        return series.values
    parts = series.values.astype(np.int64).reshape(-1, per_sum)
    sums: Series = np.where((parts == MISSING).any(axis=1), MISSING, parts.sum(axis=1))
    return sums


def _added(series: Sequence[Series]) -> Series:
    """The sum of some meters, interval by interval; missing where any of them is."""
    if len(series) == 1:
        return series[0]
    stacked = np.stack(series).astype(np.int64)
    total: Series = np.where((stacked == MISSING).any(axis=0), MISSING, stacked.sum(axis=0))
    return total


def rate_houses(
    document: Mapping[str, object],
    houses: Sequence[House],
    usages: Sequence[Usage],
    *,
    missing: MissingIntervals,
    labels: Sequence[str] = (),
    prices: Prices = NO_PRICES,
) -> list[HouseBill]:
    """The bill of each house, in their order; `labels` are those of a time-of-use policy's periods,
    `prices` those of the series that the tariff names.

    Rejected as `gridtally.rating.engine.bill.rate` is, with the zone's first house at fault named
    where values are missing.
    """
    bills = rate_by_zone(document, houses, usages, missing=missing, prices=prices)
    quoted = quote_document(usages, bills)["periods"]
    if not isinstance(quoted, list):
        raise TypeError("a quote lists its periods")
    return [
        _house_bill(house, usage, bill, {**period, **_details(bill, labels)})
        for house, usage, bill, period in zip(houses, usages, bills, quoted, strict=True)
    ]


def rate_by_zone(
    document: Mapping[str, object],
    houses: Sequence[House],
    usages: Sequence[Usage],
    *,
    missing: MissingIntervals,
    states: Sequence[State] | None = None,
    prices: Prices = NO_PRICES,
) -> list[Bill]:
    """What `gridtally.rating` makes of each house's usage, in their order; `states` are what the
    bills before left. Rejected as `rate_houses` is."""
    if missing == "refused":
        _check_missing(houses, usages)
    before = [NO_STATE] * len(houses) if states is None else states
    bills: dict[int, Bill] = {}
    for zone in dict.fromkeys(house.zone for house in houses):
        numbers = [number for number, house in enumerate(houses) if house.zone == zone]
        rated = rate(
            version_of(document, zone),
            [usages[number] for number in numbers],
            states=[before[number] for number in numbers],
            prices=prices,
            missing=missing,
        )
        bills.update(zip(numbers, rated, strict=True))
    return [bills[number] for number in range(len(houses))]


def _check_missing(houses: Sequence[House], usages: Sequence[Usage]) -> None:
    for house, usage in zip(houses, usages, strict=True):
        for flow in ("import", "export"):
            if usage.series[flow].min(initial=0) == MISSING:
                gaps = int((usage.series[flow] == MISSING).sum())
                raise Rejected(
                    "values_missing",
                    f"house {house.house_node_id} ({house.name}) lacks {gaps} of "
                    f"{usage.series[flow].size} intervals of {flow}; a run with missing "
                    "`counts_as_zero` takes them for no energy",
                )


def _house_bill(house: House, usage: Usage, bill: Bill, details: Json) -> HouseBill:
    return HouseBill(
        house_node_id=house.house_node_id,
        house_name=house.name,
        imported_wh=_energy_wh(usage.series["import"]),
        exported_wh=_energy_wh(usage.series["export"]),
        calculated_bill_amount=bill.total,
        currency=bill.currency,
        bill_details=details,
    )


def _energy_wh(values: Series) -> int:
    """The sum of what is there."""
    present = np.maximum(values, 0) if values.min(initial=0) < 0 else values
    return int(present.sum(dtype=np.int64))


def _details(bill: Bill, labels: Sequence[str]) -> Json:
    """The totals, and the sums that a policy speaks of: what is beside a bill's lines."""
    charged: dict[str, Decimal] = {}
    credit = zero = bill.total - bill.total
    for line in bill.lines:
        if line.item.kind == "credit":
            credit += line.amount
        else:
            component_id = line.item.component_id
            charged[component_id] = charged.get(component_id, zero) + line.amount
    details: Json = {
        name: plain(charged.get(component_id, zero)) for name, component_id in _NAMED.items()
    }
    details |= {
        "surplus_credit": plain(-credit or abs(credit)),
        "net": plain(bill.net),
        "total": plain(bill.total),
    }
    if labels:
        details["tou_periods"] = _periods(bill, labels)
    return details


def _periods(bill: Bill, labels: Sequence[str]) -> list[Json]:
    """What each period of a time-of-use policy took, fed in and came to."""
    sums: dict[tuple[str, str | None], tuple[Decimal, Decimal]] = {}
    nothing = Decimal(0), Decimal(0)
    for line in bill.lines:
        key = line.item.component_id, line.item.band
        quantity, amount = sums.get(key, nothing)
        sums[key] = quantity + line.quantity, amount + line.amount
    periods: list[Json] = []
    for index, label in enumerate(labels):
        imported, charge = sums.get((ENERGY, band_name(index)), nothing)
        exported, credit = sums.get((EXPORT, band_name(index)), nothing)
        periods.append(
            {
                "label": label,
                "imported_kwh": plain(imported),
                "import_charge": plain(abs(charge)),
                "exported_kwh": plain(exported),
                "export_credit": plain(abs(credit)),
            }
        )
    return periods
