"""Bills in which a season begins: each part by its days; the working stands beside each figure."""

from collections import defaultdict
from dataclasses import replace
from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest

from gridtally.kernel.errors import Rejected
from gridtally.kernel.periods import Period
from gridtally.rating.engine.bill import rate
from gridtally.rating.state import BandKwh, Peak, Peaks, Progress, read_state, state_document
from gridtally.rating.tariff import Part
from gridtally.rating.usage import ConnectedChange

SUMMER = {"band": "s", "from_time": "00:00", "to_time": "24:00", "seasons": ["summer"]}
JUNE = {"seasons": [{"name": "winter", "start": "10-01"}, {"name": "summer", "start": "06-01"}]}
DEMAND = {
    "kind": "demand",
    "id": "d",
    "minutes": 60,
    "bands": [{"name": "w", "rate": "5"}, {"name": "s", "rate": "8"}],
    "default_band": "w",
    "windows": [SUMMER],
}
TIERS = {
    "kind": "tiered_time_of_use",
    "id": "e",
    "split": "per_band",
    "limits": {"per": "day"},
    "bands": [
        {"name": "w", "tiers": [{"limit": "10", "rate": "0.10"}, {"rate": "0.30"}]},
        {"name": "s", "tiers": [{"limit": "8", "rate": "0.10"}, {"rate": "0.30"}]},
    ],
    "default_band": "w",
    "windows": [SUMMER],
}
FULL = "10.15053763440860215054"
"""10 kW for 17/31 + 14/30 months."""
SPRING = ("2025-05-15", "2025-06-15")
"""17 days of winter and 14 of summer."""


def lines(bill):
    quantities = defaultdict(Decimal)
    for line in bill.lines:
        quantities[line.item.band] += line.quantity
    return {band: format(quantity.normalize(), "f") for band, quantity in quantities.items()}


def days_of(bill):
    return {
        line.item.band: f"{line.item.part.start_on:%m-%d} {line.item.part.end_on:%m-%d}"
        for line in bill.lines
    }


@pytest.mark.parametrize(
    ("rule", "net", "billed"),
    [
        # NatLabRockies/OpenStudio-HPXML#1036, craibo/ha-red-energy-au#90:
        # 10 kW × 5 × 17/31 = 27.42 and 10 kW × 8 × 14/30 = 37.33
        ("by_days", "64.75", {"w": "5.48387096774193548387", "s": "4.66666666666666666667"}),
        # winter has 17 of 31 days: 10 kW × (17/31 + 14/30)
        ("most_days", "50.75", {"w": FULL}),
        ("each_in_full", "131.95", {"w": FULL, "s": FULL}),
    ],
)  # fmt: skip
def test_demand_of_two_seasons(version_of, usage_of, rule, net, billed):
    (bill,) = rate(
        version_of(DEMAND | {"on_season_change": rule}, calendar=JUNE),
        [usage_of(*SPRING, import_=10_000)],
    )
    assert str(bill.net) == net
    assert lines(bill) == billed


def test_daily_baselines_of_two_seasons(version_of, usage_of):
    """NatLabRockies/SAM#72 (Q01 of the complaints): 170 × 0.10 + 238 × 0.30 + 112 × 0.10 + 224 ×
    0.30; the two parts by themselves are 88.40 and 78.40."""
    version = version_of(TIERS, calendar=JUNE)
    for days, net in (
        (SPRING, "166.80"), (("2025-05-15", "2025-06-01"), "88.40"),
        (("2025-06-01", "2025-06-15"), "78.40"),
    ):  # fmt: skip
        (bill,) = rate(version, [usage_of(*days, import_=1_000)])
        assert str(bill.net) == net


def test_the_lines_of_a_season_are_for_its_days(version_of, usage_of):
    version = version_of(DEMAND, TIERS, calendar=JUNE)
    (bill,) = rate(version, [usage_of(*SPRING, import_=1_000)])
    assert days_of(bill) == dict.fromkeys(("w", "w:tier-1", "w:tier-2"), "05-15 06-01") | (
        dict.fromkeys(("s", "s:tier-1", "s:tier-2"), "06-01 06-15")
    )


