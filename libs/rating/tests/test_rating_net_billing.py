"""Net billing: what is netted within each interval, and what either side of it is worth."""

from decimal import Decimal

import numpy as np
import pytest

from gridtally.kernel.errors import Rejected
from gridtally.rating.engine.bill import rate

DAY = ("2025-04-01", "2025-04-02")
PAYOUT = {"kind": "payout"}
BANDS = {
    "bands": [
        {"name": "evening", "import_rate": "0.50", "export_rate": "0.20"},
        {"name": "rest", "import_rate": "0.30", "export_rate": "-0.02"},
    ],
    "windows": [{"band": "evening", "from_time": "18:00", "to_time": "22:00"}],
    "default_band": "rest",
}


def billing(surplus=PAYOUT, **fields):
    charge = {"kind": "net_billing", "id": "net", "surplus": surplus}
    if "bands" in fields:
        return charge | fields
    return charge | {"import_rate": "0.30", "export_rate": "0.10"} | fields


def meter(usage_of, **kwh_by_hour):
    """A day with (import, export) in kWh by hour, `h12=(5, 2)`."""
    usage = usage_of(*DAY, import_=0, export=0)
    for hour, (imported, exported) in kwh_by_hour.items():
        slot = int(hour.removeprefix("h"))
        usage.series["import"][slot], usage.series["export"][slot] = (
            imported * 1000,
            exported * 1000,
        )
    return usage


@pytest.mark.parametrize(
    ("charge", "hours", "lines"),
    [
        # each hour for itself: 3 taken and 4 given, never set against one another
        (
            billing(),
            {"h9": (5, 2), "h12": (1, 5)},
            [("energy", "3.000", "0.90"), ("credit", "4.000", "-0.40")],
        ),
        (billing(), {"h9": (5, 5)}, [("energy", "0.000", "0.00"), ("credit", "0.000", "0.00")]),
        (
            billing({"kind": "none"}, export_rate=None),
            {"h9": (5, 2), "h12": (1, 5)},
            [("energy", "3.000", "0.90")],
        ),
        # 2 × 0.50 in the evening; 4 × 0.30; 3 × 0.20; 5 that cost 0.02 to give
        (
            billing(**BANDS),
            {"h18": (4, 2), "h9": (4, 0), "h21": (0, 3), "h12": (1, 6)},
            [
                ("energy", "2.000", "1.00"),
                ("energy", "4.000", "1.20"),
                ("credit", "3.000", "-0.60"),
                ("credit", "5.000", "0.10"),
            ],
        ),
        # 0.90 to pay and 4.00 of credit
        (
            billing({"kind": "offset", "unused": "lost"}, export_rate="1"),
            {"h9": (5, 2), "h12": (1, 5)},
            [
                ("energy", "3.000", "0.90"),
                ("credit", "4.000", "-4.00"),
                ("credit", "3.100", "3.10"),
            ],
        ),
    ],
)
def test_each_interval_is_net_import_or_net_export(version_of, usage_of, charge, hours, lines):
    bill = rate(version_of(charge), [meter(usage_of, **hours)])[0]
    assert [
        (line.item.kind, str(line.quantity.quantize(Decimal("0.001"))), str(line.amount))
        for line in bill.lines
    ] == lines


def test_coarser_intervals_net_more(version_of, usage_of):
    """1 kWh taken and 1 given in quarters of an hour that alternate are nothing by the hour."""
    quarters = usage_of(*DAY, minutes=15, import_=0, export=0)
    quarters.series["import"][::2], quarters.series["export"][1::2] = 1000, 1000
    hours = usage_of(*DAY, import_=2000, export=2000)
    version = version_of(billing())
    # 48 × 0.30 - 48 × 0.10
    assert [str(rate(version, [usage])[0].total) for usage in (quarters, hours)] == ["9.60", "0.00"]


def test_energy_beyond_floats_is_netted_exactly(version_of, usage_of):
    usage = usage_of(*DAY, import_=2**53 + 1, export=2**53)
    bill = rate(version_of(billing()), [usage])[0]
    assert [str(line.quantity) for line in bill.lines] == ["0.024", "0.000"]


