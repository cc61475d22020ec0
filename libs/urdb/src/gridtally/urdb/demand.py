"""Demand: a record's charges on the highest power, by the month and by time of use.

Conventions: power is measured in blocks of `demandwindow` minutes, 15 where the record does not
say; intervals that are longer give their own mean. A ratchet looks back over eleven months, or
`lookbackrange` of them. kW daily are the month's highest power on each day.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from gridtally.kernel.errors import Fault
from gridtally.urdb.energy import table_of
from gridtally.urdb.record import (
    MONTHS,
    Period,
    Record,
    invalid,
    months_at,
    number_at,
    schedule_at,
    structure_at,
    twelve_at,
    whole_at,
)
from gridtally.urdb.schedule import Season, Table, all_day, windows_of
from gridtally.urdb.tiers import tiers_of

FLAT = "flatdemandstructure"
WINDOWS_MIN = (5, 10, 15, 30, 60)
WINDOW_MIN = 15
RATCHET, LOOKBACK = "demandratchetpercentage", "lookbackpercent"
POWER: dict[str, dict[str, object]] = {"": {}, "kw": {}, "kva": {"unit": "kVA"}}
"""What a demand charge in each unit says of it."""
LOOKBACK_MONTHS = 11
"""With the billed month a year."""


@dataclass(frozen=True, slots=True)
class DemandTable:
    """The periods of one of the two structures with their tiers, and when each is in force."""

    charge_id: str
    field: str
    periods: Sequence[Period]
    table: Table
    unit: str


def read_demand(record: Record) -> list[DemandTable]:
    """The flat and the time-of-use demand that a record has; Rejected where parts are missing."""
    flat = structure_at(record, FLAT)
    months = months_at(record, "flatdemandmonths", len(flat)) if flat else None
    by_time = structure_at(record, "demandratestructure")
    weekday = schedule_at(record, "demandweekdayschedule", len(by_time)) if by_time else None
    weekend = schedule_at(record, "demandweekendschedule", len(by_time)) if by_time else None
    units = {name: record.text(name) for name in ("flatdemandunit", "demandrateunit")}
    for unread in ("flatdemandmonths", "demandweekdayschedule", "demandweekendschedule"):
        record.take(unread)
    tables = []
    if _costs(flat):
        if months is None and len(flat) > 1:
            raise invalid([Fault("/flatdemandmonths", f"is needed: {len(flat)} periods")])
        table = all_day(months or [0] * MONTHS)
        unit = units["flatdemandunit"]
        tables.append(DemandTable("flat-demand", FLAT, flat, table, unit))
    if _costs(by_time):
        table = table_of(record, "demand", weekday, weekend, len(by_time))
        unit = units["demandrateunit"]
        tables.append(DemandTable("demand", "demandratestructure", by_time, table, unit))
    return tables


def _costs(periods: Sequence[Period]) -> bool:
    """Whether any tier has a rate; records often hold one of 0."""
    return any(tier.get("rate") or tier.get("adj") for tiers in periods for tier in tiers)


def demand_charges(
    record: Record,
    tables: Sequence[DemandTable],
    seasons: Sequence[Season],
    measured: Mapping[str, object],
) -> list[dict[str, object]]:
    """A demand charge for each structure; those in units that no meter has are reported.

    `measured` says over how many minutes power is the mean.
    """
    how = {**measured, **_ratchet(record)}
    charges = []
    for demand in tables:
        unit, _, daily = demand.unit.lower().partition(" ")
        if unit not in POWER or daily not in ("", "daily"):
            record.lack(demand.field, f"charges power in {demand.unit}, not kW or kVA")
            continue
        per = "day" if daily else "month"
        if per == "day":
            what = "the month's highest power, charged on each of its days"
            record.note("convention", demand.field, f"in {demand.unit}: {what}")
        if (charge := _charge(record, demand, seasons, how)) is not None:
            if "ratchet_months" in how and len(demand.table.used()) > 1:
                charge |= _across(record, demand)
            charges.append(charge | how | {"per": per} | POWER[unit])
    return charges


def _across(record: Record, demand: DemandTable) -> dict[str, object]:
    """What a ratchet of several periods looks back on."""
    if demand.field == FLAT:
        return {"ratchet_across_bands": True}  # its periods are seasons of the one highest power
    record.note("convention", "demandratchetpercentage", "each period looks back on its own peaks")
    return {}


def _charge(
    record: Record,
    demand: DemandTable,
    seasons: Sequence[Season],
    how: Mapping[str, object],
) -> dict[str, object] | None:
    """None where no period that is ever in force costs anything."""
    used = sorted(demand.table.used())
    tiers_by_period = {
        period: tiers_of(record, demand.periods[period], f"/{demand.field}/{period}", "rate")
        for period in used
    }
    bands = {
        period: f"period-{period}"
        for period, tiers in tiers_by_period.items()
        if len(tiers) > 1 or Decimal(str(tiers[0]["rate"]))
    }
    if not bands:
        return None
    if demand.field == FLAT and "ratchet_months" in how:  # free months are looked back on too
        bands = {period: f"period-{period}" for period in used}
    charge: dict[str, object] = {"kind": "demand", "id": demand.charge_id}
    if len(used) == 1:
        return charge | _rated(tiers_by_period[used[0]])
    return charge | {
        "bands": [{"name": bands[period]} | _rated(tiers_by_period[period]) for period in bands],
        "windows": windows_of(demand.table, seasons, bands, demand.field),
    }


def _rated(tiers: list[dict[str, object]]) -> dict[str, object]:
    """A rate, or tiers where there are several."""
    return {"rate": tiers[0]["rate"]} if len(tiers) == 1 else {"tiers": tiers}


def measured_over(record: Record) -> dict[str, object]:
    """The minutes over which power is the mean, in any charge on it."""
    value = record.take("demandwindow")
    minutes = WINDOW_MIN
    if value is not None:
        minutes = whole_at(value, "/demandwindow")
        if minutes not in WINDOWS_MIN:
            record.note("not_understood", "demandwindow", f"{value} minutes: read as {WINDOW_MIN}")
            minutes = WINDOW_MIN
    return {"minutes": minutes, "from_coarser": "mean"}


def _ratchet(record: Record) -> dict[str, object]:
    """A fraction of the highest demand of the months before, by the month or the same in all."""
    fractions, lookback = _monthly_fractions(record), _fraction_at(record, LOOKBACK)
    span, months = record.take("lookbackrange"), twelve_at(record, "lookbackmonths")
    if lookback:
        if any(fractions):
            record.note("not_imported", RATCHET, "lookbackpercent is there too and was taken")
        fractions = [lookback]
    if not any(fractions):
        return {}
    back = LOOKBACK_MONTHS
    if span is not None and number_at(span, "/lookbackrange"):
        back = whole_at(span, "/lookbackrange")
    else:
        record.note("convention", RATCHET, f"looks back over {back} months")
    ratchet: dict[str, object] = {"ratchet_months": back}
    if len(set(fractions)) == 1:
        ratchet["ratchet_percent"] = _percent(fractions[0])
    else:
        record.note(
            "convention", RATCHET, "the percentage is that of the month in which a bill begins"
        )
        ratchet["ratchet_percent_by_month"] = [_percent(fraction) for fraction in fractions]
    counted = [number for number, counts in enumerate(months or [], 1) if _is_true(counts)]
    if lookback and 0 < len(counted) < MONTHS:
        ratchet["ratchet_only_months"] = counted
    return ratchet


def _monthly_fractions(record: Record) -> list[Decimal]:
    """The demand ratchet's fractions: one for all months, or one for each."""
    value = record.fields.get(RATCHET)
    if not isinstance(value, list):
        return [_fraction_at(record, RATCHET)]
    if not value:
        record.take(RATCHET)
        return []
    rows = twelve_at(record, RATCHET) or []
    fractions = [number_at(0 if value is None else value, f"/{RATCHET}") for value in rows]
    return [_checked(fraction, RATCHET, max(fractions)) for fraction in fractions]


def _fraction_at(record: Record, name: str) -> Decimal:
    value = record.take(name)
    if value is None:
        return Decimal(0)
    number = number_at(value, f"/{name}")
    return _checked(number, name, number)


def _checked(number: Decimal, name: str, highest: Decimal) -> Decimal:
    """A fraction of 1, which records write as that or, where any is above 1, as a percentage."""
    fraction = number.scaleb(-2) if highest > 1 else number
    if not 0 <= fraction <= 1:
        raise invalid([Fault(f"/{name}", f"{number:f} is no fraction: 0.8 and 80 are 80 %")])
    return fraction


def _percent(fraction: Decimal) -> str:
    return format(fraction.scaleb(2).normalize() + 0, "f")


def _is_true(value: object) -> bool:
    """Whether a record's value means true: a boolean, 1, or a text of either."""
    return str(value).strip().lower() in ("true", "1", "1.0")
