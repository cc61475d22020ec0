"""Which days the portal's usage shows and compares: months and years, whole or unfinished."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtally.console.pages.portal import spans

TODAY = date(2025, 11, 12)


@pytest.mark.parametrize(
    ("per", "at", "first", "end"),
    [
        ("day", "", date(2025, 11, 1), date(2025, 11, 13)),
        ("day", "2025-02", date(2025, 2, 1), date(2025, 3, 1)),
        ("day", "2025-12", date(2025, 11, 1), date(2025, 11, 13)),  # still to come
        ("day", "2025-13", date(2025, 11, 1), date(2025, 11, 13)),
        ("month", "2024", date(2024, 1, 1), date(2025, 1, 1)),
        ("month", "2024-06", date(2024, 1, 1), date(2025, 1, 1)),
        ("year", "x", date(2025, 1, 1), date(2025, 11, 13)),
        ("year", "1999", date(2025, 1, 1), date(2025, 11, 13)),
    ],
)
def test_an_address_names_a_month_or_a_year(per, at, first, end):
    span = spans.chosen(per, at, TODAY)
    assert (span.first, span.end) == (first, end)


@pytest.mark.parametrize(
    ("per", "at", "first", "end"),
    [
        ("day", "", date(2025, 10, 1), date(2025, 10, 13)),  # as far as this month has come
        ("day", "2025-03", date(2025, 2, 1), date(2025, 3, 1)),  # whole with whole
        ("month", "", date(2024, 1, 1), date(2024, 11, 12)),
        ("month", "2024", date(2023, 1, 1), date(2024, 1, 1)),
    ],
)
def test_it_is_compared_with_as_much_of_the_one_before(per, at, first, end):
    before = spans.before(per, spans.chosen(per, at, TODAY), TODAY)
    assert (before.first, before.end) == (first, end)


def test_an_unfinished_march_is_compared_with_no_more_than_february_has():
    today = date(2025, 3, 31)
    before = spans.before("day", spans.chosen("day", "", today - timedelta(days=1)), today)
    assert (before.first, before.end) == (date(2025, 2, 1), date(2025, 3, 1))


def test_a_year_ago_is_the_same_month():
    span = spans.chosen("day", "2024-02", TODAY)
    year_before = spans.year_before(span, TODAY)
    assert (year_before.first, year_before.end) == (date(2023, 2, 1), date(2023, 3, 1))


days = st.dates(date(2000, 1, 1), date(2199, 11, 30))


@given(days, st.integers(0, 12_000), st.sampled_from(spans.PERS))
def test_what_is_shown_is_never_longer_than_the_api_allows(today, back, per):
    at = max(today - timedelta(days=back), date(2000, 1, 1))
    span = spans.chosen(per, spans.address_of(per, at), today)
    assert 1 <= span.days <= 366
    assert span.first <= at < span.whole_end
    assert span.end <= span.whole_end