def test_a_month_in_which_the_season_changes(version_of, usage_of):
    """cnstudio/Taipower-Bimonthly-Energy-Cost-homeassistant#20: 50 × 15/31 + 80 × 16/31."""
    march = {"seasons": [JUNE["seasons"][0], {"name": "summer", "start": "03-16"}]}
    usage = usage_of("2025-03-01", "2025-04-01", import_=10_000)
    (bill,) = rate(version_of(DEMAND, calendar=march), [usage])
    assert str(bill.net) == "65.48"


@pytest.mark.parametrize(
    ("fields", "billed"),
    [
        # NatLabRockies/SAM#72: 17 days × 10 and 14 × 8; 24 kWh a day are 408 and 336
        ({}, {"w:tier-1": "170", "w:tier-2": "238", "s:tier-1": "112", "s:tier-2": "224"}),
        ({"split": "pro_rata"},
         {"w:tier-1": "170", "w:tier-2": "238", "s:tier-1": "112", "s:tier-2": "224"}),
        ({"split": "chronological"},
         {"w:tier-1": "170", "w:tier-2": "238", "s:tier-1": "112", "s:tier-2": "224"}),
        # more than 170 and 112 kWh: everything in the second tier
        ({"mode": "volume"}, {"w:tier-2": "408", "s:tier-2": "336"}),
        # 31 × 17/31 and 30 × 14/30 of limits of 10 and 8 a month
        ({"limits": {"per": "month"}},
         {"w:tier-1": "5.48387096774193548387", "w:tier-2": "402.51612903225806451613",
          "s:tier-1": "3.73333333333333333333", "s:tier-2": "332.26666666666666666667"}),
        # each of the two months in full, whatever part of it is billed: 10 + 0 and 0 + 8
        ({"limits": {"per": "month", "proration": "none"}},
         {"w:tier-1": "10", "w:tier-2": "398", "s:tier-1": "8", "s:tier-2": "328"}),
        # 17/31 of 10 and 14/31 of 8
        ({"limits": {"per": "period"}},
         {"w:tier-1": "5.48387096774193548387", "w:tier-2": "402.51612903225806451613",
          "s:tier-1": "3.6129032258064516129", "s:tier-2": "332.3870967741935483871"}),
        # 1 kW of peak in each: as without kW
        ({"limits": {"per": "day", "kw": "peak", "peak_minutes": 60}},
         {"w:tier-1": "170", "w:tier-2": "238", "s:tier-1": "112", "s:tier-2": "224"}),
        # 2 kW on the first 9 days, 1 kW after: 10 × (9 × 2 + 8), 8 × 14
        ({"limits": {"per": "day", "kw": "connected"}},
         {"w:tier-1": "260", "w:tier-2": "148", "s:tier-1": "112", "s:tier-2": "224"}),
        # more days of winter: 31 × 10 of 744 kWh
        ({"limits": {"per": "day", "on_season_change": "most_days"}},
         {"w:tier-1": "310", "w:tier-2": "434"}),
        # 31 × 10 and 31 × 8
        ({"limits": {"per": "day", "on_season_change": "each_in_full"}},
         {"w:tier-1": "310", "w:tier-2": "98", "s:tier-1": "248", "s:tier-2": "88"}),
    ],
)  # fmt: skip
def test_tiers_of_two_seasons(version_of, usage_of, fields, billed):
    usage = replace(
        usage_of(*SPRING, import_=1_000, kw="2"),
        connected_changes=(ConnectedChange(date(2025, 5, 24), Decimal(1)),),
    )
    (bill,) = rate(version_of(TIERS | fields, calendar=JUNE), [usage])
    assert lines(bill) == billed


def test_each_part_follows_the_peak_of_its_own_days(version_of, usage_of):
    """2 kW in one hour of June alone: 14 × 8 × 2 kWh, and still 17 × 10 × 1 in May."""
    usage = usage_of(*SPRING, import_=1_000)
    usage.series["import"][-5] = 2_000
    limits = {"per": "day", "kw": "peak", "peak_minutes": 60}
    (bill,) = rate(version_of(TIERS | {"limits": limits}, calendar=JUNE), [usage])
    assert lines(bill) == {
        "w:tier-1": "170", "w:tier-2": "238", "s:tier-1": "224", "s:tier-2": "113",
    }  # fmt: skip


