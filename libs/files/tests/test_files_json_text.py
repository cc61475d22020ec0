"""JSON of which every part counts."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtally.files.json_text import read_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_what_was_written_is_read_equal(value):
    assert read_json(json.dumps(value)) == value
    assert read_json(json.dumps(value).encode()) == value


def test_a_number_keeps_every_digit():
    numbers = read_json("[0.1234567890123456789, 1e2]", parse_float=Decimal)
    assert numbers == [Decimal("0.1234567890123456789"), Decimal(100)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"rate": "1", "rate": "2"}', "'rate' is there twice in one object"),
        ('[{"a": {"x": 1, "b": 2, "b": 2}}]', "'b' is there twice"),
        (r'{"rate": 1, "r\u0061te": 2}', "'rate' is there twice"),
        ('{"%s": 1, "%s": 2}' % (("a" * 90,) * 2), f"'{'a' * 40}' is there twice"),
        ("[NaN]", "NaN is no number of JSON"),
        ("-Infinity", "-Infinity is no number of JSON"),
        ('{"a": 1} {"a": 2}', "Extra data"),
        ('{"a": 1', "Expecting"),
        ("[" * 100_000 + "]" * 100_000, "nested too deep"),
    ],
)
def test_what_says_two_things_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        read_json(text)
