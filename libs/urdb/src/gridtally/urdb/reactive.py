"""Reactive power: a record's charge per kVAR of demand.

Convention: it is on the highest kvar that are drawn, less a share of the highest kW that the
record does not name. With kvarh in place of kvar a utility's sheet says so, not its record.
"""

from collections.abc import Mapping
from decimal import Decimal

from gridtally.urdb.record import Record

FIELD = "demandreactivepowercharge"


def reactive_charges(
    record: Record, free_share: Decimal | None, measured: Mapping[str, object]
) -> list[dict[str, object]]:
    """A demand charge in kvar; none, and a report, where nobody says how many of them are free."""
    rate = record.amount(FIELD)
    if not rate:
        return []
    if free_share is None:
        description = (
            f"charges {rate:f} per kVAR of reactive power, and a record does not say of which: "
            "give how many kvar are free for each kW of demand (--reactive-free-share 0.5; 0 for "
            "none), or add a reactive_energy or power_factor by the rate's sheet to the tariff"
        )
        record.lack(FIELD, description)
        return []
    description = (
        f"of the month's highest kvar drawn, less {free_share:f} for each of its highest kW"
    )
    record.note("convention", FIELD, description)
    charge: dict[str, object] = {
        "kind": "demand",
        "id": "reactive-power",
        "rate": format(rate, "f"),
        "unit": "kvar",
        "free_share": format(free_share, "f"),
    }
    return [{**charge, **measured}]
