"""Channels that begin or end: what is expected of a period, and which blocks are refused."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtally.ingest.domain.channels import expectation, is_whole, limit_to_channel
from gridtally.ingest.domain.local_days import cut_at_midnights
from gridtally.ingest.domain.merge import MISSING, NO_CHANNEL, NO_QUALITY
from gridtally.ingest.domain.meters import Channel
from gridtally.ingest.domain.validation import check_channel_time
from gridtally.kernel.periods import Period, midnight_utc

ZONE = "Europe/Berlin"
DAY = Period(date(2025, 3, 30), date(2025, 3, 31))
"""23 hours; 12:00 is hour 11."""
NOON = datetime(2025, 3, 30, 10, tzinfo=UTC)


def channel(start_at=None, end_at=None):
    return Channel("export", 60, 1000, start_at, end_at)


@pytest.mark.parametrize(
    ("start_at", "end_at", "expected", "possible"),
    [
        (None, None, (0, 23), (0, 23)),
        (NOON, None, (11, 23), (11, 23)),
        (NOON + timedelta(minutes=1), None, (12, 23), (11, 23)),
        (None, NOON, (0, 11), (0, 11)),
        (None, NOON - timedelta(minutes=1), (0, 10), (0, 11)),
        (NOON, NOON + timedelta(minutes=30), (11, 11), (11, 12)),
        (NOON - timedelta(days=9), NOON + timedelta(days=9), (0, 23), (0, 23)),
        (NOON + timedelta(days=9), None, (23, 23), (23, 23)),
        (None, NOON - timedelta(days=9), (0, 0), (0, 0)),
    ],
)
def test_what_is_expected_of_a_day(start_at, end_at, expected, possible):
    found = expectation(ZONE, DAY, channel(start_at, end_at))
    assert (found.first, found.end) == expected
    assert (found.first_possible, found.end_possible) == possible
    assert found.count == expected[1] - expected[0]
    assert is_whole(ZONE, DAY, channel(start_at, end_at)) == (expected == (0, 23))


@given(st.integers(-2000, 3000), st.integers(1, 3000))
def test_the_parts_of_a_period_expect_what_the_whole_does(first_min, length_min):
    """Two days, one by one and as one period: the same count, and the same intervals limited."""
    whole = Period(date(2025, 3, 29), date(2025, 3, 31))
    begin_at = midnight_utc(ZONE, whole.start_on)
    start_at = begin_at + timedelta(minutes=first_min)
    bounded = channel(start_at, start_at + timedelta(minutes=length_min))
    days = [Period(date(2025, 3, 29), date(2025, 3, 30)), DAY]
    assert expectation(ZONE, whole, bounded).count == sum(
        expectation(ZONE, day, bounded).count for day in days
    )

    def limited(period):
        values = np.ones(period.slots(ZONE, 60), np.int32)
        quality = np.full(values.size, ord("A"), np.uint8)
        limit_to_channel(values, quality, expectation(ZONE, period, bounded))
        return values.tolist(), quality.tobytes().decode()

    parts = [limited(day) for day in days]
    assert limited(whole) == (parts[0][0] + parts[1][0], parts[0][1] + parts[1][1])


def test_an_interval_that_is_measured_in_part_may_have_a_value():
    for value, letter in ((7, "A"), (MISSING, "N")):
        values = np.full(23, value, np.int32)
        quality = np.full(23, NO_QUALITY if value == MISSING else ord("A"), np.uint8)
        bounded = channel(NOON + timedelta(minutes=1))
        limit_to_channel(values, quality, expectation(ZONE, DAY, bounded))
        assert (values[10], quality[10]) == (MISSING, NO_CHANNEL)
        assert (values[11], chr(quality[11])) == (value, letter)
        assert chr(quality[12]) == ("A" if value == 7 else "-")


@pytest.mark.parametrize(
    ("bounded", "start_h", "hours", "words"),
    [
        (channel(NOON), 8, 3, "from 2025-03-30T10:00:00+00:00 on, and the block ends at"),
        (channel(NOON), 8, 4, None),
        (channel(None, NOON), 11, 1, "until 2025-03-30T10:00:00+00:00, and the block begins at"),
        (channel(None, NOON), 10, 2, None),
        (channel(), 0, 23, None),
    ],
)
def test_a_block_wholly_outside_the_channels_time_is_refused(bounded, start_h, hours, words):
    start_at = midnight_utc(ZONE, DAY.start_on) + timedelta(hours=start_h)
    refusal = check_channel_time(bounded, cut_at_midnights(ZONE, 60, start_at, hours).pieces)
    if words is None:
        assert refusal is None
    else:
        assert refusal.reason == "outside_channel"
        assert words in refusal.detail
