"""Decimals on the wire: one form of text, numbers that arrive whole, bounds that schemas show."""

from decimal import Decimal

import pytest
from pydantic import TypeAdapter, ValidationError

from gridtally.contracts.accounts import Paid
from gridtally.contracts.model import Amount

AMOUNT = TypeAdapter(Amount)


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ('"12.50"', "12.50"),
        ('"-0.1"', "-0.1"),
        ("7", "7"),
        ("12.5", "12.5"),
        ("123456789012.345", "123456789012.345"),
        ('"123456789012.34567"', "123456789012.34567"),
        ("123456789012.34567", None),
        ("0.30000000000000004", None),
        ("1e400", None),
        ("true", None),
        ("null", None),
        ('"NaN"', None),
        ('"1e5"', None),
        ('"1_0"', None),
        ('" 1"', None),
        ('"１"', None),
    ],
)
def test_an_amount_is_read_exactly_or_refused(sent, read):
    if read is None:
        with pytest.raises(ValidationError):
            AMOUNT.validate_json(sent)
    else:
        assert AMOUNT.validate_json(sent) == Decimal(read)


def test_bounds_are_in_the_schema():
    shown = TypeAdapter(Paid).json_schema()
    assert {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 10**18} in shown["anyOf"]
