"""Decimals on the wire: one form of text, numbers that arrive whole, bounds that schemas show."""

from decimal import Decimal

import pytest
from pydantic import TypeAdapter, ValidationError

from contracts.accounts import Paid
from contracts.model import Amount
from contracts.tariff.shapes import Kilowatts, Limit, Rate, TaxRate

AMOUNT = TypeAdapter(Amount)
NUMBERS = ["0", "1.50", "007", "12.3456789", "-0.25", "-0"]
NO_NUMBERS = [
    "1e5", "1E-2", "1_0", "+1", ".5", "5.", " 1", "1 ", "1\n", "1,5", "１", "NaN", "Infinity", "",
]  # fmt: skip


def reads(shape, text):
    try:
        TypeAdapter(shape).validate_python(text)
    except ValidationError:
        return False
    return True


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


@pytest.mark.parametrize("text", NUMBERS + NO_NUMBERS)
def test_documents_and_amounts_have_numbers_in_one_form(text):
    assert reads(Amount, text) is reads(Rate, text) is (text in NUMBERS)
    assert reads(Limit, text) is (text in NUMBERS and not text.startswith("-"))
    assert not reads(Kilowatts, text) or text in NUMBERS
    assert not reads(TaxRate, text) or text in NUMBERS


def test_bounds_are_in_the_schema():
    shown = TypeAdapter(Paid).json_schema()
    assert {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 10**18} in shown["anyOf"]