def test_one_side_beyond_floats_is_netted_exactly(version_of, usage_of):
    usage = usage_of(*DAY, import_=2**53 + 1, export=1)
    bill = rate(version_of(billing()), [usage])[0]
    assert bill.lines[0].quantity * 1000 == 24 * 2**53


def test_a_change_of_taxes_cuts_import_and_export_where_they_lie(version_of, usage_of):
    tax = {"kind": "tax", "id": "old", "rate": "0.10", "component_ids": ["net"]}
    version = version_of(
        billing({"kind": "payout", "taxed": True}),
        tax | {"to_on": "2025-04-02"},
        tax | {"id": "new", "rate": "0.20", "from_on": "2025-04-02"},
    )
    usage = usage_of("2025-04-01", "2025-04-03", import_=0, export=0)
    usage.series["import"][:] = np.where(np.arange(48) < 24, 1000, 0)
    usage.series["export"][:] = np.where(np.arange(48) < 24, 0, 1000)
    bill = rate(version, [usage])[0]
    assert [(line.item.component_id, str(line.amount)) for line in bill.lines] == [
        ("net", "7.20"),
        ("net", "0.00"),
        ("old", "0.72"),
        ("net", "0.00"),
        ("net", "-2.40"),
        ("new", "-0.48"),
    ]


VAT = {"kind": "tax", "id": "vat", "rate": "0.10", "component_ids": ["net"]}
FIRST, SECOND = {"to_on": "2025-04-02"}, {"from_on": "2025-04-02"}


@pytest.mark.parametrize(
    ("taken_on", "given_on", "taxed", "total"),
    [
        # what is given, 2.40, pays for nothing: unused on the day on which it was given
        (None, 0, FIRST, "0.00"),
        (None, 0, SECOND, "0.00"),
        (None, 1, FIRST, "0.00"),
        # it pays 2.40 of the other day's 7.20, and there is nothing to tax where it was given
        (1, 0, FIRST, "4.80"),
        (1, 0, SECOND, "5.52"),
        (0, 1, FIRST, "5.52"),
    ],
)
def test_a_credit_that_only_pays_brings_no_tax_below_zero(
    version_of, usage_of, taken_on, given_on, taxed, total
):
    version = version_of(billing({"kind": "offset", "unused": "lost", "taxed": True}), VAT | taxed)
    usage = usage_of("2025-04-01", "2025-04-03", import_=0, export=0)
    day = np.arange(48) // 24
    usage.series["import"][:] = np.where(day == taken_on, 1000, 0)
    usage.series["export"][:] = np.where(day == given_on, 1000, 0)
    assert str(rate(version, [usage])[0].total) == total


def test_a_credit_that_pays_what_is_not_taxed_earns_no_tax(version_of, usage_of):
    standing = {"kind": "fixed", "id": "standing", "rate": "5", "per": "day"}
    version = version_of(
        standing, billing({"kind": "offset", "unused": "lost", "taxed": True}), VAT
    )
    usage = usage_of(*DAY, import_=0, export=1000)
    assert str(rate(version, [usage])[0].total) == "2.60"


@pytest.mark.parametrize(
    ("charge", "detail"),
    [
        (billing(import_rate=None), "either an import_rate or bands"),
        (billing(export_rate=None), "an export_rate is needed, except with the surplus 'none'"),
        (billing({"kind": "none"}), "an export_rate is needed, except with the surplus 'none'"),
        (billing(**BANDS, export_rate="1"), "each band has its own"),
        (billing(windows=BANDS["windows"]), "need bands"),
        (billing(**BANDS | {"default_band": None}), "in no window and not the default"),
        (billing({"kind": "carry_forward"}), "'carry_forward' is none of none, offset, payout"),
    ],
)
def test_what_contradicts_itself_is_refused(version_of, charge, detail):
    with pytest.raises(Rejected, match=detail):
        version_of(charge)