YEAR_ROUND = {
    "bands": [
        {"name": "peak", "tiers": [{"limit": "1", "rate": "1"}, {"rate": "2"}]},
        {"name": "rest", "tiers": [{"limit": "20", "rate": "1"}, {"rate": "2"}]},
    ],
    "default_band": "rest",
    "windows": [{"band": "peak", "from_time": "12:00", "to_time": "14:00", "seasons": ["summer"]}],
}


def test_a_band_that_is_in_force_in_all_seasons_is_not_cut(version_of, usage_of):
    """The summer's peak has 14 days of 1 kWh; the rest 31 of 20, for 31 × 24 - 28 kWh."""
    (bill,) = rate(
        version_of(TIERS | YEAR_ROUND, calendar=JUNE), [usage_of(*SPRING, import_=1_000)]
    )
    assert lines(bill) == {
        "peak:tier-1": "14", "peak:tier-2": "14", "rest:tier-1": "620", "rest:tier-2": "96",
    }  # fmt: skip
    assert days_of(bill)["rest:tier-1"] == "05-15 06-15"


def test_the_total_of_all_bands_is_counted_from_zero_where_a_band_comes(version_of, usage_of):
    """17 × 20 of 17 × 24 kWh; of June's 14 × 24 the peak has a twelfth, and of its first 14 × 1 as
    well as of all above, the rest eleven twelfths of the first 14 × 20 and of all above."""
    (bill,) = rate(
        version_of(TIERS | YEAR_ROUND | {"split": "pro_rata"}, calendar=JUNE),
        [usage_of(*SPRING, import_=1_000)],
    )
    rows = [
        (line.item.band, f"{line.item.part.start_on:%m}", round(line.quantity, 3))
        for line in bill.lines
    ]
    assert rows == [
        ("rest:tier-1", "05", Decimal("340.000")),
        ("rest:tier-2", "05", Decimal("68.000")),
        ("peak:tier-1", "06", Decimal("1.167")),  # 14 × 28/336
        ("peak:tier-2", "06", Decimal("26.833")),  # 322 × 28/336
        ("rest:tier-1", "06", Decimal("256.667")),  # 280 × 308/336
        ("rest:tier-2", "06", Decimal("51.333")),  # 56 × 308/336
    ]


def test_a_season_that_comes_twice_in_a_bill_is_two_parts(version_of, usage_of):
    """A year from January: 5 months of winter, 4 of summer, 3 of winter at another peak."""
    usage = usage_of("2025-01-01", "2026-01-01", import_=10_000)
    usage.series["import"][-3] = 20_000
    (bill,) = rate(version_of(DEMAND, calendar=JUNE), [usage])
    rows = [(line.item.band, str(line.quantity.normalize())) for line in bill.lines]
    assert rows == [("w", "5E+1"), ("s", "4E+1"), ("w", "6E+1")]  # 10 × 5, 10 × 4, 20 × 3


@pytest.mark.parametrize(
    ("fields", "billed"),
    [
        # minimum and steps in each part: 12 × 17/31, 12 × 14/30
        ({"minimum_kw": "12"}, {"w": "6.58064516129032258065", "s": "5.6"}),
        ({"kw_step": "4"}, {"w": "6.58064516129032258065", "s": "5.6"}),
        # so much a day: 10 × 17, 10 × 14
        ({"per": "day"}, {"w": "170", "s": "140"}),
        ({"proration": "thirty_days"},
         {"w": "5.66666666666666666667", "s": "4.66666666666666666667"}),
        # both months are due in full: May all in winter, June all in summer
        ({"proration": "none"}, {"w": "10", "s": "10"}),
        # of the 40 kW of April, half: 20 × 17/31 and 20 × 14/30
        ({"ratchet_months": 2, "ratchet_percent": "50", "ratchet_across_bands": True},
         {"w": "10.96774193548387096774", "s": "9.33333333333333333333"}),
        # of its own band alone
        ({"ratchet_months": 2, "ratchet_percent": "50"},
         {"w": "10.96774193548387096774", "s": "4.66666666666666666667"}),
    ],
)  # fmt: skip
def test_what_follows_the_peak_is_of_each_part(version_of, usage_of, fields, billed):
    april = Peaks((Peak("w", date(2025, 4, 1), date(2025, 5, 1), Decimal(40)),))
    states = [{"d": april}] if "ratchet_months" in fields else None
    version = version_of(DEMAND | fields, calendar=JUNE)
    (bill,) = rate(version, [usage_of(*SPRING, import_=10_000)], states=states)
    assert lines(bill) == billed


