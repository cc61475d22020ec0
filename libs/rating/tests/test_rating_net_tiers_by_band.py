"""Tiers within the bands of net metering and of what is sold; SAM's metering options 0, 2 and 4.

The working stands beside each figure.
"""

from datetime import date
from decimal import Decimal

import pytest

from gridtally.kernel.errors import Rejected
from gridtally.rating.engine.bill import rate
from gridtally.rating.state import Bank, Lot
from gridtally.rating.tariff import Part, usage_charges

CHEAP = [{"limit": "100", "rate": "0.10"}, {"rate": "0.30"}]
DEAR = [{"limit": "100", "rate": "0.20"}, {"rate": "0.40"}]
BANDS = {
    "bands": [{"name": "day", "tiers": DEAR}, {"name": "night", "tiers": CHEAP}],
    "windows": [{"band": "day", "from_time": "06:00", "to_time": "22:00"}],
    "default_band": "night",
}
BANK = {"kind": "carry_forward"}
METERING = {"kind": "net_metering", "id": "energy", "surplus": BANK, "split": "pro_rata", **BANDS}
SOLD = {"kind": "export_credit", "id": "sold", "surplus": {"kind": "payout"}}
DAY, NIGHT = 8, 1
"""Hours of the first of January, in either band."""


def january(usage_of, *kwh):
    """January with (hour, import, export) in kWh."""
    usage = usage_of("2025-01-01", "2025-02-01", import_=0, export=0)
    for hour, imported, exported in kwh:
        usage.series["import"][hour] = imported * 1000
        usage.series["export"][hour] = exported * 1000
    return usage


def lines_of(bill):
    return [
        (line.item.band, line.item.flow, format(line.quantity.normalize(), "f"), str(line.amount))
        for line in bill.lines
    ]


@pytest.mark.parametrize(
    ("split", "lines"),
    [
        # 300 by day, 100 at night: of 400 the first 100 are 75 and 25, the rest 225 and 75
        (
            "pro_rata",
            [
                ("day:tier-1", "import", "75", "15.00"),
                ("day:tier-2", "import", "225", "90.00"),
                ("night:tier-1", "import", "25", "2.50"),
                ("night:tier-2", "import", "75", "22.50"),
            ],
        ),
        (
            "per_band",
            [
                ("day:tier-1", "import", "100", "20.00"),
                ("day:tier-2", "import", "200", "80.00"),
                ("night:tier-1", "import", "100", "10.00"),
            ],
        ),
    ],
)
def test_what_fills_the_tiers_of_bands(version_of, usage_of, split, lines):
    """By day 350 in and 50 out, at night 100 in."""
    usage = january(usage_of, (DAY, 350, 50), (NIGHT, 100, 0))
    (bill,) = rate(version_of(METERING | {"split": split}), [usage])
    assert lines_of(bill) == lines


def test_units_of_the_bank_are_taken_before_tiers_are_filled(version_of, usage_of):
    """300 by day and 100 at night, of which the bank pays 100 by day: 200 and 100 are left, of 300
    the first 100 are 66 2/3 and 33 1/3: by day 13.33 and 133 1/3 × 0.4 = 53.33, at night 3.33 and
    66 2/3 × 0.3 = 20. The bill shows the full tiers and what is less."""
    state = {"energy": Bank((Lot("day", Decimal(100), date(2025, 1, 1), None),))}
    usage = january(usage_of, (DAY, 300, 0), (NIGHT, 100, 0))
    (bill,) = rate(version_of(METERING), [usage], states=[state])
    assert lines_of(bill)[:4] == [
        ("day:tier-1", "import", "75", "15.00"),
        ("day:tier-2", "import", "225", "90.00"),
        ("night:tier-1", "import", "25", "2.50"),
        ("night:tier-2", "import", "75", "22.50"),
    ]
    assert [(band, flow, amount) for band, flow, _, amount in lines_of(bill)[4:]] == [
        ("day:tier-1", "export", "-1.67"),
        ("day:tier-2", "export", "-36.67"),
        ("night:tier-1", "export", "0.83"),
        ("night:tier-2", "export", "-2.50"),
    ]
    assert format(sum(bill.totals_exact().values()), ".4f") == "90.0000"
    assert bill.state == {}


