"""Ids of what arrives without one."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from gridtally.kernel.ids import arrival_id

AT = datetime(2025, 5, 11, 0, 5, tzinfo=UTC)


@given(st.integers(0, 2**52), st.integers(1, 2**40), st.binary(), st.binary())
def test_ids_are_in_the_order_of_arrival(first_us, later_us, content, other):
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    first_at = epoch + timedelta(microseconds=first_us)
    first = arrival_id(first_at, content)
    second = arrival_id(first_at + timedelta(microseconds=later_us), other)
    assert first.bytes < second.bytes
    assert (first.version, first.variant) == (8, "specified in RFC 4122")


def test_the_same_content_at_the_same_moment_has_the_same_id():
    assert arrival_id(AT, b"a") == arrival_id(AT, b"a") != arrival_id(AT, b"b")
