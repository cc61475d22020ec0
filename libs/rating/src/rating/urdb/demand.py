"""Demand: a record's charges on the highest power, by the month and by time of use.

Conventions: power is measured in blocks of `demandwindow` minutes, 15 where the record does not
say; intervals that are longer give their own mean. A ratchet looks back over eleven months.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from kernel.errors import Fault
from rating.urdb.energy import table_of
from rating.urdb.record import (
    MONTHS,
    Period,
    Record,
    invalid,
    months_at,
    number_at,
    schedule_at,
    structure_at,
    whole_at,
)
from rating.urdb.schedule import Season, Table, all_day, windows_of
from rating.urdb.tiers import ladder_of

FLAT = "flatdemandstructure"
WINDOWS_MIN = (5, 10, 15, 30, 60)
WINDOW_MIN = 15
LOOKBACK_MONTHS = 11
"""With the billed month a year."""


@dataclass(frozen=True, slots=True)
class DemandTable:
    """The periods of one of the two structures with their tiers, and when each is on."""

    charge_id: str
    field: str
    periods: Sequence[Period]
    table: Table
    unit: str


def read_demand(record: Record) -> list[DemandTable]:
    """The flat and the time-of-use demand, where the record has them; Rejected if not whole."""
    flat = structure_at(record, FLAT)
    months = months_at(record, "flatdemandmonths", len(flat)) if flat else None
    by_time = structure_at(record, "demandratestructure")
    weekday = schedule_at(record, "demandweekdayschedule", len(by_time)) if by_time else None
    weekend = schedule_at(record, "demandweekendschedule", len(by_time)) if by_time else None
    units = {name: record.text(name) for name in ("flatdemandunit", "demandrateunit")}
    for unread in ("flatdemandmonths", "demandweekdayschedule", "demandweekendschedule"):
        record.take(unread)
    found = []
    if _costs(flat):
        if months is None and len(flat) > 1:
            raise invalid([Fault("/flatdemandmonths", f"is needed: {len(flat)} periods")])
        table = all_day(months or [0] * MONTHS)
        unit = units["flatdemandunit"]
        found.append(DemandTable("flat-demand", FLAT, flat, table, unit))
    if _costs(by_time):
        table = table_of(record, "demand", weekday, weekend, len(by_time))
        unit = units["demandrateunit"]
        found.append(DemandTable("demand", "demandratestructure", by_time, table, unit))
    return found


def _costs(periods: Sequence[Period]) -> bool:
    """Whether any tier has a rate; records often hold one of 0."""
    return any(tier.get("rate") or tier.get("adj") for tiers in periods for tier in tiers)


def demand_charges(
    record: Record, tables: Sequence[DemandTable], seasons: Sequence[Season]
) -> list[dict[str, object]]:
    """A demand charge for each structure; ones in units that no meter has are reported."""
    how = _measured(record, needed=bool(tables)) | _ratchet(record)
    charges = []
    for demand in tables:
        per = {"": "month", "kw": "month", "kw daily": "day"}.get(demand.unit.lower())
        if per is None:
            record.note("not_imported", demand.field, f"in {demand.unit}, not kW")
            continue
        if (charge := _charge(record, demand, seasons, how)) is not None:
            if "ratchet_months" in how and len(demand.table.used()) > 1:
                charge |= _across(record, demand)
            charges.append(charge | how | {"per": per})
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
    """None where no period that is ever on costs anything."""
    used = sorted(demand.table.used())
    ladders = {
        period: ladder_of(record, demand.periods[period], f"/{demand.field}/{period}", "rate")
        for period in used
    }
    bands = {
        period: f"period-{period}"
        for period, ladder in ladders.items()
        if len(ladder) > 1 or Decimal(str(ladder[0]["rate"]))
    }
    if not bands:
        return None
    if demand.field == FLAT and "ratchet_months" in how:  # free months are looked back on too
        bands = {period: f"period-{period}" for period in used}
    charge: dict[str, object] = {"kind": "demand", "id": demand.charge_id}
    if len(used) == 1:
        return charge | _rated(ladders[used[0]])
    return charge | {
        "bands": [{"name": bands[period]} | _rated(ladders[period]) for period in bands],
        "windows": windows_of(demand.table, seasons, bands, demand.field),
    }


def _rated(ladder: list[dict[str, object]]) -> dict[str, object]:
    """A rate, or tiers where there are several."""
    return {"rate": ladder[0]["rate"]} if len(ladder) == 1 else {"tiers": ladder}


def _measured(record: Record, *, needed: bool) -> dict[str, object]:
    value = record.take("demandwindow")
    minutes = WINDOW_MIN
    if value is not None:
        minutes = whole_at(value, "/demandwindow")
        if minutes not in WINDOWS_MIN:
            record.note("not_understood", "demandwindow", f"{value} minutes: read as {WINDOW_MIN}")
            minutes = WINDOW_MIN
    elif needed:
        record.note("convention", "demandwindow", f"absent: read as {WINDOW_MIN} minutes")
    return {"minutes": minutes, "from_coarser": "mean"}


def _ratchet(record: Record) -> dict[str, object]:
    """A share of the highest demand of the months before, the same in every month."""
    value = record.take("demandratchetpercentage")
    lookback = record.take("lookbackpercent")
    months, span = record.take("lookbackmonths"), record.take("lookbackrange")
    share = Decimal(0)
    if value is not None:
        rows = value if isinstance(value, list) else [value]
        shares = {number_at(each, "/demandratchetpercentage") for each in rows}
        if len(shares) > 1:
            record.note("not_imported", "demandratchetpercentage", "differs from month to month")
        elif shares:
            (share,) = shares
    if lookback is not None and number_at(lookback, "/lookbackpercent"):
        if months is not None and not (isinstance(months, list) and all(months)):
            record.note("not_imported", "lookbackpercent", "looks back on some months only")
        else:
            share = number_at(lookback, "/lookbackpercent")
    if not share:
        return {}
    back = LOOKBACK_MONTHS
    if span is not None and number_at(span, "/lookbackrange"):
        back = whole_at(span, "/lookbackrange")
    else:
        record.note("convention", "demandratchetpercentage", f"looks back over {back} months")
    percent = share * 100 if share <= 1 else share
    return {"ratchet_months": back, "ratchet_percent": format(percent.normalize(), "f")}
