"""On which days a meter is a customer's: a table, and what holds of any agreements."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtally.kernel.periods import EARLIEST_ON, LATEST_ON, Period
from gridtally.ledger.metering.readings.domain.tenures import (
    AgreedDays,
    AskedDays,
    newest_within,
    tenures_of,
)

APRIL, MAY, JUNE, JULY = (date(2025, month, 1) for month in (4, 5, 6, 7))


def own(start_on, end_on=None):
    return AgreedDays(True, start_on, end_on)


def other(start_on, end_on=None):
    return AgreedDays(False, start_on, end_on)


@pytest.mark.parametrize(
    ("agreements", "is_at_own", "since_on", "tenures"),
    [
        ([], False, None, []),
        ([other(APRIL)], False, None, []),
        ([own(APRIL)], False, None, [(APRIL, LATEST_ON)]),
        ([own(APRIL, APRIL)], False, None, []),  # cancelled
        ([own(APRIL, MAY), other(MAY)], False, None, [(APRIL, MAY)]),
        ([own(MAY, JUNE), own(APRIL, MAY)], False, None, [(APRIL, JUNE)]),  # renewed
        ([own(APRIL, MAY), other(MAY, JUNE), own(JUNE)], False, None,
         [(APRIL, MAY), (JUNE, LATEST_ON)]),  # and back again
        ([], True, None, [(EARLIEST_ON, LATEST_ON)]),
        ([], True, MAY, [(MAY, LATEST_ON)]),  # bought
        ([other(MAY)], True, None, [(EARLIEST_ON, MAY)]),  # let
        ([other(JUNE, JULY), other(APRIL, MAY)], True, None,
         [(EARLIEST_ON, APRIL), (MAY, JUNE), (JULY, LATEST_ON)]),
        ([other(APRIL, JUNE)], True, MAY, [(JUNE, LATEST_ON)]),
        ([own(MAY, JUNE), other(APRIL, MAY)], True, None,
         [(EARLIEST_ON, APRIL), (MAY, LATEST_ON)]),
    ],
)  # fmt: skip
def test_when_a_meter_is_a_customers(agreements, is_at_own, since_on, tenures):
    found = tenures_of(agreements, is_at_own=is_at_own, since_on=since_on)
    assert found == [Period(*tenure) for tenure in tenures]


DAYS = st.dates(date(2025, 1, 1), date(2025, 3, 1))
AGREED = st.builds(AgreedDays, st.booleans(), DAYS, st.none() | DAYS)


@given(st.lists(AGREED, max_size=6), st.booleans(), st.none() | DAYS, DAYS)
def test_a_day_is_a_customers_by_its_agreement_or_where_nobody_else_has_one(
    agreements, is_at_own, since_on, day
):
    def has(agreed):
        return agreed.start_on <= day and (agreed.end_on is None or day < agreed.end_on)

    tenures = tenures_of(agreements, is_at_own=is_at_own, since_on=since_on)
    by_agreement = any(has(agreed) for agreed in agreements if agreed.is_own)
    in_others = any(has(agreed) for agreed in agreements if not agreed.is_own)
    by_property = is_at_own and not in_others and (since_on is None or since_on <= day)
    assert any(day in tenure for tenure in tenures) == (by_agreement or by_property)
    assert all(a.end_on < b.start_on for a, b in pairwise(tenures))


@pytest.mark.parametrize(
    ("zone", "hour", "before", "after"),
    [
        # 1 May has begun in Auckland at noon UTC the day before, in Los Angeles at seven UTC
        ("Pacific/Auckland", datetime(2025, 4, 30, 12, tzinfo=UTC), False, True),
        ("Pacific/Auckland", datetime(2025, 4, 30, 11, 59, tzinfo=UTC), True, False),
        ("America/Los_Angeles", datetime(2025, 5, 1, 6, 59, tzinfo=UTC), True, False),
        ("America/Los_Angeles", datetime(2025, 5, 1, 7, tzinfo=UTC), False, True),
    ],
)
def test_a_tenancy_changes_at_the_propertys_midnight(zone, hour, before, after):
    """Who moves out at the end of April, and who moves in: today is one's or the other's."""
    leaving, moving_in = [Period(APRIL, MAY)], [Period(MAY, LATEST_ON)]
    today = AskedDays(hour).within(zone)
    assert (newest_within(leaving, today) is not None) == before
    assert (newest_within(moving_in, today) is not None) == after
    lately = AskedDays(hour, days_before=60).within(zone)
    assert newest_within(leaving, lately) == leaving[0]
    for asked in (AskedDays(hour), AskedDays(hour, days_before=60)):
        anywhere, there = asked.anywhere, asked.within(zone)
        assert anywhere.start_on <= there.start_on < there.end_on <= anywhere.end_on


def test_who_moved_out_longer_ago_has_it_no_more():
    asked = AskedDays(datetime(2025, 7, 1, 12, tzinfo=UTC), days_before=60)
    for ago, has in ((60, True), (61, False)):
        end_on = date(2025, 7, 1) - timedelta(days=ago) + timedelta(days=1)
        tenures = [Period(date(2024, 1, 1), end_on)]
        assert (newest_within(tenures, asked.within("UTC")) is not None) == has
