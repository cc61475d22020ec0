"""Tiers of what is left of import: netted within each interval, or over the month."""

from datetime import date
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples import examples
from gridtally.kernel.errors import Rejected
from gridtally.rating.engine.bill import rate
from gridtally.rating.quality import ESTIMATED, Doubtful, with_quality
from gridtally.rating.state import Bank, Lot
from gridtally.rating.tariff import Part, usage_charges

TIERS = [{"limit": "100", "rate": "0.10"}, {"rate": "0.30"}]
NET_BILLING = [
    {"kind": "tiered", "id": "energy", "flow": "net_import", "tiers": TIERS},
    {
        "kind": "export_credit",
        "id": "sold",
        "flow": "net_export",
        "rate": "0.05",
        "surplus": {"kind": "payout"},
    },
]
BANDED = {
    "kind": "tiered_time_of_use",
    "id": "energy",
    "flow": "net_import",
    "split": "chronological",
    "bands": [
        {"name": "day", "tiers": [{"limit": "100", "rate": "0.20"}, {"rate": "0.40"}]},
        {"name": "night", "tiers": TIERS},
    ],
    "windows": [{"band": "day", "from_time": "06:00", "to_time": "22:00"}],
    "default_band": "night",
}


def january(usage_of, *kwh):
    """January with (hour, import, export) in kWh."""
    usage = usage_of("2025-01-01", "2025-02-01", import_=0, export=0)
    for hour, imported, exported in kwh:
        usage.series["import"][hour] = imported * 1000
        usage.series["export"][hour] = exported * 1000
    return usage


def lines_of(bill):
    return [
        (
            line.item.component_id,
            line.item.band,
            line.item.flow,
            f"{line.quantity:.3f}",
            str(line.amount),
        )
        for line in bill.lines
    ]


@pytest.mark.parametrize(
    ("components", "kwh", "lines"),
    [
        # net billing with tiers (SAM's mode 2): 90 and 60 kWh are left of import in their hours,
        # 40 of export; what is exported empties no tier: 100 × 0.10 + 50 × 0.30, and 40 × 0.05
        (
            NET_BILLING,
            [(1, 100, 10), (12, 10, 50), (30, 60, 0)],
            [
                ("energy", "tier-1", "import", "100.000", "10.00"),
                ("energy", "tier-2", "import", "50.000", "15.00"),
                ("sold", None, "export", "40.000", "-2.00"),
            ],
        ),
        # by band in order of time: 90 by night, then 60 by day of which 10 lie below 100 kWh
        (
            [BANDED],
            [(1, 100, 10), (12, 80, 20), (13, 0, 70), (24, 5, 0)],
            [
                ("energy", "day:tier-1", "import", "10.000", "2.00"),
                ("energy", "day:tier-2", "import", "50.000", "20.00"),
                ("energy", "night:tier-1", "import", "90.000", "9.00"),
                ("energy", "night:tier-2", "import", "5.000", "1.50"),
            ],
        ),
        # each day for itself, 100 kWh a day
        (
            [NET_BILLING[0] | {"limits": {"per": "day", "reset_daily": True}}],
            [(1, 130, 20), (30, 90, 0)],
            [
                ("energy", "tier-1", "import", "190.000", "19.00"),
                ("energy", "tier-2", "import", "10.000", "3.00"),
            ],
        ),
        # 10 kWh for each kW of the peak of what is left of import: 20 kW of 50 - 30 and of 20
        (
            [
                NET_BILLING[0]
                | {
                    "tiers": [{"limit": "1.5", "rate": "0.10"}, {"rate": "0.30"}],
                    "limits": {"per": "period", "kw": "peak", "peak_minutes": 60},
                }
            ],
            [(1, 50, 30), (30, 20, 0)],
            [
                ("energy", "tier-1", "import", "30.000", "3.00"),
                ("energy", "tier-2", "import", "10.000", "3.00"),
            ],
        ),
    ],
)
def test_what_is_left_of_import_fills_the_tiers(version_of, usage_of, components, kwh, lines):
    (bill,) = rate(version_of(*components), [january(usage_of, *kwh)])
    assert lines_of(bill) == lines


def test_a_line_of_what_is_left_rests_on_both_flows(version_of, usage_of):
    version, usage = version_of(*NET_BILLING), january(usage_of, (1, 100, 10))
    (bill,) = rate(version, [usage])
    letters = np.full(744, ord("A"), np.uint8)
    letters[1] = ESTIMATED
    export = Doubtful(60, usage.series["export"].astype(np.int32), letters)
    parts = [Part(usage.period, version)]
    lines = with_quality(bill.lines, parts, usage.zone, usage.period, {"export": export})
    assert [line.quality.worst for line in lines] == ["estimated"] * len(lines)


energies = st.lists(st.integers(0, 90), min_size=6, max_size=6)


@examples(40)
@given(energies, energies)
def test_tiers_of_netted_intervals_are_those_of_what_is_left(version_of, usage_of, taken, given_):
    """Rated as such, or as the import of a meter that has nothing but what is left."""
    both = list(zip(range(5, 150, 25), taken, given_, strict=False))
    left = [(hour, max(took - gave, 0), 0) for hour, took, gave in both]
    for charge in (NET_BILLING[0], BANDED, BANDED | {"split": "pro_rata"}):
        (netted,) = rate(version_of(charge), [january(usage_of, *both)])
        (plain,) = rate(version_of(charge | {"flow": "import"}), [january(usage_of, *left)])
        assert lines_of(netted) == lines_of(plain)


