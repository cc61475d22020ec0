"""Tiers of energy that is 1 kWh in every hour; the working stands beside each figure."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest

from gridtally.kernel.errors import Rejected
from gridtally.kernel.periods import Period
from gridtally.rating.engine.bill import rate
from gridtally.rating.state import BandKwh, Bank, Progress, read_state, state_document
from gridtally.rating.tariff import Part, usage_charges

APRIL = ("2025-04-01", "2025-05-01")  # 720 hours
HALF = ("2025-04-01", "2025-04-16")  # 360 hours
TIERS = [
    {"limit": "300", "rate": "0.20"},
    {"limit": "600", "rate": "0.30"},
    {"rate": "0.40"},
]
TIERED = {"kind": "tiered", "id": "energy", "tiers": TIERS}
YEARLY = TIERED | {"limits": {"per": "period", "reset_months": 12}}


def kwh_by_tier(bill):
    return {line.item.band: format(line.quantity.normalize(), "f") for line in bill.lines}


@pytest.mark.parametrize(
    ("fields", "period", "expected"),
    [
        ({}, APRIL, {"tier-1": "300", "tier-2": "300", "tier-3": "120"}),
        # half of April has half the limits: 150 and 300
        ({}, HALF, {"tier-1": "150", "tier-2": "150", "tier-3": "60"}),
        ({"limits": {"proration": "none"}}, HALF, {"tier-1": "300", "tier-2": "60"}),
        # 31/30 of a month of thirty days: 310, 620; March has 743 hours
        (
            {"limits": {"proration": "thirty_days"}},
            ("2025-03-01", "2025-04-01"),
            {"tier-1": "310", "tier-2": "310", "tier-3": "123"},
        ),
        # 10 kWh a day × 15, 20 kWh a day × 15
        (
            {"tiers": [{"limit": "10", "rate": "1"}, {"limit": "20", "rate": "2"}, {"rate": "3"}],
             "limits": {"per": "day"}},
            HALF,
            {"tier-1": "150", "tier-2": "150", "tier-3": "60"},
        ),
        ({"limits": {"per": "period"}}, HALF, {"tier-1": "300", "tier-2": "60"}),
        ({"mode": "volume"}, APRIL, {"tier-3": "720"}),
        ({"mode": "volume", "limits": {"per": "period"}}, HALF, {"tier-2": "360"}),
        # what just reaches a limit lies below it
        ({"tiers": [{"limit": "720", "rate": "1"}, {"rate": "2"}], "mode": "volume"}, APRIL,
         {"tier-1": "720"}),
        ({"tiers": [{"limit": "719.999", "rate": "1"}, {"rate": "2"}], "mode": "volume"}, APRIL,
         {"tier-2": "720"}),
        ({"tiers": [{"limit": "720", "rate": "1"}, {"rate": "2"}]}, APRIL, {"tier-1": "720"}),
        # hours use: 300 and 600 kWh for each of 1 kW of peak; of 0.5 kW connected
        ({"limits": {"kw": "peak", "peak_minutes": 60}}, APRIL,
         {"tier-1": "300", "tier-2": "300", "tier-3": "120"}),
        ({"limits": {"kw": "connected"}}, APRIL,
         {"tier-1": "150", "tier-2": "150", "tier-3": "420"}),
        ({"tiers": [{"rate": "0.25"}]}, APRIL, {None: "720"}),
    ],
)  # fmt: skip
def test_energy_lies_in_the_tiers_that_its_limits_say(
    version_of, usage_of, fields, period, expected
):
    (bill,) = rate(version_of(TIERED | fields), [usage_of(*period, import_=1000, kw="0.5")])
    assert kwh_by_tier(bill) == expected


def test_a_limit_that_is_no_whole_number_of_wh_divides_the_energy_exactly(version_of, usage_of):
    """17 days of March: 100 × 17/31 = 54.838… kWh; the two tiers add up to 408 kWh."""
    charge = TIERED | {"tiers": [{"limit": "100", "rate": "31"}, {"rate": "0"}]}
    (bill,) = rate(version_of(charge), [usage_of("2025-03-01", "2025-03-18", import_=1000)])
    lower, upper = bill.lines
    assert str(lower.quantity) == "54.83870967741935483871"
    assert str(lower.amount_exact) == "1700"
    assert lower.quantity + upper.quantity == 408


def test_a_day_that_the_clock_shortens_has_its_whole_limit(version_of, usage_of):
    charge = TIERED | {
        "tiers": [{"limit": "23", "rate": "1"}, {"rate": "2"}],
        "limits": {"per": "day"},
    }
    for day, next_day, expected in [
        ("2025-03-30", "2025-03-31", {"tier-1": "23"}),
        ("2025-10-26", "2025-10-27", {"tier-1": "23", "tier-2": "2"}),
    ]:
        (bill,) = rate(version_of(charge), [usage_of(day, next_day, import_=1000)])
        assert kwh_by_tier(bill) == expected


def test_yearly_tiers_are_counted_from_bill_to_bill(version_of, usage_of):
    version = version_of(YEARLY)
    april, may = usage_of(*APRIL, import_=500), usage_of("2025-05-01", "2025-06-01", import_=500)
    (first,) = rate(version, [april])
    assert kwh_by_tier(first) == {"tier-1": "300", "tier-2": "60"}  # 360 kWh
    assert first.state == {
        "energy": Progress(date(2025, 1, 1), (BandKwh(None, Decimal("360.000")),))
    }
    stored = read_state(state_document(first.state))
    (second,) = rate(version, [may], states=[stored])
    assert kwh_by_tier(second) == {"tier-2": "240", "tier-3": "132"}  # 360 to 732 kWh
    (alone,) = rate(version, [may])
    assert kwh_by_tier(alone) == {"tier-1": "300", "tier-2": "72"}


@pytest.mark.parametrize(
    ("limits", "period", "since_on", "expected"),
    [
        # 200 kWh before, 360 in April, of a count that began in February
        (
            {"reset_months": 3, "anchor_month": 2},
            APRIL,
            "2025-02-01",
            {"tier-1": "100", "tier-2": "260"},
        ),
        # it begins anew on 1 April
        ({"reset_months": 3}, APRIL, "2025-01-01", {"tier-1": "300", "tier-2": "60"}),
        # 180 kWh until 1 May go on from 200 to 380, then 360 from nothing
        (
            {"reset_months": 3, "anchor_month": 2},
            ("2025-04-16", "2025-05-31"),
            "2025-02-01",
            {"tier-1": "400", "tier-2": "140"},
        ),
        # October to September, across the end of the year; 743 h before, 372 kWh in January
        (
            {"reset_months": 12, "anchor_month": 10},
            ("2026-01-01", "2026-02-01"),
            "2025-10-01",
            {"tier-1": "100", "tier-2": "272"},
        ),
    ],
)
def test_counting_starts_again_with_the_anchor_month(
    version_of, usage_of, limits, period, since_on, expected
):
    version = version_of(TIERED | {"limits": {"per": "period"} | limits})
    before = Progress(date.fromisoformat(since_on), (BandKwh(None, Decimal(200)),))
    usage = usage_of(*period, import_=500)
    (bill,) = rate(version, [usage], states=[{"energy": before}])
    assert kwh_by_tier(bill) == expected
    assert list(bill.state) == ["energy"]


@pytest.mark.parametrize(
    ("mode", "on_version_change", "expected"),
    [
        # 240 hours by the old version reach 240 kWh; the new one goes on from there
        ("graduated", "keep", [("tier-1", "240"), ("tier-1", "60"), ("tier-2", "300"),
                               ("tier-3", "120")]),
        # limits of a third and two thirds of April: 100 and 200; 200 and 400
        ("graduated", "reset", [("tier-1", "100"), ("tier-2", "100"), ("tier-3", "40"),
                                ("tier-1", "200"), ("tier-2", "200"), ("tier-3", "80")]),
        ("volume", "keep", [("tier-3", "240"), ("tier-3", "480")]),
        ("volume", "reset", [("tier-3", "240"), ("tier-3", "480")]),
    ],
)  # fmt: skip
def test_a_new_version_continues_or_starts_from_zero(
    version_of, usage_of, mode, on_version_change, expected
):
    old = version_of(TIERED | {"mode": mode, "limits": {"on_version_change": on_version_change}})
    eleventh = date(2025, 4, 11)
    parts = [
        Part(Period(date(2025, 4, 1), eleventh), old),
        Part(Period(eleventh, date(2025, 5, 1)), replace(old, id=UUID(int=2))),
    ]
    (bill,) = rate(parts, [usage_of(*APRIL, import_=1000)])
    assert [
        (line.item.band, format(line.quantity.normalize(), "f")) for line in bill.lines
    ] == expected
    assert bill.state == {}


def test_a_change_of_taxes_shares_the_tiers_by_days(version_of, usage_of):
    tax = {"kind": "tax", "id": "t", "rate": "0.1", "tax_class": "a", "to_on": "2025-04-11"}
    version = version_of(TIERED | {"tax_class": "a"}, tax)
    (bill,) = rate(version, [usage_of(*APRIL, import_=1000)])
    assert [(line.item.band, str(line.amount)) for line in bill.lines] == [
        ("tier-1", "20.00"),
        ("tier-2", "30.00"),
        ("tier-3", "16.00"),
        (None, "6.60"),
        ("tier-1", "40.00"),
        ("tier-2", "60.00"),
        ("tier-3", "32.00"),
    ]


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"tiers": []}, "1 to 50 tiers"),
        ({"tiers": [{"limit": "1", "rate": "1"}]}, "what is above 1 has no rate"),
        ({"tiers": [{"rate": "1"}, {"rate": "2"}]}, "only the last tier"),
        ({"tiers": [{"limit": "2", "rate": "1"}, {"limit": "2", "rate": "1"}, {"rate": "1"}]},
         "must rise: 2, 2"),
        ({"tiers": [{"limit": "-1", "rate": "1"}, {"rate": "1"}]}, "/tiers/0: a tier's limit"),
        ({"tiers": [{"limit": "0", "rate": "1"}, {"rate": "1"}]}, "above nothing"),
        ({"tiers": [{"limit": "1000000000", "rate": "1"}, {"rate": "1"}]}, "below 1000000000"),
        ({"mode": "block"}, "none of graduated, volume"),
        ({"limits": {"kw": "peak"}}, "/limits: limits per kW of peak"),
        ({"limits": {"peak_minutes": 15}}, "need peak_minutes"),
        ({"limits": {"kw": "peak", "peak_minutes": 20}}, "20 is none of 5, 10"),
        ({"limits": {"reset_months": 3}}, "per 'period'"),
        ({"limits": {"per": "period", "reset_months": 5}}, "5 is none of 1, 2, 3, 4, 6, 12"),
        ({"limits": {"per": "period", "reset_months": 3, "anchor_month": 13}}, "is no month"),
        ({"limits": {"anchor_month": 3}}, "says nothing without reset_months"),
        ({"limits": {"per": "period", "reset_months": 3, "on_version_change": "reset"}},
         "continues in"),
        ({"limits": {"per": "period", "reset_months": 3, "kw": "peak", "peak_minutes": 15}},
         "cannot follow the peak"),
        ({"mode": "volume", "limits": {"per": "period", "reset_months": 3}},
         "would change earlier ones"),
    ],
)  # fmt: skip
def test_tiers_that_contradict_themselves_are_refused(version_of, fields, fault):
    with pytest.raises(Rejected, match=fault):
        version_of(TIERED | fields)


def test_negative_energy_and_the_state_of_another_kind_are_refused(version_of, usage_of):
    with pytest.raises(Rejected, match="import energy is below zero"):
        rate(version_of(TIERED), [usage_of(*APRIL, import_=-1)])
    with pytest.raises(Rejected, match="its state is 'bank', not 'progress'"):
        rate(version_of(YEARLY), [usage_of(*APRIL, import_=1)], states=[{"energy": Bank(())}])


def test_a_peak_finer_than_the_intervals_is_refused_unless_their_mean_will_do(version_of, usage_of):
    limits = {"kw": "peak", "peak_minutes": 15}
    with pytest.raises(Rejected, match="15 minutes cannot be had from intervals of 60 minutes"):
        rate(version_of(TIERED | {"limits": limits}), [usage_of(*APRIL, import_=1000)])
    charge = TIERED | {"limits": limits | {"from_coarser": "mean"}}
    (bill,) = rate(version_of(charge), [usage_of(*APRIL, import_=2000)])
    assert kwh_by_tier(bill) == {"tier-1": "600", "tier-2": "600", "tier-3": "240"}


@pytest.mark.parametrize(
    ("limits", "has_share"),
    [
        ({}, True),
        ({"proration": "none"}, True),
        ({"per": "period"}, False),
        ({"per": "period", "reset_months": 12}, False),
        ({"kw": "peak", "peak_minutes": 60}, False),
    ],
)
def test_the_cost_of_a_day_has_a_days_share_of_the_limits(version_of, usage_of, limits, has_share):
    per_day = usage_charges(version_of(TIERED | {"limits": limits}))
    if not has_share:
        assert per_day is None
        return
    (bill,) = rate(per_day, [usage_of("2025-04-02", "2025-04-03", import_=1000)])
    assert kwh_by_tier(bill) == {"tier-1": "10", "tier-2": "10", "tier-3": "4"}