def test_a_version_that_begins_within_the_bill_takes_what_the_one_before_left(version_of, usage_of):
    """100 are exported on the first 10 days, and pay of the 200 by day on the 11th, when another
    version begins: 100 by day and 50 at night are left, of which the first 100 × 21/31 = 67.74 are
    45.16 and 22.58."""
    usage = january(usage_of, (DAY, 0, 100), (240 + DAY, 200, 0), (240 + NIGHT, 50, 0))
    first, second = (
        version_of(METERING, version_id=number) for number in (
            "00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"
        )
    )  # fmt: skip
    days = usage.period
    cut = days.start_on.replace(day=11)
    parts = [
        Part(type(days)(days.start_on, cut), first),
        Part(type(days)(cut, days.end_on), second),
    ]
    (bill,) = rate(parts, [usage])
    left = {}
    for line in bill.lines:
        left[line.item.band] = left.get(line.item.band, 0) + line.quantity
    assert {band: format(kwh, ".2f") for band, kwh in left.items() if kwh} == {
        "day:tier-1": "45.16",
        "day:tier-2": "54.84",
        "night:tier-1": "22.58",
        "night:tier-2": "27.42",
    }


@pytest.mark.parametrize(
    ("fields", "lines"),
    [
        # 150 sold: the first 100 at 0.10
        ({"tiers": CHEAP}, [("tier-1", "100", "-10.00"), ("tier-2", "50", "-15.00")]),
        ({"tiers": CHEAP, "limits": {"per": "day"}}, [("tier-1", "150", "-15.00")]),
        # 90 at night, then 60 by day, of which 10 are below the limit
        (
            BANDS | {"split": "chronological"},
            [("day:tier-1", "10", "-2.00"), ("day:tier-2", "50", "-20.00"),
             ("night:tier-1", "90", "-9.00")],
        ),
        (BANDS | {"split": "per_band"}, [("day:tier-1", "60", "-12.00"),
                                         ("night:tier-1", "90", "-9.00")]),
        # 100 are 40 and 60
        (
            BANDS | {"split": "pro_rata"},
            [("day:tier-1", "40", "-8.00"), ("day:tier-2", "20", "-8.00"),
             ("night:tier-1", "60", "-6.00"), ("night:tier-2", "30", "-9.00")],
        ),
    ],
)  # fmt: skip
def test_what_is_sold_is_paid_by_tier(version_of, usage_of, fields, lines):
    usage = january(usage_of, (NIGHT, 0, 90), (DAY, 0, 60))
    (bill,) = rate(version_of(SOLD | fields), [usage])
    assert [(band, kwh, amount) for band, _, kwh, amount in lines_of(bill)] == lines


def test_a_credit_in_tiers_pays_charges_as_any_credit_does(version_of, usage_of):
    """25.00 of credit for a charge of 20.00: 5.00 are carried to the next bill."""
    fixed = {"kind": "fixed", "id": "fixed", "rate": "20", "per": "month"}
    sold = SOLD | {"tiers": CHEAP, "surplus": {"kind": "offset", "unused": "carry_forward"}}
    (bill,) = rate(version_of(fixed, sold), [january(usage_of, (DAY, 0, 150))])
    assert str(bill.total) == "0.00"
    assert str(bill.state["sold"].amount.normalize()) == "5"


@pytest.mark.parametrize(
    ("component", "detail"),
    [
        (METERING | {"split": None}, "a split is for bands with tiers, which need it"),
        (METERING | {"tiers": CHEAP}, "tiers are in place of a rate and of bands"),
        (
            {"kind": "net_metering", "id": "a", "rate": "1", "surplus": BANK, "split": "pro_rata"},
            "a split is for bands with tiers",
        ),
        (METERING | {"surplus": {"kind": "payout"}}, "needs surplus_rate"),
        (
            METERING | {"bands": [BANDS["bands"][0], {"name": "night"}]},
            "band 'night' has either a rate or tiers",
        ),
        (SOLD | {"rate": "1", "tiers": CHEAP}, "tiers are in place of a rate"),
        (SOLD | {"rate": "1", "limits": {"per": "day"}}, "limits are for tiers"),
        (SOLD | BANDS, "a split is for bands with tiers, which need it"),
    ],
)
def test_what_makes_no_sense_is_refused(version_of, component, detail):
    with pytest.raises(Rejected, match=detail):
        version_of(component)


def test_costs_of_days_have_a_days_part_of_the_limits(version_of):
    daily = usage_charges(version_of(METERING, SOLD | {"tiers": CHEAP}))
    assert [component.id for component in daily.components] == ["energy", "sold"]
    period = SOLD | {"tiers": CHEAP, "limits": {"per": "period"}}
    assert usage_charges(version_of(period)) is None


WINTER = [{"limit": "310", "rate": "0.10"}, {"rate": "0.30"}]
SUMMER = [{"limit": "620", "rate": "0.20"}, {"rate": "0.40"}]
SEASONS = {"seasons": [{"name": "winter", "start": "10-01"}, {"name": "summer", "start": "01-11"}]}
SEASONAL = {
    "kind": "net_metering",
    "id": "energy",
    "surplus": BANK,
    "bands": [{"name": "winter", "tiers": WINTER}, {"name": "summer", "tiers": SUMMER}],
    "windows": [
        {"band": "summer", "from_time": "00:00", "to_time": "24:00", "seasons": ["summer"]}
    ],
    "default_band": "winter",
}


