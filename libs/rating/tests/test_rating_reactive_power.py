"""Demand in kvar: the highest reactive power, less a free share of the highest active power.

The working stands beside each figure.
"""

from datetime import date

import numpy as np
import pytest

from gridtally.kernel.errors import Rejected
from gridtally.kernel.periods import Period
from gridtally.rating.engine.bill import rate
from gridtally.rating.usage import Usage, slots_in

APRIL = Period(date(2025, 4, 1), date(2025, 5, 1))
MAY = Period(date(2025, 5, 1), date(2025, 6, 1))
KVAR = {"kind": "demand", "id": "kvar", "rate": "2", "minutes": 60, "unit": "kvar"}


def metered(period=APRIL, minutes=60, **at_by_flow):
    """Nothing but some Wh or varh, by flow and (day of the month from 1, interval from 0)."""
    series = {}
    for flow, at in at_by_flow.items():
        values = np.zeros(slots_in("Europe/Berlin", period, minutes), np.int64)
        for (day, slot), energy in at.items():
            values[(day - 1) * 1440 // minutes + slot] = energy
        series[flow.rstrip("_")] = values
    return Usage("Europe/Berlin", period, minutes, series)


def billed(bill):
    return [
        (line.item.band, format(line.quantity.normalize(), "f"), line.item.unit, line.item.flow)
        for line in bill.lines
    ]


@pytest.mark.parametrize(
    ("fields", "kvarh", "kvar"),
    [
        ({}, {(2, 8): 7_000, (3, 8): 4_000}, "7"),
        ({"free_share": "0.5"}, {(2, 8): 7_000}, "2"),  # 7 − 0.5 × 10, which were at another hour
        ({"free_share": "0.7"}, {(2, 8): 7_000}, "0"),
        ({"free_share": "0.75"}, {(2, 8): 7_000}, "0"),
        ({}, {}, "0"),
        # (7 + 4) / 2 − 0.25 × (10 + 6) / 2 = 3.5
        (
            {"free_share": "0.25", "mean_of_highest_days": 2},
            {(2, 8): 7_000, (3, 8): 4_000},
            "3.5",
        ),
        ({"free_share": "0.5", "minimum_kw": "3"}, {(2, 8): 7_000}, "3"),
        ({"free_share": "0.55", "kw_step": "1"}, {(2, 8): 7_000}, "2"),  # 1.5 and up
    ],
)
def test_kvar_beyond_the_free_share_are_billed(version_of, fields, kvarh, kvar):
    usage = metered(import_={(2, 12): 10_000, (9, 12): 6_000}, reactive_import=kvarh)
    (bill,) = rate(version_of(KVAR | fields), [usage])
    assert billed(bill) == [(None, kvar, "kvar", "reactive_import")]


@pytest.mark.parametrize(
    ("reactive", "kvar"), [("import", "4"), ("export", "12"), ("net", "8"), ("higher", "12")]
)
def test_which_reactive_energy_counts(version_of, reactive, kvar):
    at = (2, 8)
    usage = metered(import_={}, reactive_import={at: 4_000}, reactive_export={at: 12_000})
    (bill,) = rate(version_of(KVAR | {"reactive": reactive}), [usage])
    assert billed(bill)[0][1] == kvar


def test_the_quarters_of_a_window_are_added_up(version_of):
    """3 + 1 kvarh in two quarters of an hour are 4 kvar."""
    usage = metered(minutes=15, import_={}, reactive_import={(2, 33): 3_000, (2, 34): 1_000})
    assert billed(rate(version_of(KVAR), [usage])[0])[0][1] == "4"


def test_bands_have_shares_of_their_own_kw(version_of):
    """By day 7 − 0.5 × 10 = 2 kvar, at night 3 − 0.5 × 4 = 1."""
    charge = {key: value for key, value in KVAR.items() if key != "rate"} | {
        "bands": [{"name": "day", "rate": "2"}, {"name": "night", "rate": "1"}],
        "windows": [{"band": "night", "from_time": "22:00", "to_time": "06:00"}],
        "default_band": "day",
        "free_share": "0.5",
    }
    usage = metered(
        import_={(2, 12): 10_000, (2, 1): 4_000}, reactive_import={(3, 12): 7_000, (3, 1): 3_000}
    )
    (bill,) = rate(version_of(charge), [usage])
    assert [line[:2] for line in billed(bill)] == [("day", "2"), ("night", "1")]


def test_a_ratchet_looks_back_on_kvar_that_were_not_free(version_of):
    """April: 7 − 0.5 × 4 = 5; May: 80 % of it, more than its own 1 kvar."""
    version = version_of(
        KVAR | {"free_share": "0.5", "ratchet_months": 11, "ratchet_percent": "80"}
    )
    april = metered(import_={(2, 12): 4_000}, reactive_import={(2, 12): 7_000})
    (first,) = rate(version, [april])
    may = metered(MAY, import_={}, reactive_import={(2, 12): 1_000})
    (second,) = rate(version, [may], states=[first.state])
    assert [billed(bill)[0][1] for bill in (first, second)] == ["5", "4"]


@pytest.mark.parametrize(
    ("fields", "detail"),
    [
        ({"unit": "kW", "free_share": "0.5"}, "a free_share is for demand whose unit is kvar"),
        ({"unit": "kVA", "free_share": "0.5"}, "a free_share is for demand whose unit is kvar"),
        ({"unit": "kW", "reactive": "net"}, "reactive is for demand whose unit is kVA or kvar"),
        ({"free_share": "-1"}, "/components/0"),
    ],
)
def test_what_makes_no_sense_is_refused(version_of, fields, detail):
    with pytest.raises(Rejected, match=detail):
        version_of(KVAR | fields)


def test_a_meter_without_reactive_channels_is_refused(version_of):
    with pytest.raises(Rejected, match="no reactive_import series"):
        rate(version_of(KVAR), [metered(import_={})])
