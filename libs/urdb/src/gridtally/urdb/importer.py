"""The importer: one record into one tariff document, with a report of what became of each field."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from gridtally.kernel.errors import Fault, Rejected
from gridtally.urdb.coincident import coincident_charges
from gridtally.urdb.demand import (
    WINDOW_MIN,
    DemandTable,
    demand_charges,
    measured_over,
    read_demand,
)
from gridtally.urdb.energy import (
    EnergyTable,
    Split,
    energy_charges,
    export_charges,
    net_metering,
    read_energy,
)
from gridtally.urdb.fixed_charges import fixed_charges, minimum_charges
from gridtally.urdb.fuel import fuel_charges, read_fuel
from gridtally.urdb.reactive import reactive_charges
from gridtally.urdb.record import (
    APPLICABILITY,
    DESCRIPTIVE,
    EMPTY_VALUES,
    SPELLINGS,
    Note,
    Record,
    details,
    in_words,
    invalid,
    record_of,
)
from gridtally.urdb.schedule import HolidayRule, Season, day_types, seasons_of
from gridtally.urdb.supplements import Supplements

Export = Literal["left_out", "as_declared"]
Incomplete = Literal["refused", "accepted"]
"""What a tariff is that lacks charges which the record certainly has."""
SIGNS = frozenset({"energyratestructure", "flatdemandstructure", "demandratestructure"})
PARTIAL_SERVICES = ("energy", "delivery")
FREE_TEXT = ("energyattrs", "demandattrs", "fixedattrs", "dgattrs")
BUY_ALL = "buy all sell all"
NOTHING_BESIDE = Supplements()
INTERVAL_RULES = ("net billing instantaneous", "net billing hourly", "net billing")


@dataclass(frozen=True, slots=True)
class Imported:
    """A tariff `document` (see docs/tariffs.md), and notes on what a reader of it should know."""

    name: str
    document: dict[str, object]
    notes: tuple[Note, ...]

    @property
    def warnings(self) -> list[Note]:
        """The notes on what may cost money and is not charged."""
        return [note for note in self.notes if note.kind in ("not_imported", "not_understood")]


def looks_like_urdb(document: object) -> bool:
    """Whether it is a URDB answer or record rather than a native tariff."""
    if not isinstance(document, Mapping):
        return isinstance(document, list | str)
    names = {SPELLINGS.get(name.lower(), name.lower()) for name in document}
    return "components" not in names and ("items" in names or bool(SIGNS & names))


def import_record(
    document: object,
    *,
    zone: str,
    currency: str = "USD",
    export: Export = "left_out",
    holidays: HolidayRule = "by_weekday",
    label: str | None = None,
    supplements: Supplements = NOTHING_BESIDE,
    incomplete: Incomplete = "refused",
) -> Imported:
    """The tariff of one URDB record, on the clock of `zone`, which a record does not name.

    `export` decides whether the rules for own generation are part of it: then meters need both
    flows. A record names no holidays; whoever adds some decides by `holidays` what they are.
    `supplements` are what some charges need besides the record: for further meters, reactive power,
    the power at the system's peaks. Where charges of the record cannot be in the tariff (energy
    without rates, what lacks a supplement, units that no meter has), it is refused or,
    `incomplete`, accepted with warnings. Rejected, with the path of each fault, also where the
    record charges nothing.
    """
    record = record_of(document, label)
    name = " ".join(str(record.fields.get(key) or "") for key in ("utility", "name")).strip()
    energy, demand = read_energy(record), read_demand(record)
    fuel = read_fuel(record)
    seasons = seasons_of([priced.table for priced in (energy, fuel, *demand) if priced is not None])
    components = fixed_charges(record, supplements.meters)
    rule = record.text("dgrules")
    if record.take("usenetmetering") and not rule:
        rule = "Net Metering"
    if energy is not None:
        components += _energy(record, energy, seasons, rule, export)
    elif rule:
        record.note("not_imported", "dgrules", f"{rule}: there are no energy rates")
    buys_all = export == "as_declared" and rule.lower() == BUY_ALL
    components += fuel_charges(record, fuel, seasons, "load" if buys_all else "import")
    components += _power(record, demand, seasons, supplements, zone)
    components += minimum_charges(record)
    _report_unused_fields(record)
    if not components:
        raise invalid([Fault("", "charges nothing that can be imported"), *record.missing])
    if record.missing and incomplete == "refused":
        raise Rejected("incomplete_urdb", details(record.missing), tuple(record.missing))
    tariff: dict[str, object] = {"currency": currency, "zone": zone, "components": components}
    if calendar := _calendar(components, seasons, holidays):
        tariff["calendar"] = calendar
    return Imported(name, tariff, tuple(record.notes))


def _energy(
    record: Record, energy: EnergyTable, seasons: list[Season], rule: str, export: Export
) -> list[dict[str, object]]:
    """The energy charges, and under `as_declared` what the rule pays for export."""
    split: Split = "pro_rata"
    flow, exported = "import", "export"
    paid: list[dict[str, object]] = []
    sells = any("sell" in tier for tiers in energy.periods for tier in tiers)
    if export == "left_out":
        if rule or sells:
            field = "dgrules" if rule else "sell"
            named = rule or "sell rates"
            record.note(
                "not_imported", field, f"{named}: bills of this import take no export into account"
            )
    elif rule.lower() in INTERVAL_RULES or (sells and not rule):
        split = "chronological"
        record.note("convention", "dgrules", "import and export are netted in each interval")
        paid = export_charges(record, energy, seasons, exported)
    elif rule.lower() == BUY_ALL:
        flow, exported = "load", "generation"
        split = "chronological"
        paid = export_charges(record, energy, seasons, exported)
    elif rule and rule.lower() != "net metering":
        record.note("not_understood", "dgrules", rule)
    charges = energy_charges(record, energy, seasons, split, flow)
    if any(charge["kind"] == "tiered_time_of_use" for charge in charges):
        how = "in order of time" if split == "chronological" else "pro rata"
        record.note("convention", "energyratestructure", f"tiers are shared over periods {how}")
    if export == "as_declared" and rule.lower() == "net metering":
        record.note("convention", "dgrules", "units left over pay for later units, per period")
        charges = [net_metering(charge) for charge in charges]
    return charges + paid


def _power(
    record: Record,
    demand: list[DemandTable],
    seasons: list[Season],
    supplements: Supplements,
    zone: str,
) -> list[dict[str, object]]:
    """The charges on power: the meter's own peaks, those of the system, and reactive power."""
    says_minutes = record.fields.get("demandwindow") is not None
    measured = measured_over(record)
    charges = [
        *demand_charges(record, demand, seasons, measured),
        *coincident_charges(record, supplements.system_peaks, zone, measured),
        *reactive_charges(record, supplements.reactive_free_share, measured),
    ]
    if not says_minutes and (demand or charges):
        record.note("convention", "demandwindow", f"absent: read as {WINDOW_MIN} minutes")
    return charges


