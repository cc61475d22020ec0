"""kVA, excess kvarh and power factors (case X1: TallyIt/Issues#16 and #37, AMO-Tools-Desktop#7922).

The working stands beside each figure.
"""

from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from math import isqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples import examples
from gridtally.kernel.errors import Rejected
from gridtally.kernel.periods import Period
from gridtally.rating.engine.bill import rate
from gridtally.rating.reactive import power_factor, thousandths_of_kva
from gridtally.rating.state import read_state, state_document
from gridtally.rating.tariff import usage_charges
from gridtally.rating.usage import MISSING, Usage, slots_in

APRIL = Period(date(2025, 4, 1), date(2025, 5, 1))
KVA = {"kind": "demand", "id": "kva", "rate": "1", "minutes": 60, "unit": "kVA"}
EXCESS = {"kind": "reactive_energy", "id": "kvarh", "rate": "1"}
FACTOR = {
    "kind": "power_factor",
    "id": "factor",
    "table": [
        {"at_least": "0.95", "rate": "-0.01"},
        {"at_least": "0.90", "rate": "0"},
        {"at_least": "0.80", "rate": "0.05"},
        {"at_least": "0", "rate": "0.2"},
    ],
}
FIXED = {"kind": "fixed", "id": "fixed", "rate": "100", "per": "month"}


