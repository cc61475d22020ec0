"""Demand: a record's charges on the highest power, by the month and by time of use.

Conventions: power is measured in blocks of `demandwindow` minutes, 15 where the record does not
say; intervals that are longer give their own mean. A ratchet looks back over eleven months, or
`lookbackrange` of them. kW daily are the month's highest power on each day.
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
    twelve_at,
    whole_at,
)
from rating.urdb.schedule import Season, Table, all_day, windows_of
from rating.urdb.tiers import ladder_of

FLAT = "flatdemandstructure"
WINDOWS_MIN = (5, 10, 15, 30, 60)
WINDOW_MIN = 15
RATCHET, LOOKBACK = "demandratchetpercentage", "lookbackpercent"
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
        if per == "day":
            told = "in kW daily: the month's highest power, charged on each of its days"
            record.note("convention", demand.field, told)
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
    """A share of the highest demand of the months before, by the month or the same in all."""
    shares, lookback = _monthly_shares(record), _share_at(record, LOOKBACK)
    span, months = record.take("lookbackrange"), twelve_at(record, "lookbackmonths")
    if lookback:
        if any(shares):
            told = "lookbackpercent is there too and was taken"
            record.note("not_imported", RATCHET, told)
        shares = [lookback]
    if not any(shares):
        return {}
    back = LOOKBACK_MONTHS
    if span is not None and number_at(span, "/lookbackrange"):
        back = whole_at(span, "/lookbackrange")
    else:
        record.note("convention", RATCHET, f"looks back over {back} months")
    found: dict[str, object] = {"ratchet_months": back}
    if len(set(shares)) == 1:
        found["ratchet_percent"] = _percent(shares[0])
    else:
        record.note("convention", RATCHET, "the share is that of the month in which a bill begins")
        found["ratchet_percent_by_month"] = [_percent(share) for share in shares]
    counted = [number for number, counts in enumerate(months or [], 1) if _is_true(counts)]
    if lookback and 0 < len(counted) < MONTHS:
        found["ratchet_only_months"] = counted
    return found


def _monthly_shares(record: Record) -> list[Decimal]:
    """Of the demand ratchet: one for all months, or one for each."""
    value = record.fields.get(RATCHET)
    if not isinstance(value, list):
        return [_share_at(record, RATCHET)]
    if not value:
        record.take(RATCHET)
        return []
    rows = twelve_at(record, RATCHET) or []
    found = [number_at(0 if each is None else each, f"/{RATCHET}") for each in rows]
    return [_checked(share, RATCHET, max(found)) for share in found]


def _share_at(record: Record, name: str) -> Decimal:
    value = record.take(name)
    if value is None:
        return Decimal(0)
    share = number_at(value, f"/{name}")
    return _checked(share, name, share)


def _checked(share: Decimal, name: str, highest: Decimal) -> Decimal:
    """A share of 1, which records write as that or, where any is above 1, as a percentage."""
    found = share.scaleb(-2) if highest > 1 else share
    if not 0 <= found <= 1:
        raise invalid([Fault(f"/{name}", f"{share:f} is no share: 0.8 and 80 are 80 %")])
    return found


def _percent(share: Decimal) -> str:
    return format(share.scaleb(2).normalize() + 0, "f")


def _is_true(value: object) -> bool:
    """Of what records write for true: a boolean, 1, or a text of either."""
    return str(value).strip().lower() in ("true", "1", "1.0")
