"""Energy: a record's periods and tiers as energy charges, and what it pays for export.

Conventions: each tier of a month's consumption is divided over the periods pro rata, as SAM does;
where export is netted per interval, import and export fill their tiers in order of time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from gridtally.kernel.errors import Fault
from gridtally.urdb.record import (
    MONTHS,
    TIER_FIELDS,
    Period,
    Record,
    in_words,
    invalid,
    schedule_at,
    structure_at,
)
from gridtally.urdb.schedule import Season, Table, all_day, windows_of
from gridtally.urdb.tiers import Price, has_price, tiers_in_blocks, tiers_of

Split = Literal["pro_rata", "chronological"]
"""How a tariff with tiers and periods fills the tiers."""
STRUCTURE = "energyratestructure"
LIMITS: dict[str, dict[str, object]] = {
    "kwh": {"per": "month"},
    "kwh daily": {"per": "day"},
    "kwh/kw": {"per": "month", "kw": "peak", "peak_minutes": 15, "from_coarser": "mean"},
    "kwh/kw daily": {"per": "day", "kw": "peak", "peak_minutes": 15, "from_coarser": "mean"},
}
"""What the maximum of a tier in each unit is for."""
MIXED = (("kwh", "kwh/kw"), ("kwh daily", "kwh/kw daily"))
"""The units that the tiers of a period may have together."""


@dataclass(frozen=True, slots=True)
class EnergyTable:
    """The periods with their tiers, and when each is in force."""

    periods: Sequence[Period]
    table: Table


def read_energy(record: Record) -> EnergyTable | None:
    """A record's energy rates; None where it has none, Rejected where parts are missing."""
    periods = structure_at(record, STRUCTURE)
    weekday = schedule_at(record, "energyweekdayschedule", len(periods)) if periods else None
    weekend = schedule_at(record, "energyweekendschedule", len(periods)) if periods else None
    if not periods:
        for unread in ("energyweekdayschedule", "energyweekendschedule"):
            record.take(unread)
        record.lack(STRUCTURE, "is missing: what energy costs is not in the record")
        return None
    _check_units(periods)
    _check_prices(periods)
    if all(periods) and not any(has_price(tier) for tiers in periods for tier in tiers):
        record.lack(STRUCTURE, "has no rate in any tier: what energy costs is not in the record")
        return None
    return EnergyTable(periods, table_of(record, "energy", weekday, weekend, len(periods)))


def _check_units(periods: Sequence[Period]) -> None:
    """Rejected where a rate is for another unit than kWh, or its tiers are in an unknown one."""
    for number, tiers in enumerate(periods):
        for tier_index, tier in enumerate(tiers):
            unit = str(tier.get("unit") or "").strip()
            if unit and unit.lower() not in LIMITS:
                path = f"/{STRUCTURE}/{number}/{tier_index}/unit"
                raise invalid([Fault(path, f"{in_words(unit)} is none of {', '.join(LIMITS)}")])


def _check_prices(periods: Sequence[Period]) -> None:
    """Rejected where a tier has a field that nobody knows in place of a rate."""
    for number, tiers in enumerate(periods):
        for tier_index, tier in enumerate(tiers):
            unknown = [name for name in tier if name not in (*TIER_FIELDS, "unit", "sell")]
            if unknown and not TIER_FIELDS & {"rate", "adj"} & set(tier):
                path = f"/{STRUCTURE}/{number}/{tier_index}/rate"
                shown = in_words({name: tier[name] for name in unknown})
                detail = f"is missing; what is there is no known field: {shown}"
                raise invalid([Fault(path, detail)])


def table_of(
    record: Record,
    what: str,
    weekday: list[list[int]] | None,
    weekend: list[list[int]] | None,
    periods: int,
) -> Table:
    """The schedule of a structure; one day type stands in for the other where it is missing."""
    rows = weekday or weekend
    if rows is None:
        if periods > 1:
            description = f"is needed: {what}ratestructure has {periods} periods"
            raise invalid([Fault(f"/{what}weekdayschedule", description)])
        return all_day([0] * MONTHS)
    if weekday is None or weekend is None:
        missing = "weekday" if weekday is None else "weekend"
        record.note("convention", f"{what}{missing}schedule", "absent: every day is the same")
    return Table(weekday or rows, weekend or rows)


