"""What a register can show, and how a value is written down."""

from decimal import Decimal

import pytest

from gridtally.kernel.errors import Rejected
from gridtally.ledger.metering.readings.domain.readings import as_shown, check_value
from gridtally.ledger.registry.domain.meters import Register

REGISTER = Register("import", digits=4, decimals=2)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("12.5", "12.5"),
        ("12.50", "12.50"),
        ("12.5000", "12.50"),
        ("12", "12"),
        ("1E2", "100"),
        ("0", "0"),
    ],
)
def test_a_reading_keeps_its_decimals_up_to_those_of_the_register(value, written):
    check_value(Decimal(value), REGISTER)
    assert f"{as_shown(Decimal(value), REGISTER):f}" == written


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("-0.01", "negative_value"),
        ("0.001", "too_many_decimals"),
        ("10000", "beyond_register"),
        ("1E4", "beyond_register"),
    ],
)
def test_what_a_register_cannot_show_is_refused(value, code):
    with pytest.raises(Rejected) as refused:
        check_value(Decimal(value), REGISTER)
    assert refused.value.code == code


@pytest.mark.parametrize(
    "wrong",
    [
        {"digits": 0},
        {"digits": 16},
        {"decimals": -1},
        {"decimals": 7},
        {"multiplier": Decimal(0)},
        {"multiplier": Decimal("1000000.1")},
        {"multiplier": Decimal("0.0000001")},
    ],
    ids=str,
)
def test_a_register_that_cannot_be(wrong):
    with pytest.raises(ValueError, match=r"a register has|a multiplier lies"):
        Register("import", **wrong)
