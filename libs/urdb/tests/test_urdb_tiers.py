"""URDB tiers of which some end at so many kWh, and some at so many per kW."""

from decimal import Decimal

from gridtally.urdb import import_record


def imported(record):
    return import_record(record, zone="America/New_York")


def components(record):
    return imported(record).document["components"]


BLOCKS = [
    {"rate": 0, "max": 200, "unit": "kWh/kW"},
    {"rate": Decimal("0.15"), "max": 3_000, "unit": "kWh"},
    {"rate": Decimal("0.13"), "max": 10_000, "unit": "kWh"},
    {"rate": Decimal("0.11"), "max": 1e38, "unit": "kWh"},
    {"rate": Decimal("0.02"), "max": 400, "unit": "kWh/kW"},
    {"rate": Decimal("0.01"), "max": 1e38, "unit": "kWh/kW"},
]


def test_tiers_in_kwh_divide_the_block_per_kw_that_they_follow():
    """As in Georgia's rates: 3 000 kWh, 10 000 and all others of the first 200 hours' use."""
    (energy,) = components({"energyratestructure": [BLOCKS]})
    assert energy["limits"]["kw"] == "peak"
    assert [tuple(tier.get(name) for name in ("limit", "limit_per_kw", "rate"))
            for tier in energy["tiers"]] == [
        ("3000", "200", "0.15"),
        ("10000", "200", "0.13"),
        (None, "200", "0.11"),
        (None, "400", "0.02"),
        (None, None, "0.01"),
    ]  # fmt: skip
    assert ("convention", "/energyratestructure/0/0") in [
        (note.kind, note.field) for note in imported({"energyratestructure": [BLOCKS]}).notes
    ]


def test_tiers_in_kwh_before_any_block_divide_the_first():
    (energy,) = components({"energyratestructure": [[*BLOCKS[1:3], BLOCKS[0], *BLOCKS[4:]]]})
    assert [tuple(tier.get(name) for name in ("limit", "limit_per_kw"))
            for tier in energy["tiers"]] == [
        ("3000", "200"), ("10000", "200"), (None, "200"), (None, "400"), (None, None),
    ]  # fmt: skip


def test_demand_in_kva_is_of_apparent_power():
    fields = {"flatdemandstructure": [[{"rate": 3}]], "flatdemandunit": "kVA daily"}
    (_, demand) = components({"energyratestructure": [[{"rate": 1}]]} | fields)
    assert (demand["unit"], demand["per"]) == ("kVA", "day")