def test_the_mean_of_months_is_due_for_the_days_of_a_season(version_of, usage_of):
    """10 kW in May and June, of 20 in April: winter's mean is 15 × 17/31, summer's 10 × 14/30."""
    april = Peaks((Peak("w", date(2025, 4, 1), date(2025, 5, 1), Decimal(20)),))
    version = version_of(DEMAND | {"mean_of_months": 12}, calendar=JUNE)
    (bill,) = rate(version, [usage_of(*SPRING, import_=10_000)], states=[{"d": april}])
    assert lines(bill) == {"w": "8.22580645161290322581", "s": "4.66666666666666666667"}
    assert days_of(bill) == {"w": "05-15 06-01", "s": "06-01 06-15"}


def test_a_month_that_is_due_in_full_is_divided_over_its_seasons(version_of, usage_of):
    """10 kW of half a March, due in full: 5 days of its 15 in winter, 10 in summer."""
    march = {"seasons": [JUNE["seasons"][0], {"name": "summer", "start": "03-16"}]}
    version = version_of(DEMAND | {"proration": "none"}, calendar=march)
    (bill,) = rate(version, [usage_of("2025-03-11", "2025-03-26", import_=10_000)])
    assert lines(bill) == {"w": "3.33333333333333333333", "s": "6.66666666666666666667"}


@pytest.mark.parametrize("split", ["per_band", "pro_rata", "chronological"])
@pytest.mark.parametrize("cut", ["2025-05-20", "2025-06-01", "2025-06-05"])
def test_a_new_version_on_any_day_continues_each_season(version_of, usage_of, cut, split):
    """The same tariff once more from a day on: the same energy in each tier, the same demand."""
    version = version_of(TIERS | {"split": split}, DEMAND, calendar=JUNE)
    day = date.fromisoformat(cut)
    usage = usage_of(*SPRING, import_=1_000)
    parts = [
        Part(Period(usage.period.start_on, day), version),
        Part(Period(day, usage.period.end_on), replace(version, id=UUID(int=2))),
    ]
    (bill,) = rate(parts, [usage])
    (whole,) = rate(version, [usage])
    expected = {band: pytest.approx(Decimal(kwh)) for band, kwh in lines(whole).items()}
    assert {band: Decimal(quantity) for band, quantity in lines(bill).items()} == expected
    assert bill.state == {}


def test_a_tax_that_begins_within_a_season_divides_its_lines_alone(version_of, usage_of):
    """From 6 June: 5 of summer's 14 days before it, winter all before it."""
    tax = {"kind": "tax", "id": "t", "rate": "0.1", "tax_class": "a", "from_on": "2025-06-06"}
    version = version_of(DEMAND | {"tax_class": "a", "per": "day"}, tax, calendar=JUNE)
    (bill,) = rate(version, [usage_of(*SPRING, import_=10_000)])
    rows = [
        (line.item.component_id, line.item.band, f"{line.item.part.start_on:%m-%d}", line.amount)
        for line in bill.lines
    ]
    assert rows == [
        ("d", "w", "05-15", 850),  # 10 × 17 × 5
        ("d", "s", "06-01", 400),  # 10 × 5 × 8
        ("d", "s", "06-06", 720),  # 10 × 9 × 8
        ("t", None, "06-06", 72),
    ]


QUARTER = {
    "bands": [
        {"name": "w", "tiers": [{"limit": "910", "rate": "1"}, {"rate": "2"}]},
        {"name": "s", "tiers": [{"limit": "182", "rate": "1"}, {"rate": "2"}]},
    ]
}


