"""Comparisons: sums that must agree, what is carried from month to month, and a worked example."""

from datetime import date
from decimal import Decimal
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtally.kernel.errors import Rejected
from gridtally.kernel.periods import month_of
from gridtally.rating.usage import MISSING
from gridtally.simulation.domain.comparisons import (
    ChunkComparison,
    UsedTariff,
    check_tariffs,
    chunk_houses,
    load_factor,
    months_of,
)
from gridtally.simulation.domain.house_bills import MeterSeries, usage_of
from gridtally.simulation.domain.houses import House
from gridtally.simulation.domain.policies import (
    GrossMetering,
    SimpleNet,
    TouPeriod,
    TouRate,
    tariff_document,
)
from gridtally.simulation.domain.shifts import (
    ElasticBand,
    Elasticity,
    FixedShare,
    LocalTimes,
)

ZONE = "Europe/Berlin"
MARCH = month_of(date(2025, 3, 1))
FLAT = tariff_document(
    GrossMetering(
        import_retail_price_per_kwh=Decimal("0.30"), export_wholesale_price_per_kwh=Decimal(0)
    )
)
TOU = tariff_document(
    TouRate(
        tou_periods=tuple(
            TouPeriod(
                label=label,
                start_minute=start * 60,
                end_minute=end * 60,
                import_retail_rate_per_kwh=Decimal(rate),
                export_wholesale_rate_per_kwh=Decimal(0),
            )
            for label, start, end, rate in (("peak", 17, 21, "0.60"), ("rest", 21, 17, "0.20"))
        )
    )
)
CARRIED = tariff_document(
    SimpleNet(retail_price_per_kwh=Decimal("0.30"), credit_policy="carry_forward")
)
NET_LOST = tariff_document(SimpleNet(retail_price_per_kwh=Decimal("0.30"), credit_policy="lost"))


def houses(count, zone=ZONE):
    return [
        House(number, UUID(int=number + 1), f"House {number}", zone, Decimal(5), (), None)
        for number in range(count)
    ]


def usage(house, month, imported, exported=None, minutes=60):
    """`imported` and `exported`: Wh by the index of the interval."""
    series = []
    for flow, wh_by_slot in (("import", imported), ("export", exported or {})):
        values = np.zeros(month.slots(house.zone, minutes), np.int64)
        for slot, wh in wh_by_slot.items():
            values[slot] = wh
        series.append(MeterSeries(flow, minutes, values))
    return usage_of(house, month, [series])


def compared(documents, chosen, usages_by_month, *, shift=None, first=MARCH, missing="refused"):
    """What the documents make of houses whose usage is given month by month."""
    tariffs = [UsedTariff(document) for document in documents]
    comparison = ChunkComparison(
        tariffs, chosen, first, len(usages_by_month), missing=missing, shift=shift
    )
    for usages in usages_by_month:
        comparison.add_month(usages)
    return comparison.result()


def rows_of(chunk, scenario):
    return [house for house in chunk.houses if house.scenario == scenario]


def revenue_of(chunk, scenario, *, is_shifted=False):
    return [
        part for part in chunk.revenue if (part.scenario, part.is_shifted) == (scenario, is_shifted)
    ]


def test_a_worked_example():
    """In March (a day of 23 hours in it) a house takes 100 kWh at 18:00 on the 3rd and 50 kWh at
    02:00; another 10 kWh at 18:00 and 90 at 02:00. At 0.30 they pay 45 and 30. With a peak at 0.60
    and the rest at 0.20 they pay 60 + 10 = 70 and 6 + 18 = 24: one loses 25, one gains 6."""
    two = houses(2)
    evening, night = 2 * 24 + 18, 2 * 24 + 2
    usages = [
        usage(two[0], MARCH, {evening: 100_000, night: 50_000}),
        usage(two[1], MARCH, {evening: 10_000, night: 90_000}),
    ]
    chunk = compared([FLAT, TOU], two, [usages])
    assert [house.amount for house in rows_of(chunk, 0)] == [Decimal("45.00"), Decimal("30.00")]
    assert [house.amount for house in rows_of(chunk, 1)] == [Decimal("70.00"), Decimal("24.00")]
    assert [house.difference for house in rows_of(chunk, 1)] == [Decimal(25), Decimal(-6)]
    first = rows_of(chunk, 0)[0]
    assert (first.imported_wh, first.peak_w, first.hours) == (150_000, 100_000, 743)
    # 150 kWh over 743 hours are 0.2019 kW of 100 kW
    assert load_factor(first.imported_wh, first.peak_w, first.hours) == Decimal("0.0020")
    assert chunk.load_wh[0].max() == 140_000  # at 02:00; at 18:00 it is 110
    assert chunk.load_wh[0].sum() == 250_000