def metered(minutes=60, period=APRIL, decimals=3, **at_by_flow):
    """Nothing but some Wh or varh, by flow and (day of the month from 1, interval from 0)."""
    series = {}
    for flow, at in at_by_flow.items():
        values = np.zeros(slots_in("Europe/Berlin", period, minutes), np.int64)
        for (day, slot), energy in at.items():
            values[(day - 1) * 1440 // minutes + slot] = energy
        series[flow.rstrip("_")] = values
    return Usage("Europe/Berlin", period, minutes, series, kwh_decimals=decimals)


def shown(bill):
    return {
        line.item.band: (format(line.quantity.normalize(), "f"), line.item.unit)
        for line in bill.lines
    }


@pytest.mark.parametrize(
    ("fields", "kwh", "kvarh", "kva"),
    [
        ({}, {(2, 8): 3_000}, {(2, 8): 4_000}, "5"),  # √(9 + 16)
        # 13:00 has less kW, and more kVA: √(2² + 6²) = √40 = 6.3246
        ({}, {(2, 8): 3_000, (2, 13): 2_000}, {(2, 8): 4_000, (2, 13): 6_000}, "6.325"),
        ({}, {(2, 8): 1_000}, {(2, 8): 1_000}, "1.414"),  # √2 = 1.41421
        ({}, {(2, 8): 7_000}, {}, "7"),
        ({}, {}, {(2, 8): 7_000}, "7"),  # nothing but idle current
        # of the 2nd, 3rd and 4th: (5 + 13 + 0) / 3
        ({"mean_of_highest_days": 3}, {(2, 8): 3_000, (3, 8): 5_000},
         {(2, 8): 4_000, (3, 8): 12_000}, "6"),
        ({"minimum_kw": "5.5"}, {(2, 8): 3_000}, {(2, 8): 4_000}, "5.5"),
        ({"kw_step": "2"}, {(2, 8): 3_000}, {(2, 8): 4_000}, "6"),
    ],
)  # fmt: skip
def test_kva_is_the_root_of_the_squares_in_each_window(version_of, fields, kwh, kvarh, kva):
    usage = metered(import_=kwh, reactive_import=kvarh)
    assert shown(rate(version_of(KVA | fields), [usage])[0]) == {None: (kva, "kVA")}


@pytest.mark.parametrize(
    ("reactive", "kva"),
    [
        ("import", "5"),  # 3 kW and 4 kvar drawn
        ("export", "12.369"),  # √(9 + 144)
        ("net", "8.544"),  # √(9 + (4 − 12)²) = √73
        ("higher", "12.369"),
    ],
)
def test_which_reactive_energy_makes_kva(version_of, reactive, kva):
    at = (2, 8)
    usage = metered(import_={at: 3_000}, reactive_import={at: 4_000}, reactive_export={at: 12_000})
    version = version_of(KVA | {"reactive": reactive})
    assert shown(rate(version, [usage])[0]) == {None: (kva, "kVA")}


def test_the_quarters_of_a_window_are_added_up_before_the_root(version_of):
    """4 × 1 kWh and 3 kvarh in one quarter: √(4² + 3²) = 5, not 3 × 1 + √(1 + 9)."""
    kwh = {(2, 32 + quarter): 1_000 for quarter in range(4)}
    usage = metered(15, import_=kwh, reactive_import={(2, 33): 3_000})
    assert shown(rate(version_of(KVA), [usage])[0]) == {None: ("5", "kVA")}


@pytest.mark.parametrize(
    ("decimals", "kwh", "kvarh", "kva"),
    [
        (4, 3, 4, "0.001"),  # 0.0005 kVA: a tie goes up
        (5, 3, 4, "0"),  # 0.00005
        (9, 3 * 10**14, 4 * 10**14, "500000"),  # squares beyond 64 bits
        (3, 2**31, 1, "2147483.648"),
    ],
)
def test_roots_are_rounded_to_whole_va_and_never_overflow(version_of, decimals, kwh, kvarh, kva):
    at = (2, 8)
    for days in (1, 3):
        usage = metered(import_={at: kwh}, reactive_import={at: kvarh}, decimals=decimals)
        version = version_of(KVA | {"mean_of_highest_days": days, "rate": "3"})
        (line,) = rate(version, [usage])[0].lines
        assert line.amount_exact == Decimal(kva) * 3 / days


def test_kva_by_bands_with_ratchet_and_weights(version_of):
    at = {(2, 8): 3_000, (2, 23): 6_000}
    reactive = {(2, 8): 4_000, (2, 23): 8_000}
    usage = metered(import_=at, reactive_import=reactive)
    night = {"windows": [{"band": "night", "from_time": "22:00", "to_time": "06:00"}]}
    bands = [{"name": "night", "rate": "1"}, {"name": "day", "rate": "1"}]
    fields = night | {"default_band": "day", "rate": None, "bands": bands}
    (bill,) = rate(version_of(KVA | fields | {"ratchet_months": 1}), [usage])
    assert shown(bill) == {"night": ("10", "kVA"), "day": ("5", "kVA")}
    empty = metered(
        period=Period(date(2025, 5, 1), date(2025, 6, 1)), import_={}, reactive_import={}
    )
    state = read_state(state_document(bill.state))
    (may,) = rate(version_of(KVA | fields | {"ratchet_months": 1}), [empty], states=[state])
    assert shown(may) == {"night": ("10", "kVA"), "day": ("5", "kVA")}
    weights = [{"name": "night", "weight": "0.4"}, {"name": "day", "weight": "1"}]
    fields = night | {"default_band": "day", "weights": weights}
    assert shown(rate(version_of(KVA | fields), [usage])[0]) == {None: ("5", "kVA")}  # 4 at night


SPAIN = EXCESS | {
    "rate": None,
    "free_share": "0.33",
    "mode": "volume",
    "tiers": [{"limit": "0.75", "rate": "0.041554"}, {"rate": "0.062332"}],
}
ITALY = SPAIN | {"mode": "graduated"}


@pytest.mark.parametrize(
    ("charge", "kwh", "kvarh", "expected"),
    [
        # 500 − 330 at a power factor of 0.894
        (SPAIN, 1_000, 500, {"tier-1": "170"}),
        # below 0.80: all 900 − 330 at the dearer rate
        (SPAIN, 1_000, 900, {"tier-2": "570"}),
        (SPAIN, 1_000, 330, {}),
        (SPAIN, 1_000, 750, {"tier-1": "420"}),  # at the limit still in the tier
        (SPAIN, 0, 10, {"tier-2": "10"}),  # no kWh: beyond every share
        (SPAIN, 0, 0, {}),
        (ITALY, 1_000, 900, {"tier-1": "420", "tier-2": "150"}),  # 33 to 75 %, and above
        (ITALY, 1_000, 500, {"tier-1": "170"}),
        (ITALY, 0, 10, {"tier-2": "10"}),
        (EXCESS | {"free_share": "0.5"}, 1_000, 700, {None: "200"}),
        (EXCESS, 1_000, 700, {None: "700"}),
    ],
)
def test_kvarh_beyond_a_share_of_the_kwh(version_of, charge, kwh, kvarh, expected):
    usage = metered(import_={(2, 8): kwh * 1000}, reactive_import={(9, 20): kvarh * 1000})
    (bill,) = rate(version_of(charge), [usage])
    assert shown(bill) == {band: (quantity, "kvarh") for band, quantity in expected.items()}
    assert {line.item.kind for line in bill.lines} <= {"energy"}


@pytest.mark.parametrize(
    ("measured_over", "kvarh"),
    [
        ("period", "0"),  # 300 kvarh are 30 % of 1000 kWh
        ("month", "190"),  # April: 250 − 0.3 × 200; May: 50 of 800 kWh
        ("day", "203"),  # 100 − 0.3 × 100, 150 − 0.3 × 100, 13 of no kWh, and 37 of 800 kWh
    ],
)
def test_the_days_of_which_the_share_is_taken(version_of, measured_over, kvarh):
    """2 April: 100 kWh, 100 kvarh. 3 April: 100 and 150. 1 May: 0 and 13. 2 May: 800 and 37."""
    period = Period(date(2025, 4, 1), date(2025, 6, 1))
    kwh = {(2, 0): 100_000, (3, 0): 100_000, (32, 0): 800_000}
    usage = metered(
        period=period,
        import_=kwh,
        reactive_import={(2, 1): 100_000, (3, 1): 150_000, (31, 1): 13_000, (32, 1): 37_000},
    )
    charge = EXCESS | {"free_share": "0.3", "measured_over": measured_over}
    (bill,) = rate(version_of(charge), [usage])
    total = sum((line.quantity for line in bill.lines), Decimal(0))
    assert total == Decimal(kvarh)


def test_each_band_has_a_share_of_its_own_kwh_and_gaps_are_free(version_of):
    """Peak: 100 kWh, 80 kvarh: 80 − 50 = 30; off-peak 100 kWh, 20 kvarh: none."""
    charge = EXCESS | {
        "rate": None,
        "free_share": "0.5",
        "bands": [{"name": "peak", "rate": "2"}, {"name": "late", "tiers": [{"rate": "1"}]}],
        "windows": [
            {"band": "peak", "from_time": "08:00", "to_time": "20:00"},
            {"band": "late", "from_time": "20:00", "to_time": "24:00"},
        ],
    }
    usage = metered(
        import_={(2, 8): 100_000, (2, 21): 100_000},
        reactive_import={(2, 9): 80_000, (2, 22): 20_000, (2, 3): 999_000},
    )
    assert shown(rate(version_of(charge), [usage])[0]) == {"peak": ("30", "kvarh")}


def test_capacitive_energy_of_another_flow(version_of):
    charge = EXCESS | {"flow": "reactive_export", "active_flow": "export", "free_share": "0.1"}
    usage = metered(export={(2, 8): 100_000}, reactive_export={(2, 8): 15_000})
    assert shown(rate(version_of(charge), [usage])[0]) == {None: ("5", "kvarh")}


@pytest.mark.parametrize(
    ("kwh", "kvarh", "amount"),
    [
        (1000, 0, "-1.00"),  # 1
        (1000, 328, "-1.00"),  # 0.9502
        (1000, 340, "-1.00"),  # 0.9468 rounds to 0.95
        (1000, 350, None),  # 0.9439 rounds to 0.94: nothing
        (1000, 484, None),  # 0.9001
        (1000, 600, "5.00"),  # 0.8575
        (1000, 750, "5.00"),  # exactly 0.8
        (3000, 4000, "20.00"),  # 0.6
        (0, 5, "20.00"),  # 0
        (0, 0, "-1.00"),  # no energy at all counts as 1
    ],
)
def test_a_power_factor_finds_its_row(version_of, kwh, kvarh, amount):
    usage = metered(import_={(2, 8): kwh}, reactive_import={(20, 20): kvarh})
    (bill,) = rate(version_of(FIXED, FACTOR), [usage])
    lines = [line for line in bill.lines if line.item.component_id == "factor"]
    assert [str(line.amount) for line in lines] == ([amount] if amount else [])
    assert all(line.item.kind == "adjustment" for line in lines)


def test_a_line_says_the_row_and_what_it_is_of(version_of):
    usage = metered(import_={(2, 8): 8_000}, reactive_import={(2, 8): 6_000})  # 0.8
    other = FIXED | {"id": "meter", "rate": "7"}
    charge = FACTOR | {"component_ids": ["fixed"]}
    (bill,) = rate(version_of(FIXED, other, charge), [usage])
    *_, line = bill.lines
    assert (line.item.band, line.item.rate, line.quantity) == ("from-0.80", Decimal("0.05"), 100)


@pytest.mark.parametrize(
    ("reactive", "decimals", "band"),
    [
        ("import", 2, "from-0"),  # 6 kWh, 8 kvarh: 0.6
        ("export", 2, "from-0.95"),  # 6 and 1: 0.986
        ("net", 2, "from-0"),  # 6 and 7: 0.651
        ("higher", 2, "from-0"),
    ],
)
def test_which_reactive_energy_makes_the_factor(version_of, reactive, decimals, band):
    usage = metered(
        import_={(2, 8): 6_000}, reactive_import={(2, 8): 8_000}, reactive_export={(2, 9): 1_000}
    )
    charge = FACTOR | {"reactive": reactive, "decimals": decimals}
    (bill,) = rate(version_of(FIXED, charge), [usage])
    assert bill.lines[-1].item.band == band


def test_a_change_of_taxes_divides_amounts_and_not_the_factor(version_of):
    """All reactive energy is after the 11th, and the surcharge of 5 % on both parts."""
    tax = {"kind": "tax", "id": "t", "rate": "0.1", "tax_class": "a", "to_on": "2025-04-11"}
    usage = metered(import_={(2, 8): 8_000}, reactive_import={(20, 8): 6_000})
    (bill,) = rate(version_of(FIXED | {"tax_class": "a"}, FACTOR, tax), [usage])
    surcharges = [line for line in bill.lines if line.item.component_id == "factor"]
    assert [str(line.amount) for line in surcharges] == ["1.67", "3.33"]
    (bill,) = rate(version_of(EXCESS | {"tax_class": "a"}, tax), [usage])
    assert [line.quantity for line in bill.lines if line.item.kind == "energy"] == [2, 4]


CHARGES = {"demand": [KVA], "excess": [EXCESS], "factor": [FIXED, FACTOR]}


@pytest.mark.parametrize("charges", CHARGES.values(), ids=CHARGES)
def test_reactive_energy_that_is_not_measured_is_never_nothing(version_of, charges):
    version = version_of(*charges)
    with pytest.raises(Rejected, match="has no reactive_import series, which the tariff charges"):
        rate(version, [metered(import_={(2, 8): 3_000})])
    usage = metered(import_={(2, 8): 3_000}, reactive_import={})
    nothing = np.full_like(usage.series["import"], MISSING)
    absent = replace(usage, series=usage.series | {"reactive_import": nothing})
    with pytest.raises(Rejected, match="usage 1 of the batch has no reactive_import value at all"):
        rate(version, [usage, absent], missing="counts_as_zero")
    gap = nothing.copy()
    gap[5:] = 0
    partly = replace(usage, series=usage.series | {"reactive_import": gap})
    with pytest.raises(Rejected, match="no reactive_import value in 5 intervals"):
        rate(version, [partly])
    assert rate(version, [partly], missing="counts_as_zero") == rate(version, [usage])


def test_a_day_has_no_share_of_its_own(version_of):
    assert usage_charges(version_of(EXCESS, FACTOR)) is None


@pytest.mark.parametrize(
    ("charge", "fault"),
    [
        (KVA | {"unit": "kW", "reactive": "net"}, "reactive is for demand whose unit is kVA"),
        (EXCESS | {"rate": None}, "either a rate or tiers"),
        (EXCESS | {"tiers": [{"rate": "1"}]}, "either a rate or tiers"),
        (EXCESS | {"bands": [{"name": "a", "rate": "1"}]}, "has its rates in them"),
        (EXCESS | {"default_band": "a"}, "are for reactive energy by bands"),
        (EXCESS | {"rate": None, "bands": [{"name": "a"}]}, "/bands/0: reactive energy has either"),
        (EXCESS | {"mode": "volume"}, "'volume' is for tiers"),
        (EXCESS | {"free_share": "-0.1"}, "must be 0 or more"),
        (ITALY | {"free_share": "0.75"}, "the first tier ends at 0.75, within the free 0.75"),
        (EXCESS | {"flow": "import"}, "'import' is none of reactive_import, reactive_export"),
        (EXCESS | {"measured_over": "year"}, "'year' is none of day, month, period"),
        (FACTOR | {"table": []}, "1 to 101 rows"),
        (FACTOR | {"table": FACTOR["table"][:-1]}, "says nothing of factors below 0.80"),
        (FACTOR | {"table": FACTOR["table"][::-1]}, "factors must fall"),
        (FACTOR | {"table": [{"at_least": "1.1", "rate": "0"}]}, "between 0 and 1"),
        (FACTOR | {"table": [{"at_least": "0", "rate": "11"}]}, "0.05 is 5 %"),
        (FACTOR | {"decimals": 1}, "0.95 is finer than the 1 decimals"),
        (FACTOR | {"decimals": 5}, "between 1 and 4"),
        (FACTOR | {"component_ids": ["later"]}, "'later' is nothing that is charged before"),
    ],
)
def test_what_contradicts_itself_is_refused(version_of, charge, fault):
    with pytest.raises(Rejected, match=fault):
        version_of(charge)


@examples(200)
@given(st.integers(0, 10**13), st.integers(0, 10**13), st.integers(1, 4))
def test_a_factor_is_the_quotient_rounded_half_up(active, reactive, decimals):
    with localcontext(prec=120):
        whole = (Decimal(active) ** 2 + Decimal(reactive) ** 2).sqrt()
        factor = Decimal(active) / whole if whole else Decimal(1)
        shown = factor.scaleb(decimals).quantize(Decimal(1), ROUND_HALF_UP)
    assert power_factor(active, reactive, decimals) == shown


@examples(200)
@given(st.integers(0, 10**20), st.fractions("1e-9", 60, max_denominator=10**9))
def test_kva_is_the_root_rounded_half_up(square, unit):
    """Half a VA less squared is at most the true square, and half a VA more is above it."""
    thousandths = thousandths_of_kva(square, unit)
    true = square * unit * unit * 10**6
    assert (
        Fraction(max(2 * thousandths - 1, 0), 2) ** 2
        <= true
        < Fraction(2 * thousandths + 1, 2) ** 2
    )
    assert thousandths_of_kva(square * square, Fraction(1, 1000)) == square
    assert thousandths_of_kva(square, Fraction(1, 1000)) in (isqrt(square), isqrt(square) + 1)


@examples(60)
@given(
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), min_size=30, max_size=30),
    st.sampled_from(["0", "0.33", "0.5"]),
    st.sampled_from(["day", "month", "period"]),
    st.sampled_from(["graduated", "volume"]),
)
def test_free_and_charged_kvarh_are_all_kvarh(version_of, daily, share, measured_over, mode):
    """Summed tier by tier: what is charged is what lies beyond the share of each day or month."""
    usage = metered(
        import_={(day, 3): wh for day, (wh, _) in enumerate(daily, 1)},
        reactive_import={(day, 21): varh for day, (_, varh) in enumerate(daily, 1)},
    )
    charge = SPAIN | {"free_share": share, "mode": mode, "measured_over": measured_over}
    (bill,) = rate(version_of(charge), [usage])
    cycles = [[day] for day in daily] if measured_over == "day" else [daily]
    expected = sum(
        max(
            sum(varh for _, varh in cycle) - Fraction(share) * sum(wh for wh, _ in cycle),
            Fraction(0),
        )
        for cycle in cycles
    )
    assert sum(Fraction(line.quantity) for line in bill.lines) == expected / 1000