NET = {"kind": "net_metering", "id": "net", "tiers": TIERS, "surplus": {"kind": "carry_forward"}}


@pytest.mark.parametrize(
    ("fields", "banked", "kwh", "lines"),
    [
        # net metering with tiers (SAM's mode 0): 250 - 90 = 160 kWh of the month, whenever it was
        (
            {},
            0,
            [(1, 250, 0), (12, 0, 90)],
            [
                ("net", "tier-1", "import", "100.000", "10.00"),
                ("net", "tier-2", "import", "60.000", "18.00"),
            ],
        ),
        # 80 kWh of the bank empty the second tier, then 20 of the first: 80 × 0.10 are left to pay
        (
            {},
            80,
            [(1, 250, 0), (12, 0, 90)],
            [
                ("net", "tier-1", "import", "100.000", "10.00"),
                ("net", "tier-2", "import", "60.000", "18.00"),
                ("net", "tier-1", "export", "-20.000", "-2.00"),
                ("net", "tier-2", "export", "-60.000", "-18.00"),
            ],
        ),
        ({}, 0, [(1, 10, 0), (12, 0, 90)], []),
        # what is left over is worth the surplus_rate
        (
            {"surplus": {"kind": "payout"}, "surplus_rate": "0.04"},
            0,
            [(1, 10, 0), (12, 0, 90)],
            [("net", None, "export", "80.000", "-3.20")],
        ),
        # 3 kWh for each of 31 days
        (
            {"limits": {"per": "day"}, "tiers": [{"limit": "3", "rate": "0.10"}, {"rate": "0.30"}]},
            0,
            [(1, 100, 0)],
            [
                ("net", "tier-1", "import", "93.000", "9.30"),
                ("net", "tier-2", "import", "7.000", "2.10"),
            ],
        ),
    ],
)
def test_what_is_left_of_a_month_fills_the_tiers(version_of, usage_of, fields, banked, kwh, lines):
    lots = (Lot(None, Decimal(banked), date(2025, 1, 1), None),) if banked else ()
    usage = january(usage_of, *kwh)
    (bill,) = rate(version_of(NET | fields), [usage], states=[{"net": Bank(lots)} if lots else {}])
    assert lines_of(bill) == lines


def test_limits_of_tiers_go_by_the_days_of_the_bill(version_of, usage_of):
    """Of 100 kWh a month 10/31 in ten days of January: 32.258… of the 40, and a tier above."""
    usage = usage_of("2025-01-01", "2025-01-11", import_=0, export=0)
    usage.series["import"][0] = 40_000
    (bill,) = rate(version_of(NET), [usage])
    assert [(line.item.band, f"{line.quantity:.3f}") for line in bill.lines] == [
        ("tier-1", "32.258"),
        ("tier-2", "7.742"),
    ]
    assert str(bill.total) == "5.55"  # 3.2258 + 2.3226, each rounded


@examples(40)
@given(st.integers(0, 400), st.integers(0, 400), st.integers(0, 300))
def test_net_tiers_are_those_of_what_must_be_paid(version_of, usage_of, taken, gave, banked):
    """The bill is that of a meter that takes what is left after export and bank, from tier one."""
    lots = (Lot(None, Decimal(banked), date(2025, 1, 1), None),) if banked else ()
    usage = january(usage_of, (1, taken, 0), (12, 0, gave))
    (bill,) = rate(version_of(NET), [usage], states=[{"net": Bank(lots)} if lots else {}])
    left = max(taken - gave - banked, 0)
    (plain,) = rate(
        version_of({"kind": "tiered", "id": "net", "tiers": TIERS}),
        [january(usage_of, (1, left, 0))],
    )
    assert bill.total == plain.total
    held = sum(lot.kwh for lot in bill.state["net"].lots) if bill.state else 0
    assert held == max(gave + banked - taken, 0)


def test_a_days_cost_counts_a_days_part_of_the_tiers(version_of, usage_of):
    version = usage_charges(version_of(NET))
    usage = usage_of("2025-01-01", "2025-01-02", import_=0, export=0)
    usage.series["export"][0] = 5_000
    assert str(rate(version, [usage])[0].total) == "-0.50"  # at the first tier's 0.10
    assert usage_charges(version_of(NET | {"limits": {"per": "period"}})) is None


@pytest.mark.parametrize(
    ("fields", "detail"),
    [
        ({"rate": "0.1"}, "tiers are in place of a rate and of bands"),
        ({"tiers": [], "rate": "0.1", "limits": {"per": "day"}}, "limits are for tiers"),
        ({"surplus": {"kind": "payout"}}, "is paid out needs surplus_rate"),
        ({"tiers": [{"limit": "5", "rate": "0.1"}]}, "the last tier has no limit"),
        ({"tiers": []}, "either a rate or bands are needed"),
        ({"limits": {"per": "day", "reset_daily": True}}, "/limits/reset_daily: is not a field"),
        ({"tiers": [{"limit_per_kw": "5", "rate": "1"}, {"rate": "2"}]}, "limit_per_kw needs kw"),
        ({"limits": {"kw": "peak"}}, "limits per kW of peak, and only they, need peak_minutes"),
        ({"limits": {"peak_minutes": 60}}, "only they, need peak_minutes"),
    ],
)
def test_net_tiers_that_make_no_sense_are_refused(version_of, fields, detail):
    with pytest.raises(Rejected, match=detail):
        version_of(NET | fields)