def test_a_fixed_share_of_the_peak_is_moved():
    """A tenth of the 100 kWh at 18:00, 10 kWh, goes to 00:00 to 04:00, 2.5 kWh in each hour: 90 at
    0.60 and 60 at 0.20 are 66. Not a Wh is lost, and the baseline stays as it was measured."""
    [house] = houses(1)
    usages = [usage(house, MARCH, {2 * 24 + 18: 100_000, 2 * 24 + 2: 50_000})]
    shift = FixedShare(Decimal("0.1"), LocalTimes(17 * 60, 21 * 60), LocalTimes(0, 4 * 60))
    chunk = compared([FLAT, TOU], [house], [usages], shift=shift)
    [baseline], [row] = rows_of(chunk, 0), rows_of(chunk, 1)
    assert baseline.shifted_amount is None
    assert (row.amount, row.shifted_amount) == (Decimal("70.00"), Decimal("66.00"))
    assert row.shifted_difference == Decimal(21)
    assert (row.shifted_imported_wh, row.shifted_peak_w) == (150_000, 90_000)
    assert chunk.load_wh[1].sum() == 150_000


def test_use_follows_its_price_by_a_declared_elasticity():
    """In the evening a kWh costs 0.60 instead of 0.30: +100 %. At an elasticity of −0.2 a fifth
    less is used, 80 kWh. At night it costs a third less, at −0.3 a tenth more: 55 kWh. 80 × 0.60 +
    55 × 0.20 = 59."""
    [house] = houses(1)
    usages = [usage(house, MARCH, {2 * 24 + 18: 100_000, 2 * 24 + 2: 50_000})]
    bands = (
        ElasticBand("evening", LocalTimes(17 * 60, 21 * 60), Decimal("-0.2")),
        ElasticBand("night", LocalTimes(22 * 60, 6 * 60), Decimal("-0.3")),
    )
    chunk = compared([FLAT, TOU], [house], [usages], shift=Elasticity(bands))
    [row] = rows_of(chunk, 1)
    assert row.shifted_imported_wh == 135_000
    assert row.shifted_amount == Decimal("59.00")
    unchanged = compared([TOU, TOU], [house], [usages], shift=Elasticity(bands))
    [row] = rows_of(unchanged, 1)
    assert row.shifted_amount == row.amount


def test_what_is_left_over_is_carried_into_the_next_month():
    """In March 100 kWh are taken and 300 fed in, in April 250 are taken: a bank of 200 kWh leaves
    50 kWh, 15.00; without a bank all 250 are paid, 75.00."""
    [house] = houses(1)
    first, second = months_of(MARCH, 2)
    months = [
        [usage(house, first, {5: 100_000}, {12: 300_000})],
        [usage(house, second, {5: 250_000})],
    ]
    chunk = compared([CARRIED, NET_LOST], [house], months)
    assert [house.amount for house in chunk.houses] == [Decimal("15.00"), Decimal("75.00")]
    by_month = {part.month_on: part.amount for part in revenue_of(chunk, 0) if part.amount}
    assert by_month == {date(2025, 4, 1): Decimal("15.00")}


def test_tiers_of_a_year_and_a_ratchet_go_on_from_month_to_month():
    """300 kWh a month: the first 500 kWh of a year at 0.10, the rest at 0.20. March 30, April 20 +
    20 = 40. The highest kW of both months, 10, is billed at 1 per kW in April as in March."""
    document = {
        "currency": "XXX",
        "components": [
            {"kind": "tiered", "id": "energy", "limits": {"per": "period", "reset_months": 12},
             "tiers": [{"limit": "500", "rate": "0.10"}, {"rate": "0.20"}]},
            {"kind": "demand", "id": "peak", "rate": "1", "minutes": 60,
             "ratchet_months": 3},
        ],
    }  # fmt: skip
    [house] = houses(1)
    first, second = months_of(MARCH, 2)
    evenly = dict.fromkeys(range(100), 3_000)
    months = [
        [usage(house, first, evenly | {0: 10_000, 1: 0, 2: 0, 3: 2_000})],
        [usage(house, second, evenly)],
    ]
    chunk = compared([document, FLAT], [house], months)
    amounts = {
        (part.month_on.month, part.component_id): part.amount for part in revenue_of(chunk, 0)
    }
    assert amounts[3, "energy"] == Decimal("30.00")
    assert amounts[4, "energy"] == Decimal("40.00")
    assert amounts[4, "peak"] == amounts[3, "peak"] == Decimal("10.00")


