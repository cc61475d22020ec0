"""Flows that a meter measures in different intervals: added up exactly, or held for a reason."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtally.billing.domain.agreements import Agreement
from gridtally.billing.domain.daily_costs import DailyUsage, price_days
from gridtally.billing.domain.periods import (
    BilledPeriod,
    ClosedPeriod,
    HeldPeriod,
    bill_periods,
    with_reference_data,
)
from gridtally.billing.domain.reference_data import Meter, ReferenceData
from gridtally.billing.domain.tariffs import InForce
from gridtally.kernel.periods import RESOLUTIONS_MIN, Period
from gridtally.rating.intervals import in_common_interval, usage_of
from gridtally.rating.usage import MISSING

ONE, TARIFF, METER, CUSTOMER = (UUID(int=n) for n in (1, 2, 3, 4))
TENANT = "acme"
ZONE = "Europe/Berlin"
DAY = date(2025, 3, 30)
"""The clocks go forward: 23 hours."""
PERIOD = Period(date(2025, 3, 29), date(2025, 3, 31))
ENERGY = """{"currency": "EUR", "zone": "Europe/Berlin", "components": [
  {"kind": "energy", "id": "energy", "rate": "0.30"},
  {"kind": "energy", "id": "feed-in", "rate": "-0.10", "flow": "export"}]}"""
EVENING = """{"currency": "EUR", "zone": "Europe/Berlin", "components": [
  {"kind": "time_of_use", "id": "tou", "default_band": "rest",
   "bands": [{"name": "peak", "rate": "0.40"}, {"name": "rest", "rate": "0.20"}],
   "windows": [{"band": "peak", "from_time": "17:%s", "to_time": "20:00"}]}]}"""
AGREEMENT = Agreement(ONE, CUSTOMER, METER, TARIFF, date(2025, 1, 1), None, "wait", 72, 1)


def series(*values):
    return np.array([MISSING if value is None else value for value in values], np.int32)


BIG = 2**31 - 1
TABLE = [
    # name, intervals and values by flow, the one interval, its values by flow
    ("of one length: nothing is added", {"import": (60, [1, 2])}, 60, {"import": [1, 2]}),
    (
        "quarters beside an hour",
        {"import": (15, [1, 2, 3, 4, 5, 6, 7, 8]), "export": (60, [9, 0])},
        60,
        {"import": [10, 26], "export": [9, 0]},
    ),
    (
        "a missing quarter makes its hour missing, and no other",
        {"import": (15, [1, None, 3, 4, 5, 6, 7, 8]), "export": (60, [9, None])},
        60,
        {"import": [None, 26], "export": [9, None]},
    ),
    (
        "an hour of missing quarters is one missing hour",
        {"import": (30, [None, None]), "export": (60, [0])},
        60,
        {"import": [None], "export": [0]},
    ),
    (
        "three lengths",
        {"import": (5, [1] * 6), "export": (15, [2, 3]), "load": (30, [4])},
        30,
        {"import": [6], "export": [5], "load": [4]},
    ),
    (
        "10 and 15 minutes meet at 30",
        {"import": (10, [1, 2, 3]), "export": (15, [4, 5])},
        30,
        {"import": [6], "export": [9]},
    ),
    (
        "sums beyond four bytes",
        {"import": (5, [BIG] * 12), "export": (60, [BIG])},
        60,
        {"import": [12 * BIG], "export": [BIG]},
    ),
]


@pytest.mark.parametrize(
    ("flows", "interval", "expected"), [case[1:] for case in TABLE], ids=[case[0] for case in TABLE]
)
def test_finer_intervals_are_added_up(flows, interval, expected):
    minutes = {flow: length for flow, (length, _) in flows.items()}
    given_series = {flow: series(*values) for flow, (_, values) in flows.items()}
    common, added = in_common_interval(minutes, given_series)
    assert common == interval
    shown = {
        flow: [None if value == MISSING else value for value in values.tolist()]
        for flow, values in added.items()
    }
    assert shown == expected


@given(
    st.dictionaries(
        st.sampled_from(["import", "export", "load", "generation"]),
        st.sampled_from(RESOLUTIONS_MIN),
        min_size=1,
    ),
    st.integers(1, 4),
    st.data(),
)
def test_energy_is_kept_and_nothing_missing_is_filled(minutes, hours, data):
    value = st.none() | st.integers(0, BIG)
    flows = {
        flow: data.draw(
            st.lists(value, min_size=hours * 60 // length, max_size=hours * 60 // length)
        )
        for flow, length in minutes.items()
    }
    common, added = in_common_interval(minutes, {f: series(*values) for f, values in flows.items()})
    assert max(minutes.values()) <= common <= 60
    for flow, values in flows.items():
        parts = common // minutes[flow]
        wholes = [values[first : first + parts] for first in range(0, len(values), parts)]
        assert added[flow].tolist() == [
            MISSING if None in whole else sum(whole) for whole in wholes
        ]


def test_a_flow_that_is_not_measured_is_no_energy_and_one_that_is_stays():
    day = Period(DAY, PERIOD.end_on)
    hours = {"import": np.full(23, 400, np.int32)}
    usage = usage_of(ZONE, day, {"import": 60}, hours, flows_without_channel=["import", "export"])
    assert {flow: values.sum() for flow, values in usage.series.items()} == {
        "import": 9_200,
        "export": 0,
    }
    with pytest.raises(ValueError, match="has 24 intervals"):
        usage_of("UTC", day, {"import": 60}, hours, flows_without_channel=["export"])


def reference_data(document=ENERGY, flows=("import", "export")):
    return ReferenceData(
        agreements={(TENANT, ONE): AGREEMENT},
        meters={(TENANT, METER): Meter(Decimal(15), frozenset(flows))},
        currencies={(TENANT, CUSTOMER): "EUR"},
        versions={(TENANT, TARIFF): [InForce(TARIFF, 1, date(2025, 1, 1), None)]},
        documents={(TENANT, TARIFF): document},
    )


def closed(period=PERIOD, **flows):
    """A period with so many Wh in each interval of so many minutes."""
    minutes = {flow.removesuffix("_"): length for flow, (length, _) in flows.items()}
    return ClosedPeriod(
        tenant_id=TENANT,
        agreement_id=ONE,
        meter_id=METER,
        zone=ZONE,
        period=period,
        revision=1,
        closed_by="complete",
        minutes=minutes,
        series={
            flow.removesuffix("_"): np.full(period.slots(ZONE, length), wh, np.int32)
            for flow, (length, wh) in flows.items()
        },
        doubtful={},
        expected_intervals=1,
        present_intervals=1,
        digest="0" * 64,
        usage_packed=b"",
        series_leaves=(),
        correlation_id="c",
        event=b"",
    )


def billed_alone(periods, known):
    """What becomes of periods before which nothing was billed."""
    return bill_periods(with_reference_data(periods, known), {}, {})


def test_a_period_of_unlike_intervals_is_billed_as_one_of_like_ones():
    """47 hours: 100 Wh in a quarter are 400 Wh in an hour."""
    mixed, hourly = billed_alone(
        [closed(import_=(15, 100), export=(60, 50)), closed(import_=(60, 400), export=(60, 50))],
        reference_data(),
    )
    assert isinstance(mixed, BilledPeriod)
    assert mixed.bill == hourly.bill
    assert mixed.bill.total == Decimal("5.64") - Decimal("0.24")  # 18.8 kWh less 2.35 kWh
    assert mixed.closed.series["import"].size == 4 * 47, "evidence stays as it was received"


def test_one_missing_quarter_holds_a_period_of_unlike_intervals():
    period = closed(import_=(15, 100), export=(60, 50))
    period.series["import"][17] = MISSING
    (result,) = billed_alone([period], reference_data())
    assert isinstance(result, HeldPeriod)
    assert result.reason == "values_missing"
    forced = replace(period, closed_by="forced")
    (result,) = billed_alone([forced], reference_data())
    assert result.bill.total == Decimal("5.52") - Decimal("0.24"), "the whole hour is lost"


@pytest.mark.parametrize(("edge", "billed"), [("00", True), ("30", False)])
def test_an_edge_within_the_longer_interval_is_held_not_guessed(edge, billed):
    periods = [closed(import_=(15, 100), export=(60, 50)), closed(import_=(15, 100))]
    mixed, _ = billed_alone(periods, reference_data(EVENING % edge))
    assert isinstance(mixed, BilledPeriod) == billed
    quarters, _ = billed_alone([periods[1]] * 2, reference_data(EVENING % edge, flows=["import"]))
    assert isinstance(quarters, BilledPeriod), "quarters alone meet the edge"


def used(meter_id=METER, zone=ZONE, **flows):
    minutes = {flow.removesuffix("_"): length for flow, (length, _) in flows.items()}
    day = Period(DAY, DAY + timedelta(days=1))
    return DailyUsage(
        TENANT,
        meter_id,
        DAY,
        zone,
        minutes,
        1,
        {
            flow.removesuffix("_"): np.full(day.slots(ZONE, length), wh, np.int32)
            for flow, (length, wh) in flows.items()
        },
        "c",
    )


DAYS = [
    # name, the day's usage, the tariff, its net cost or None
    ("of one length", used(import_=(15, 100), export=(15, 50)), ENERGY, "2.30"),
    ("of unlike lengths", used(import_=(15, 100), export=(60, 200)), ENERGY, "2.30"),
    ("an edge at the hour", used(import_=(15, 100), export=(60, 200)), EVENING % "00", "2.08"),
    ("an edge within the hour", used(import_=(15, 100), export=(60, 200)), EVENING % "30", None),
    ("recorded in another zone", used(zone="UTC", import_=(15, 100)), ENERGY, None),
]


@pytest.mark.parametrize(
    ("usage", "document", "net"), [case[1:] for case in DAYS], ids=[case[0] for case in DAYS]
)
def test_a_day_is_priced_or_left_out_without_its_neighbours(usage, document, net):
    neighbour = used(UUID(int=9), import_=(15, 100))
    agreements = {usage.key: AGREEMENT, neighbour.key: AGREEMENT}
    costs = price_days([usage, neighbour], agreements, reference_data(document))
    priced = {cost.meter_id: cost.net for cost in costs}
    assert priced.pop(neighbour.meter_id) > 0
    assert priced == ({} if net is None else {METER: Decimal(net)})
