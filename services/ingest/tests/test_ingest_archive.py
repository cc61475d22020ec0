"""The archive's rules: which months are old enough, how one is divided, and putting together."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtally.ingest.domain.archive import (
    FIRST_ID,
    LAST_ID,
    MONTHS_MIN,
    SHARD_DAYS_MAX,
    ArchivedChannel,
    ArchiveSettings,
    DayFacts,
    archived_until,
    divide,
    is_young,
    kept,
    merged,
)
from gridtally.ingest.domain.bulk_series import StoredChannel
from gridtally.kernel.periods import ONE_DAY, Period

METER = UUID(int=7)
JANUARY = date(2024, 1, 1)


@pytest.mark.parametrize(
    ("now", "months", "first_kept"),
    [
        ("2025-06-15", 3, date(2025, 3, 1)),
        ("2025-06-15", 12, date(2024, 6, 1)),
        ("2025-01-31", 3, date(2024, 10, 1)),
        # it is still June somewhere on the first of July, in UTC
        ("2025-07-01", 3, date(2025, 3, 1)),
        ("2025-07-02", 3, date(2025, 4, 1)),
        ("2025-03-31", 600, date(1975, 3, 1)),
        ("2025-06-15", None, None),
    ],
)
def test_whole_months_before_the_current_one_stay(now, months, first_kept):
    at = datetime.fromisoformat(now).replace(hour=12, tzinfo=UTC)
    assert archived_until(ArchiveSettings(months), at) == first_kept


@given(st.integers(0, 36_000), st.integers(0, 86_399))
def test_no_young_day_is_ever_archived(days, seconds):
    """Writers of young days do not look at the archive, so none may be in it."""
    now = datetime(2001, 1, 1, tzinfo=UTC) + timedelta(days=days, seconds=seconds)
    first_kept = archived_until(ArchiveSettings(MONTHS_MIN), now)
    assert not is_young(first_kept - ONE_DAY, now)


@given(
    st.lists(st.tuples(st.uuids(), st.integers(0, SHARD_DAYS_MAX)), unique_by=lambda own: own[0])
)
def test_shards_cover_all_ids_once_and_are_bounded(days_of):
    days_of.sort()
    shards = divide("acme", JANUARY, days_of)
    assert (shards[0].meter_from, shards[-1].meter_to) == (FIRST_ID, LAST_ID)
    for before, after in pairwise(shards):
        assert after.meter_from.int == before.meter_to.int + 1
        assert after.number == before.number + 1
    for shard in shards:
        inside = [days for id_, days in days_of if shard.meter_from <= id_ <= shard.meter_to]
        assert sum(inside) <= SHARD_DAYS_MAX


def stored(days):
    """Days with values that say which day it is, of lengths that change with the clocks."""
    lengths = [23 + day.day % 3 for day in days]
    values = [
        np.full(length, day.toordinal(), np.int32)
        for day, length in zip(days, lengths, strict=True)
    ]
    letters = "".join(
        "AES"[day.day % 3] * length for day, length in zip(days, lengths, strict=True)
    )
    flat = np.concatenate([np.empty(0, np.int32), *values])
    return StoredChannel(list(days), flat, lengths, letters.encode())


def as_lists(channel):
    return {
        day: (values.tolist(), letters.tobytes())
        for day, (values, letters) in (channel.by_day() if channel.days else {}).items()
    }


DAYS = st.lists(st.integers(0, 60), unique=True).map(
    lambda numbers: [JANUARY + timedelta(days=number) for number in sorted(numbers)]
)


@given(DAYS, st.data())
def test_parts_put_together_are_the_whole(days, data):
    """In whatever places the days of a channel are, each in one."""
    chosen = [data.draw(st.integers(0, 3)) for _ in days]
    parts = [
        stored([day for day, own in zip(days, chosen, strict=True) if own == part])
        for part in range(4)
    ]
    whole = merged(parts)
    assert list(whole.days) == days
    assert as_lists(whole) == as_lists(stored(days))


@given(DAYS.filter(len), st.sets(st.integers(0, 60)), st.integers(0, 60), st.integers(1, 60))
def test_what_is_left_out_is_gone_and_the_rest_is_as_it_was(days, numbers, first, count):
    start_on = JANUARY + timedelta(days=first)
    window = Period(start_on, start_on + timedelta(days=count))
    left_out = {JANUARY + timedelta(days=number) for number in numbers}
    facts = [DayFacts("UTC", day.day, 1, datetime(2024, 1, 1, tzinfo=UTC), "c") for day in days]
    channel = ArchivedChannel(METER, "import", 60, stored(days), facts)
    left = kept(channel, window, left_out)
    expected = [
        day for day in days if window.start_on <= day < window.end_on and day not in left_out
    ]
    assert list(left.stored.days) == expected
    assert as_lists(left.stored) == as_lists(stored(expected))
    assert [own.version for own in left.facts] == [day.day for day in expected]