def test_arrears_are_owed_once():
    owing = tariff_document(SimpleNet(retail_price_per_kwh=Decimal(1), arrears=Decimal("7.50")))
    [house] = houses(1)
    months = [[usage(house, month, {0: 1_000})] for month in months_of(MARCH, 3)]
    chunk = compared([owing, FLAT], [house], months)
    assert rows_of(chunk, 0)[0].amount == Decimal("10.50")


ENERGY = st.dictionaries(st.integers(0, 700), st.integers(0, 50_000), max_size=12)
DOCUMENTS = st.sampled_from([FLAT, TOU, CARRIED, NET_LOST])
SHIFTS = st.one_of(
    st.builds(
        lambda share, start: FixedShare(
            Decimal(share) / 100,
            LocalTimes(start, start + 120),
            LocalTimes(start + 180, start + 300),
        ),
        st.integers(1, 100),
        st.sampled_from([0, 60, 17 * 60, 22 * 60]),
    ),
    st.builds(
        lambda elasticity: Elasticity(
            (ElasticBand("all", LocalTimes(0, 0), Decimal(elasticity) / 10),)
        ),
        st.integers(-20, 0),
    ),
)


@given(documents=st.lists(DOCUMENTS, min_size=2, max_size=3), data=st.data())
def test_the_same_money_by_houses_by_components_and_by_months(documents, data):
    two = houses(2)
    months = [
        [usage(house, month, data.draw(ENERGY), data.draw(ENERGY)) for house in two]
        for month in months_of(MARCH, 2)
    ]
    shift = data.draw(st.none() | SHIFTS)
    chunk = compared(documents, two, months, shift=shift)
    for scenario in range(len(documents)):
        rows, parts = rows_of(chunk, scenario), revenue_of(chunk, scenario)
        by_houses = sum(house.amount for house in rows)
        assert by_houses == sum(part.amount for part in parts)
        by_month = {}
        for part in parts:
            by_month[part.month_on] = by_month.get(part.month_on, Decimal(0)) + part.amount
        assert by_houses == sum(by_month.values())
        assert sum(house.difference for house in rows) == by_houses - sum(
            house.amount for house in rows_of(chunk, 0)
        )
        if shift is not None and scenario > 0:
            assert sum(house.shifted_amount for house in rows) == sum(
                part.amount for part in revenue_of(chunk, scenario, is_shifted=True)
            )
            load = int(chunk.load_wh[scenario].sum())
            assert load == sum(house.shifted_imported_wh for house in rows)
            if isinstance(shift, FixedShare):
                assert load == sum(house.imported_wh for house in rows)


@given(document=DOCUMENTS, data=st.data())
def test_a_policy_against_itself_changes_nothing(document, data):
    two = houses(2)
    usages = [usage(house, MARCH, data.draw(ENERGY), data.draw(ENERGY)) for house in two]
    elastic = Elasticity((ElasticBand("all", LocalTimes(0, 0), Decimal("-0.5")),))
    chunk = compared([document, document], two, [usages], shift=elastic)
    for house in rows_of(chunk, 1):
        assert house.difference == 0
        assert house.shifted_difference == 0
        assert house.shifted_imported_wh == house.imported_wh


@given(data=st.data())
def test_houses_by_themselves_are_what_they_are_together(data):
    """So however houses are divided into chunks, results are the same."""
    three = houses(3)
    months = [
        [usage(house, month, data.draw(ENERGY), data.draw(ENERGY)) for house in three]
        for month in months_of(MARCH, 2)
    ]
    shift = data.draw(st.none() | SHIFTS)
    together = compared([FLAT, TOU], three, months, shift=shift)
    alone = [
        compared([FLAT, TOU], [house], [[usages[number]] for usages in months], shift=shift)
        for number, house in enumerate(three)
    ]
    parts = [row for chunk in alone for row in chunk.houses]
    assert sorted(together.houses, key=str) == sorted(parts, key=str)
    for scenario, load_wh in together.load_wh.items():
        assert (load_wh == sum(chunk.load_wh[scenario] for chunk in alone)).all()


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu"])
@pytest.mark.parametrize("minutes", [15, 30])
def test_no_energy_is_lost_by_moving_it_on_days_of_any_length(zone, minutes):
    [house] = houses(1, zone)
    for month in (month_of(date(2025, month, 1)) for month in (3, 4, 10)):
        imported = {slot: slot % 7 * 13 for slot in range(month.slots(zone, minutes))}
        measured = usage(house, month, imported, minutes=minutes)
        shift = FixedShare(Decimal("0.333333"), LocalTimes(120, 180), LocalTimes(22 * 60, 90))
        chunk = compared([FLAT, FLAT], [house], [[measured]], shift=shift, first=month)
        [row] = rows_of(chunk, 1)
        assert row.shifted_imported_wh == row.imported_wh == sum(imported.values())
        assert chunk.load_wh[0].sum() == row.imported_wh


