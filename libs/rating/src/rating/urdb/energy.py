"""Energy: a record's periods and tiers as energy charges, and what it pays for export.

Conventions: consumption above tiers is shared over the periods of a month pro rata, as SAM does;
where export is settled per interval, both climb their tiers in order of time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from kernel.errors import Fault
from rating.urdb.record import (
    MONTHS,
    Period,
    Record,
    invalid,
    schedule_at,
    structure_at,
)
from rating.urdb.schedule import Season, Table, all_day, windows_of
from rating.urdb.tiers import Price, ladder_of

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


@dataclass(frozen=True, slots=True)
class EnergyTable:
    """The periods with their tiers, and when each is on."""

    periods: Sequence[Period]
    table: Table


def read_energy(record: Record) -> EnergyTable | None:
    """None where the record charges no energy; Rejected where it is not whole."""
    periods = structure_at(record, STRUCTURE)
    weekday = schedule_at(record, "energyweekdayschedule", len(periods))
    weekend = schedule_at(record, "energyweekendschedule", len(periods))
    if not periods:
        return None
    _check_units(periods)
    return EnergyTable(periods, table_of(record, "energy", weekday, weekend, len(periods)))


def _check_units(periods: Sequence[Period]) -> None:
    """Rejected where a rate is for another unit than kWh, or its tiers are in an unknown one."""
    for number, tiers in enumerate(periods):
        for place, tier in enumerate(tiers):
            unit = str(tier.get("unit") or "").strip()
            if unit and unit.lower() not in LIMITS:
                path = f"/{STRUCTURE}/{number}/{place}/unit"
                raise invalid([Fault(path, f"{unit!r} is none of {', '.join(LIMITS)}")])


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
            told = f"is needed: {what}ratestructure has {periods} periods"
            raise invalid([Fault(f"/{what}weekdayschedule", told)])
        return all_day([0] * MONTHS)
    if weekday is None or weekend is None:
        missing = "weekday" if weekday is None else "weekend"
        record.note("convention", f"{what}{missing}schedule", "absent: every day is alike")
    return Table(weekday or rows, weekend or rows)


def energy_charges(
    record: Record, energy: EnergyTable, seasons: Sequence[Season], split: Split, flow: str
) -> list[dict[str, object]]:
    """The charge for what is taken: flat, by time, by tiers, or by both."""
    return _charges(record, energy, seasons, split, ("energy", flow, "rate"))


def export_charges(
    record: Record, energy: EnergyTable, seasons: Sequence[Season], flow: str
) -> list[dict[str, object]]:
    """What is paid for energy given, at the sell rates; none where the record has none.

    Sell rates that differ by tier are energy charges below nothing, others are credits.
    """
    if not any("sell" in tier for tiers in energy.periods for tier in tiers):
        return []
    charges = _charges(record, energy, seasons, "chronological", ("export", flow, "sell"))
    return [_credit(charge) for charge in charges]


def net_metering(charge: dict[str, object]) -> dict[str, object]:
    """An energy charge without tiers, of import less export; units left over go to a bank."""
    kept = {name: value for name, value in charge.items() if name not in ("kind", "flow")}
    return kept | {"kind": "net_metering", "surplus": {"kind": "carry_forward"}}


def _credit(charge: dict[str, object]) -> dict[str, object]:
    """A charge at rates below nothing as a credit at their opposites, where it has no tiers."""
    paid = {"kind": "export_credit", "surplus": {"kind": "payout"}}
    match charge["kind"], charge.get("bands"):
        case "energy", _:
            return charge | paid | {"rate": _opposite(charge["rate"])}
        case "time_of_use", list(bands):
            opposite = [band | {"rate": _opposite(band["rate"])} for band in bands]
            return charge | paid | {"bands": opposite}
    return charge


def _opposite(rate: object) -> str:
    return format(-Decimal(str(rate)) + 0, "f")


def _charges(
    record: Record,
    energy: EnergyTable,
    seasons: Sequence[Season],
    split: Split,
    what: tuple[str, str, Price],
) -> list[dict[str, object]]:
    charge_id, flow, price = what
    used = energy.table.used()
    ladders = {
        period: ladder_of(record, energy.periods[period], f"/{STRUCTURE}/{period}", price)
        for period in used
    }
    charge: dict[str, object] = {"id": charge_id, "flow": flow}
    tiered = any(len(tiers) > 1 for tiers in ladders.values())
    if tiered:
        charge["limits"] = LIMITS[_unit(record, energy.periods, used)]
    if len(used) == 1:
        (ladder,) = ladders.values()
        if not tiered:
            return [charge | {"kind": "energy", "rate": ladder[0]["rate"]}]
        return [charge | {"kind": "tiered", "tiers": ladder}]
    bands = {period: f"period-{period}" for period in used}
    most = used[0]
    charge["default_band"] = bands[most]
    others = {period: name for period, name in bands.items() if period != most}
    charge["windows"] = windows_of(energy.table, seasons, others, "energyweekdayschedule")
    if not tiered:
        charge["bands"] = [
            {"name": bands[period], "rate": ladders[period][0]["rate"]} for period in sorted(used)
        ]
        return [charge | {"kind": "time_of_use"}]
    charge["bands"] = [{"name": bands[period], "tiers": ladders[period]} for period in sorted(used)]
    return [charge | {"kind": "tiered_time_of_use", "split": split}]


def _unit(record: Record, periods: Sequence[Period], used: Sequence[int]) -> str:
    """The one unit of all limits; Rejected where tiers are in several, or an unknown one."""
    units: dict[str, str] = {}
    for period in used:
        for place, tier in enumerate(periods[period]):
            unit = str(tier.get("unit") or "").strip()
            if not unit:
                record.note(
                    "convention", f"/{STRUCTURE}/{period}/{place}/unit", "absent: read as kWh"
                )
            units.setdefault((unit or "kWh").lower(), f"/{STRUCTURE}/{period}/{place}/unit")
    if len(units) > 1:
        raise invalid([Fault(f"/{STRUCTURE}", f"tiers in several units: {', '.join(units)}")])
    return next(iter(units))
