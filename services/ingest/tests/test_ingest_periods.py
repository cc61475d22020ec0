"""When periods close, and how their series are put together."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import numpy as np
import pytest

from gridtally.ingest.domain.merge import MISSING
from gridtally.ingest.domain.meters import Channel, Meter
from gridtally.ingest.domain.periods import (
    Close,
    Estimate,
    OpenPeriod,
    Policy,
    Presence,
    Wait,
    assemble,
    decide,
    digest,
)
from gridtally.ingest.domain.series import series
from gridtally.kernel.periods import Period

CHANNEL = Channel("import", 60, 1_000)
METER = Meter(UUID(int=1), "main", "Europe/Berlin", (CHANNEL,))
MARCH = Period(date(2025, 3, 1), date(2025, 4, 1))
END = datetime(2025, 3, 31, 22, tzinfo=UTC)
FULL = 31 * 24 - 1
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("closing", "present", "now", "expected"),
    [
        ("wait", FULL, END - HOUR, Wait(END)),
        ("wait", FULL, END, Close("complete")),
        ("wait", FULL - 1, END + 1000 * HOUR, Wait(None)),
        ("bill_present", FULL, END, Close("complete")),
        ("bill_present", 0, END, Wait(END + 2 * HOUR)),
        ("bill_present", 0, END + 2 * HOUR, Close("grace")),
        ("estimate", FULL, END, Close("complete")),
        ("estimate", 0, END, Wait(END + 2 * HOUR)),
        ("estimate", 0, END + 2 * HOUR, Estimate()),
    ],
)
def test_an_open_period(closing, present, now, expected):
    period = OpenPeriod("acme", UUID(int=2), METER, MARCH, Policy(closing, 2 * HOUR))
    decision = decide(period, Presence(present), revision_delay=HOUR, now=now)
    assert decision == expected


@pytest.mark.parametrize(
    ("closed_by", "present", "changed_ago", "expected"),
    [
        ("grace", FULL - 1, 2 * HOUR, Close("grace")),
        ("grace", FULL, 2 * HOUR, Close("complete")),
        ("forced", 3, HOUR / 2, Wait(END + HOUR / 2)),
    ],
)
def test_a_closed_period_is_decided_when_its_readings_have_been_quiet(
    closed_by, present, changed_ago, expected
):
    period = OpenPeriod("acme", UUID(int=2), METER, MARCH, Policy("wait", HOUR), 1, "d", closed_by)
    presence = Presence(present, END - changed_ago)
    decision = decide(period, presence, revision_delay=HOUR, now=END)
    assert decision == expected


@pytest.mark.parametrize(
    ("closing", "closed_by", "present", "now", "expected"),
    [
        ("wait", "complete", FULL - 1, END + 1000 * HOUR, Close("complete")),
        ("wait", "forced", FULL - 1, END, Close("forced")),
        ("wait", "forced", FULL, END, Close("complete")),
        ("bill_present", "complete", FULL, END + HOUR, Close("complete")),
        ("bill_present", "complete", 0, END + HOUR, Close("complete", END + 2 * HOUR)),
        ("bill_present", "complete", 0, END + 2 * HOUR, Close("grace")),
        ("bill_present", "forced", 0, END + HOUR, Close("forced")),
        ("bill_present", "grace", 0, END + 2 * HOUR, Close("grace")),
        ("estimate", "complete", 0, END + HOUR, Close("complete", END + 2 * HOUR)),
        ("estimate", "complete", 0, END + 2 * HOUR, Estimate()),
    ],
)
def test_a_closed_period_that_has_lost_values(closing, closed_by, present, now, expected):
    policy = Policy(closing, 2 * HOUR)
    period = OpenPeriod("acme", UUID(int=2), METER, MARCH, policy, 1, "d", closed_by)
    presence = Presence(present, END - 2 * HOUR)
    decision = decide(period, presence, revision_delay=HOUR, now=now)
    assert decision == expected


def test_what_cannot_be_estimated_is_billed_as_it_is():
    policy = Policy("estimate", HOUR)
    period = OpenPeriod("acme", UUID(int=2), METER, MARCH, policy, can_be_estimated=False)
    decision = decide(period, Presence(3), revision_delay=HOUR, now=END + HOUR)
    assert decision == Close("grace")


def test_a_meter_without_channels_is_never_complete():
    bare = Meter(UUID(int=1), "unmetered", "UTC", ())
    period = OpenPeriod("acme", UUID(int=2), bare, MARCH, Policy("wait", HOUR))
    later = datetime(2026, 1, 1, tzinfo=UTC)
    assert decide(period, Presence(), revision_delay=HOUR, now=later) == Wait(None)


def stored(day, value):
    slots = 23 if day == date(2025, 3, 30) else 24
    return day, np.full(slots, value, np.int32), np.full(slots, ord("A"), np.uint8)


def test_a_series_has_every_interval_of_its_period():
    days = [stored(date(2025, 3, 30), 2), stored(date(2025, 3, 31), 3)]
    made = assemble("Europe/Berlin", MARCH, CHANNEL, days)
    assert made.values.tolist() == [MISSING] * (29 * 24) + [2] * 23 + [3] * 24
    assert (made.present, made.energy_wh) == (47, 118)


def test_equal_digests_are_equal_periods():
    first = assemble("Europe/Berlin", MARCH, CHANNEL, [stored(date(2025, 3, 1), 2)])
    other = assemble("Europe/Berlin", MARCH, CHANNEL, [stored(date(2025, 3, 2), 2)])
    assert digest([first]) == digest([first])
    assert len({digest([first]), digest([other]), digest([first, other]), digest([])}) == 4


def test_sums_are_exact_and_count_what_is_missing():
    day = date(2025, 3, 1)
    values, quality = np.array([2**31 - 1] * 23 + [MISSING], np.int32), np.full(24, 65, np.uint8)
    window = (day, date(2025, 3, 2))
    [whole] = series("Europe/Berlin", 60, {day: (values, quality)}, window, "1440")
    assert (whole.energy_wh, whole.missing) == (23 * (2**31 - 1), 1)
    empty = list(series("Europe/Berlin", 60, {}, window, "month"))
    assert [(month.energy_wh, month.missing, month.quality) for month in empty] == [(None, 24, "-")]