def test_a_count_over_months_has_each_season_s_share_of_them(version_of, usage_of):
    """April to June: 91 days, of which 61 are winter's; a limit of 910 kWh is 610 then, and of
    summer's 182 kWh 60. By bills from the 15th, 24 kWh a day.

    The first has 17 days of April, 408 of 610 kWh; the second 202 of May's 31 × 24, and all 60 of
    the 14 × 24 of June; the third 16 × 24 kWh of June above them, and a new count from July on:
    182 of 14 × 24.
    """
    limits = {"per": "period", "reset_months": 3}
    version = version_of(TIERS | QUARTER | {"limits": limits}, calendar=JUNE)
    state, billed = {}, []
    for start_on, end_on in [
        ("2025-04-14", "2025-05-01"),
        ("2025-05-01", "2025-06-15"),
        ("2025-06-15", "2025-07-15"),
    ]:
        usage = usage_of(start_on, end_on, import_=1_000)
        (bill,) = rate(version, [usage], states=[read_state(state_document(state))])
        state = bill.state
        billed.append(lines(bill))
    assert billed == [
        {"w:tier-1": "408"},
        {"w:tier-1": "202", "w:tier-2": "542", "s:tier-1": "60", "s:tier-2": "276"},
        {"s:tier-1": "182", "s:tier-2": "538"},
    ]
    assert state == {"e": Progress(date(2025, 7, 1), (BandKwh("s", Decimal("336.000")),))}


def test_connected_kw_of_a_count_over_months_are_those_of_the_bill(version_of, usage_of):
    """15 to 30 April of April to June with 2 kW, 4 kW from the 23rd: 3 kW × 910 × 61/91."""
    limits = {"per": "period", "reset_months": 3, "kw": "connected"}
    version = version_of(TIERS | QUARTER | {"limits": limits}, calendar=JUNE)
    usage = replace(
        usage_of("2025-04-15", "2025-05-01", import_=10_000, kw="2"),
        connected_changes=(ConnectedChange(date(2025, 4, 23), Decimal(4)),),
    )
    (bill,) = rate(version, [usage])
    assert lines(bill) == {"w:tier-1": "1830", "w:tier-2": "2010"}  # of 16 × 240


@pytest.mark.parametrize("split", ["per_band", "pro_rata", "chronological"])
@pytest.mark.parametrize("zone", ["America/New_York", "America/Los_Angeles", "Asia/Kolkata"])
def test_no_energy_is_lost_where_the_tariff_has_other_days_than_the_meter(
    version_of, usage_of, split, zone
):
    version = version_of(TIERS | {"split": split}, calendar=JUNE, zone="America/Denver")
    for start_on, end_on in [SPRING, ("2025-05-01", "2025-06-01"), ("2025-06-01", "2025-06-03")]:
        usage = usage_of(start_on, end_on, zone=zone, minutes=30, import_=500)
        (bill,) = rate(version, [usage])
        assert sum(line.quantity for line in bill.lines) == usage.series["import"].sum() / 1000


def test_demand_of_the_hours_between_two_clocks_is_no_second_charge(version_of, usage_of):
    """June in New York begins two hours before Denver's: no day of winter, and none of its kW."""
    version = version_of(DEMAND, calendar=JUNE, zone="America/Denver")
    usage = usage_of("2025-06-01", "2025-07-01", zone="America/New_York", import_=10_000)
    (bill,) = rate(version, [usage])
    assert lines(bill) == {"s": "10"}


@pytest.mark.parametrize(
    ("component", "fault"),
    [
        (TIERS | {"limits": {"on_season_change": "some"}}, "/components/0/limits/on_season_change"),
        (
            {"kind": "tiered", "id": "e", "tiers": [{"rate": "1"}],
             "limits": {"on_season_change": "most_days"}},
            "says nothing without windows that name seasons",
        ),
        (DEMAND | {"on_season_change": "each_in_full",
                   "windows": [{**SUMMER, "seasons": [], "to_time": "12:00"}]},
         "says nothing without windows that name seasons"),
        ({"kind": "demand", "id": "d", "rate": "5", "weights": [{"name": "s", "weight": "0.5"}],
          "default_band": "s", "on_season_change": "most_days"},
         "says nothing without windows that name seasons"),
        (TIERS | {"limits": {"per": "period", "reset_months": 3, "on_season_change": "most_days"}},
         "no bill knows in which season"),
    ],
)  # fmt: skip
def test_a_rule_that_makes_no_sense_is_refused(version_of, component, fault):
    with pytest.raises(Rejected, match=fault):
        version_of(component, calendar=JUNE)