def _calendar(
    components: list[dict[str, object]], seasons: list[Season], holidays: HolidayRule
) -> dict[str, object] | None:
    """The seasons and day types that windows name; None where there are none."""
    windows: list[dict[str, Any]] = []
    for component in components:
        own = component.get("windows")
        windows += own if isinstance(own, list) else []
    calendar: dict[str, object] = {}
    if any("seasons" in window for window in windows):
        calendar["seasons"] = [season.document for season in seasons]
    if any("day_types" in window for window in windows):
        calendar["day_types"] = day_types(holidays)
    return calendar or None


def _report_unused_fields(record: Record) -> None:
    """Notes on every field that no charge was made of."""
    if (service := record.text("servicetype")).lower() in PARTIAL_SERVICES:
        description = f"{service}: what the rest of the supply costs is in another rate"
        record.note("not_imported", "servicetype", description)
    elif service:
        record.note("descriptive", "servicetype", "describes the tariff and charges nothing")
    for name in FREE_TEXT:
        if texts := record.take(name):
            description = f"free text, which may describe charges: {in_words(texts)}"
            record.note("not_understood", name, description)
    for name in sorted(record.fields):
        if name in DESCRIPTIVE:
            record.note("descriptive", name, "describes the tariff and charges nothing")
        elif name in APPLICABILITY:
            record.note(
                "descriptive", name, "decides who may have the tariff, which is not checked"
            )
        elif record.fields[name] not in EMPTY_VALUES:
            description = f"is no known field: {in_words(record.fields[name])}"
            record.note("not_understood", name, description)
    record.fields.clear()