def energy_charges(
    record: Record, energy: EnergyTable, seasons: Sequence[Season], split: Split, flow: str
) -> list[dict[str, object]]:
    """The charges for imported energy: flat, by time, by tiers, or by both."""
    return _charges(record, energy, seasons, split, ("energy", flow, "rate"))


def export_charges(
    record: Record, energy: EnergyTable, seasons: Sequence[Season], flow: str
) -> list[dict[str, object]]:
    """What is paid for exported energy, at the sell rates; none where the record has none."""
    if not any("sell" in tier for tiers in energy.periods for tier in tiers):
        return []
    charges = _charges(record, energy, seasons, "chronological", ("export", flow, "sell"))
    return [_credit(charge) for charge in charges]


def net_metering(charge: dict[str, object]) -> dict[str, object]:
    """An energy charge of import less export; units that are left over go to a bank."""
    priced = {name: value for name, value in charge.items() if name not in ("kind", "flow")}
    return priced | {"kind": "net_metering", "surplus": {"kind": "carry_forward"}}


def _credit(charge: dict[str, object]) -> dict[str, object]:
    """A charge at rates below zero as a credit at their opposites."""
    paid = {"kind": "export_credit", "surplus": {"kind": "payout"}}
    return {**_at_opposite_rates(charge), **paid}


def _at_opposite_rates(rated: dict[str, object]) -> dict[str, object]:
    """A charge, band or tier whose rates, and those of its own bands and tiers, are turned."""
    turned = dict(rated)
    for name, value in rated.items():
        if name == "rate":
            turned[name] = format(-Decimal(str(value)) + 0, "f")
        elif name in ("bands", "tiers") and isinstance(value, list):
            turned[name] = [_at_opposite_rates(part) for part in value]
    return turned


def _charges(
    record: Record,
    energy: EnergyTable,
    seasons: Sequence[Season],
    split: Split,
    what: tuple[str, str, Price],
) -> list[dict[str, object]]:
    charge_id, flow, price = what
    used = energy.table.used()
    charge: dict[str, object] = {"id": charge_id, "flow": flow}
    tiered = any(len(energy.periods[period]) > 1 for period in used)
    read = tiers_of
    if tiered:
        units = _units(record, energy.periods, used)
        charge["limits"] = LIMITS[units[-1]]
        read = tiers_of if len(units) == 1 else tiers_in_blocks
    tiers_by_period = {
        period: read(record, energy.periods[period], f"/{STRUCTURE}/{period}", price)
        for period in used
    }
    if len(used) == 1:
        (tiers,) = tiers_by_period.values()
        if not tiered:
            return [charge | {"kind": "energy", "rate": tiers[0]["rate"]}]
        return [charge | {"kind": "tiered", "tiers": tiers}]
    bands = {period: f"period-{period}" for period in used}
    most = used[0]
    charge["default_band"] = bands[most]
    others = {period: name for period, name in bands.items() if period != most}
    charge["windows"] = windows_of(energy.table, seasons, others, "energyweekdayschedule")
    if not tiered:
        charge["bands"] = [
            {"name": bands[period], "rate": tiers_by_period[period][0]["rate"]}
            for period in sorted(used)
        ]
        return [charge | {"kind": "time_of_use"}]
    charge["bands"] = [
        {"name": bands[period], "tiers": tiers_by_period[period]} for period in sorted(used)
    ]
    return [charge | {"kind": "tiered_time_of_use", "split": split}]


def _units(record: Record, periods: Sequence[Period], used: Sequence[int]) -> tuple[str, ...]:
    """The one unit of all limits, or that and the same per kW; Rejected for other mixtures."""
    units: dict[str, str] = {}
    for period in used:
        for tier_index, tier in enumerate(periods[period]):
            unit = str(tier.get("unit") or "").strip()
            if not unit:
                record.note(
                    "convention", f"/{STRUCTURE}/{period}/{tier_index}/unit", "absent: read as kWh"
                )
            units.setdefault((unit or "kWh").lower(), f"/{STRUCTURE}/{period}/{tier_index}/unit")
    for mixed in MIXED:
        if set(units) == set(mixed):
            return mixed
    if len(units) > 1:
        raise invalid([Fault(f"/{STRUCTURE}", f"tiers in several units: {', '.join(units)}")])
    return tuple(units)