def test_other_readings_have_another_digest():
    [house] = houses(1)
    digests = {
        rows_of(compared([FLAT, TOU], [house], [[usage(house, MARCH, imported, exported)]]), 0)[
            0
        ].readings_sha256
        for imported, exported in (({5: 1}, {}), ({6: 1}, {}), ({}, {5: 1}), ({5: 2}, {}))
    }
    assert len(digests) == 4
    again = compared([TOU, FLAT], [house], [[usage(house, MARCH, {5: 1})]])
    assert rows_of(again, 1)[0].readings_sha256 in digests


def test_missing_intervals_are_refused_or_count_as_no_energy():
    [house] = houses(1)
    gappy = usage(house, MARCH, {5: 1_000, 6: MISSING})
    with pytest.raises(Rejected) as refused:
        compared([FLAT, TOU], [house], [[gappy]])
    assert refused.value.code == "values_missing"
    shift = FixedShare(Decimal("0.5"), LocalTimes(300, 360), LocalTimes(360, 420))
    chunk = compared([FLAT, FLAT], [house], [[gappy]], missing="counts_as_zero", shift=shift)
    [row] = rows_of(chunk, 1)
    assert (row.amount, row.shifted_imported_wh, row.shifted_peak_w) == (Decimal("0.30"), 1000, 500)


def test_what_cannot_be_compared_is_refused_before_the_work():
    euro = {**FLAT, "currency": "EUR"}
    tiers = [{"limit": "10", "rate": "1"}, {"rate": "2"}]
    tiered = {"currency": "XXX", "components": [{"kind": "tiered", "id": "t", "tiers": tiers}]}
    elastic = Elasticity((ElasticBand("all", LocalTimes(0, 0), Decimal(-1)),))
    for documents, shift, code in (
        ([FLAT, euro], None, "compare_currencies"),
        ([FLAT, tiered], elastic, "shift_unpriced"),
        ([FLAT, {"currency": "XXX", "components": [{"kind": "?"}]}], None, "invalid_tariff"),
    ):
        with pytest.raises(Rejected) as refused:
            check_tariffs([UsedTariff(document) for document in documents], [ZONE], shift)
        assert refused.value.code == code
    check_tariffs([UsedTariff(FLAT), UsedTariff(tiered)], [ZONE], None)


@pytest.mark.parametrize(
    ("first", "second", "overlap"),
    [
        (LocalTimes(0, 60), LocalTimes(60, 120), False),
        (LocalTimes(0, 61), LocalTimes(60, 120), True),
        (LocalTimes(1320, 120), LocalTimes(60, 180), True),
        (LocalTimes(1320, 60), LocalTimes(60, 1320), False),
        (LocalTimes(0, 0), LocalTimes(700, 710), True),
    ],
)
def test_times_that_overlap(first, second, overlap):
    assert first.overlaps(second) == second.overlaps(first) == overlap
    if overlap:
        with pytest.raises(Rejected):
            FixedShare(Decimal("0.1"), first, second)
        with pytest.raises(Rejected):
            Elasticity(tuple(ElasticBand("b", times, Decimal(-1)) for times in (first, second)))


@pytest.mark.parametrize(
    ("months", "scenarios", "is_shifted", "is_as_known", "count"),
    [
        (1, 2, False, False, 200),
        (12, 2, False, False, 66),
        (24, 2, False, False, 33),
        (24, 8, True, False, 8),
        (12, 2, False, True, 8),
        (24, 8, True, True, 1),
    ],
)
def test_a_chunk_has_fewer_houses_of_more_months(months, scenarios, is_shifted, is_as_known, count):
    assert count == chunk_houses(
        months, scenarios, is_shifted=is_shifted, is_as_known=is_as_known, houses_max=200
    )
