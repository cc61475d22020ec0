"""Importing: one record into one tariff document, with a report of what became of each field."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from kernel.errors import Fault
from rating.urdb.demand import demand_charges, read_demand
from rating.urdb.energy import (
    EnergyTable,
    Split,
    energy_charges,
    export_charges,
    net_metering,
    read_energy,
)
from rating.urdb.fuel import fuel_charges, read_fuel
from rating.urdb.record import (
    APPLICABILITY,
    DESCRIPTIVE,
    NOTHING,
    SPELLINGS,
    Note,
    Record,
    invalid,
    record_of,
    structure_at,
)
from rating.urdb.schedule import HolidayRule, Season, day_types, seasons_of
from rating.urdb.standing import fixed_charges, minimum_charges

Export = Literal["left_out", "as_declared"]
SIGNS = frozenset({"energyratestructure", "flatdemandstructure", "demandratestructure"})
PARTIAL_SERVICES = ("energy", "delivery")
FREE_TEXT = ("energyattrs", "demandattrs", "fixedattrs", "dgattrs")
BUY_ALL = "buy all sell all"
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
) -> Imported:
    """The tariff of one URDB record, on the clock of `zone`, which a record does not name.

    `export` says whether the rules for own generation are part of it: then meters need both flows.
    A record names no holidays; whoever adds some says by `holidays` what they are.
    Rejected, with the path of each fault, where the record is not whole or charges nothing.
    """
    record = record_of(document, label)
    name = " ".join(str(record.fields.get(key) or "") for key in ("utility", "name")).strip()
    energy, demand = read_energy(record), read_demand(record)
    fuel = read_fuel(record)
    seasons = seasons_of([each.table for each in (energy, fuel, *demand) if each is not None])
    components = fixed_charges(record)
    rule = record.text("dgrules")
    if record.take("usenetmetering") and not rule:
        rule = "Net Metering"
    if energy is not None:
        components += _energy(record, energy, seasons, rule, export)
    elif rule:
        record.note("not_imported", "dgrules", f"{rule}: there are no energy rates")
    buys_all = export == "as_declared" and rule.lower() == BUY_ALL
    components += fuel_charges(record, fuel, seasons, "load" if buys_all else "import")
    components += demand_charges(record, demand, seasons)
    components += minimum_charges(record)
    _report_the_rest(record)
    if not components:
        raise invalid([Fault("", "charges nothing that can be imported")])
    tariff: dict[str, object] = {"currency": currency, "zone": zone, "components": components}
    if calendar := _calendar(components, seasons, holidays):
        tariff["calendar"] = calendar
    return Imported(name, tariff, tuple(record.notes))


def _energy(
    record: Record, energy: EnergyTable, seasons: list[Season], rule: str, export: Export
) -> list[dict[str, object]]:
    """The energy charges, and under `as_declared` what the rule pays for export."""
    split: Split = "pro_rata"
    flow, given = "import", "export"
    paid: list[dict[str, object]] = []
    sells = any("sell" in tier for tiers_of in energy.periods for tier in tiers_of)
    if export == "left_out":
        if rule or sells:
            told = f"{rule or 'sell rates'}: bills of this import take no export into account"
            record.note("not_imported", "dgrules" if rule else "sell", told)
    elif rule.lower() in INTERVAL_RULES or (sells and not rule):
        split = "chronological"
        record.note("convention", "dgrules", "import and export are settled in each interval")
        paid = export_charges(record, energy, seasons, given)
    elif rule.lower() == BUY_ALL:
        flow, given = "load", "generation"
        split = "chronological"
        paid = export_charges(record, energy, seasons, given)
    elif rule and rule.lower() != "net metering":
        record.note("not_understood", "dgrules", rule)
    charges = energy_charges(record, energy, seasons, split, flow)
    if any(charge["kind"] == "tiered_time_of_use" for charge in charges):
        how = "in order of time" if split == "chronological" else "pro rata"
        record.note("convention", "energyratestructure", f"tiers are shared over periods {how}")
    if export == "as_declared" and rule.lower() == "net metering":
        if any(charge["kind"] not in ("energy", "time_of_use") for charge in charges):
            record.note("not_imported", "dgrules", f"{rule}: there is none with tiers")
        else:
            record.note("convention", "dgrules", "units left over pay for later units, per period")
            charges = [net_metering(charge) for charge in charges]
    return charges + paid


def _calendar(
    components: list[dict[str, object]], seasons: list[Season], holidays: HolidayRule
) -> dict[str, object] | None:
    """The seasons and day types that windows speak of; None where there are none."""
    windows: list[dict[str, Any]] = []
    for component in components:
        found = component.get("windows")
        windows += found if isinstance(found, list) else []
    calendar: dict[str, object] = {}
    if any("seasons" in window for window in windows):
        calendar["seasons"] = [season.document for season in seasons]
    if any("day_types" in window for window in windows):
        calendar["day_types"] = day_types(holidays)
    return calendar or None


def _report_the_rest(record: Record) -> None:
    """Notes on every field that no charge was made of."""
    _coincident(record)
    if (service := record.text("servicetype")).lower() in PARTIAL_SERVICES:
        told = f"{service}: what the rest of the supply costs is in another rate"
        record.note("not_imported", "servicetype", told)
    elif service:
        record.note("descriptive", "servicetype", "tells of the tariff and charges nothing")
    if reactive := record.amount("demandreactivepowercharge"):
        told = f"{reactive:f} for reactive power, which is not metered"
        record.note("not_imported", "demandreactivepowercharge", told)
    for name in FREE_TEXT:
        if texts := record.take(name):
            record.note("not_understood", name, f"free text, which may tell of charges: {texts}")
    for name in sorted(record.fields):
        if name in DESCRIPTIVE:
            record.note("descriptive", name, "tells of the tariff and charges nothing")
        elif name in APPLICABILITY:
            record.note("descriptive", name, "says who may have the tariff, which is not checked")
        elif record.fields[name] not in NOTHING:
            record.note("not_understood", name, f"is no known field: {record.fields[name]!r:.80}")
    record.fields.clear()


def _coincident(record: Record) -> None:
    periods = structure_at(record, "coincidentratestructure")
    record.take("coincidentschedule")
    record.take("coincidentrateunit")
    if any(tier.get("rate") or tier.get("adj") for tiers in periods for tier in tiers):
        told = "charges the power at the system's peak, whose time a meter does not know"
        record.note("not_imported", "coincidentratestructure", told)
