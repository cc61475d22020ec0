"""Fuel: a record's adjustments of the energy rates by the month.

Convention: they are levied on all imported energy, as a charge of their own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from gridtally.urdb.record import Record, twelve_at
from gridtally.urdb.schedule import Season, Table, all_day, windows_of

FIELD = "fueladjustmentsmonthly"


@dataclass(frozen=True, slots=True)
class FuelTable:
    """The different amounts per kWh, and which is in force in each month."""

    rates: Sequence[Decimal]
    table: Table


def read_fuel(record: Record) -> FuelTable | None:
    """A record's fuel adjustments; None for none, Rejected where it does not name all months."""
    months = twelve_at(record, FIELD)
    if months is None:
        return None
    by_month = [record.rate(value or 0, f"/{FIELD}/{month}") for month, value in enumerate(months)]
    if not any(by_month):
        return None
    rates = list(dict.fromkeys(by_month))
    return FuelTable(rates, all_day([rates.index(rate) for rate in by_month]))


def fuel_charges(
    record: Record, fuel: FuelTable | None, seasons: Sequence[Season], flow: str
) -> list[dict[str, object]]:
    """An adjustment where all months are the same, else energy by the season."""
    if fuel is None:
        return []
    record.note("convention", FIELD, f"charged on every kWh of {flow}")
    charge: dict[str, object] = {"id": "fuel-adjustment", "flow": flow}
    if len(fuel.rates) == 1:
        return [charge | {"kind": "adjustment", "rate": _text(fuel.rates[0])}]
    names = {number: f"fuel-{number}" for number in range(len(fuel.rates))}
    return [
        charge
        | {
            "kind": "time_of_use",
            "bands": [
                {"name": name, "rate": _text(fuel.rates[number])} for number, name in names.items()
            ],
            "windows": windows_of(fuel.table, seasons, names, FIELD),
        }
    ]


def _text(rate: Decimal) -> str:
    return format(rate + 0, "f")
