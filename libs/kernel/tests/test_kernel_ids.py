"""Ids that follow from their parts, and ids of what arrives without one."""

from datetime import UTC, datetime, timedelta
from uuid import uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtally.kernel.ids import NAMESPACE, SEPARATOR, arrival_id, derive_id

AT = datetime(2025, 5, 11, 0, 5, tzinfo=UTC)
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters=SEPARATOR))
PARTS = st.one_of(TEXTS, st.integers(), st.uuids())


@given(st.lists(PARTS))
def test_a_derived_id_is_the_uuid5_of_its_parts(parts):
    expected = uuid5(NAMESPACE, SEPARATOR.join(["kind", *map(str, parts)]))
    assert derive_id("kind", *parts) == expected


@pytest.mark.parametrize("parts", [("a\x1fb",), ("a", "\x1f")])
def test_parts_that_could_be_confused_make_no_id(parts):
    with pytest.raises(ValueError, match="separator"):
        derive_id("kind", *parts)


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
