"""Cutting a time into local days, months, hours and quarters, on days when clocks change."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from gridtally.kernel.errors import Rejected
from gridtally.ledger.metering.analytics.domain.series import pieces

HOUR = timedelta(hours=1)


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("by", "zone", "begin", "end", "hours"),
    [
        ("day", "Europe/Berlin", "2025-03-28 23:00", "2025-03-31 22:00", [24, 23, 24]),
        ("day", "Europe/Berlin", "2025-10-24 22:00", "2025-10-27 23:00", [24, 25, 24]),
        ("day", "Europe/Berlin", "2025-03-01 12:00", "2025-03-03 12:00", [11, 24, 13]),
        ("day", "Asia/Kolkata", "2025-03-01 00:00", "2025-03-02 00:00", [18.5, 5.5]),
        ("month", "UTC", "2025-01-15 00:00", "2025-04-01 00:00", [17 * 24, 28 * 24, 31 * 24]),
        ("month", "Europe/Berlin", "2025-02-28 23:00", "2025-03-31 22:00", [31 * 24 - 1]),
        ("hour", "Asia/Kolkata", "2025-03-01 00:00", "2025-03-01 02:00", [0.5, 1, 0.5]),
        ("hour", "Australia/Lord_Howe", "2025-04-05 13:00", "2025-04-06 13:30", [1] * 24 + [0.5]),
        ("15min", "Europe/Berlin", "2025-03-30 00:50", "2025-03-30 01:20", [1 / 6, 0.25, 1 / 12]),
    ],
)
def test_pieces_follow_the_local_clock(by, zone, begin, end, hours):
    windows = pieces(by, zone, (utc(begin), utc(end)), 1000)
    assert [(b - a) / HOUR for a, b in windows] == pytest.approx(hours)
    assert windows[0][0] == utc(begin)
    assert windows[-1][1] == utc(end)
    assert all(before[1] == after[0] for before, after in pairwise(windows))


@pytest.mark.parametrize(
    ("by", "begin", "end", "code"),
    [
        ("15min", "2025-01-01 00:00", "2025-01-12 00:00", "window_too_wide"),
        ("15min", "1950-01-01 00:00", "2150-01-01 00:00", "window_too_wide"),
        ("day", "2020-01-01 00:00", "2025-01-01 00:00", "window_too_wide"),
        ("month", "1901-01-01 00:00", "2199-01-01 00:00", "window_too_wide"),
        ("day", "0001-01-01 00:00", "0001-01-02 00:00", "window_too_far"),
        ("day", "9999-12-30 00:00", "9999-12-31 00:00", "window_too_far"),
    ],
)
def test_too_many_or_too_far_pieces_are_refused(by, begin, end, code):
    with pytest.raises(Rejected) as refused:
        pieces(by, "Europe/Berlin", (utc(begin), utc(end)), 1000)
    assert refused.value.code == code