@pytest.mark.parametrize("split", ["per_band", "pro_rata"])
def test_limits_go_by_the_days_of_each_season(version_of, usage_of, split):
    """January with summer from the 11th: 10/31 of 310 kWh are 100, 21/31 of 620 are 420; 150 and
    500 kWh are used, 100 of them netted in summer (600 less 100)."""
    usage = january(usage_of, (24, 150, 0), (20 * 24, 600, 100))
    (bill,) = rate(version_of(SEASONAL | {"split": split}, calendar=SEASONS), [usage])
    assert [(band, kwh) for band, _, kwh, _ in lines_of(bill)] == [
        ("winter:tier-1", "100"),
        ("winter:tier-2", "50"),
        ("summer:tier-1", "420"),
        ("summer:tier-2", "80"),
    ]


NIGHTS = SEASONAL | {
    "split": "pro_rata",
    "bands": [*SEASONAL["bands"], {"name": "night", "tiers": WINTER}],
    "windows": [
        {"band": "night", "from_time": "22:00", "to_time": "06:00"},
        {"band": "summer", "from_time": "06:00", "to_time": "22:00", "seasons": ["summer"]},
    ],
}


def test_bands_that_fill_tiers_together_are_netted_by_season_where_some_come_or_go(
    version_of, usage_of
):
    """January with summer from the 11th, and nights in both. Until then 150 kWh by day and 50 at
    night: 10/31 of 310 are 100, 75 and 25 of them. Then 300 by day and 300 at night, less 100 that
    are exported at night: of 500, the nights' limit of 21/31 × 310 = 210 is 84 at night, the days'
    of 420 is 252 by day."""
    usage = january(
        usage_of, (30, 150, 0), (25, 50, 0), (20 * 24 + 8, 300, 0), (20 * 24 + 1, 300, 100)
    )
    (bill,) = rate(version_of(NIGHTS, calendar=SEASONS), [usage])
    assert [(line.item.part.days, line.item.band, line.quantity) for line in bill.lines] == [
        (10, "winter:tier-1", 75),
        (10, "winter:tier-2", 75),
        (10, "night:tier-1", 25),
        (10, "night:tier-2", 25),
        (21, "summer:tier-1", 252),
        (21, "summer:tier-2", 48),
        (21, "night:tier-1", 84),
        (21, "night:tier-2", 116),
    ]


def test_a_month_that_is_due_once_is_shared_by_its_seasons(version_of, usage_of):
    """21 days to 31 January, of which 10 are summer: 11/21 of 310 kWh (162.38) are those of winter,
    10/21 of 620 (295.24) those of summer, and of the nights 310 is shared in the same way."""
    seasons = {"seasons": [SEASONS["seasons"][0], {"name": "summer", "start": "01-22"}]}
    usage = usage_of("2025-01-11", "2025-02-01", import_=0, export=0)
    usage.series["import"][8] = 500_000
    usage.series["import"][15 * 24 + 8] = 500_000
    for charge in (SEASONAL | {"split": "per_band"}, SEASONAL | {"split": "pro_rata"}, NIGHTS):
        limits = {"limits": {"proration": "none"}}
        (bill,) = rate(version_of(charge | limits, calendar=seasons), [usage])
        assert [(line.item.band, f"{line.quantity:.2f}") for line in bill.lines] == [
            ("winter:tier-1", "162.38"),
            ("winter:tier-2", "337.62"),
            ("summer:tier-1", "295.24"),
            ("summer:tier-2", "204.76"),
        ]


def test_what_a_season_leaves_over_pays_charges_of_the_bill(version_of, usage_of):
    """20 kWh are left over until the 10th and 30 from the 11th on, at 0.10: 5.00 of 8.00."""
    fixed = {"kind": "fixed", "id": "fixed", "rate": "8", "per": "month"}
    surplus = {"kind": "offset", "component_ids": ["fixed"], "unused": "lost"}
    usage = january(usage_of, (25, 0, 20), (20 * 24, 0, 30))
    charge = NIGHTS | {"surplus": surplus, "surplus_rate": "0.10"}
    (bill,) = rate(version_of(fixed, charge, calendar=SEASONS), [usage])
    assert str(bill.total) == "3.00"
    lower = fixed | {"rate": "4"}  # 1.00 is unused
    (bill,) = rate(version_of(lower, charge, calendar=SEASONS), [usage])
    assert str(bill.total) == "0.00"
