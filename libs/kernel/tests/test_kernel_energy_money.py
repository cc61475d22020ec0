from decimal import Decimal

import iso4217
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtally.kernel.energy import kwh
from gridtally.kernel.ids import derive_id
from gridtally.kernel.money import (
    TEXT_CHARS_MAX,
    Rounding,
    in_currency,
    is_payable,
    minor_decimals,
    parse_decimal,
    parse_measured,
    plain,
)

CURRENCIES_MIN = 150


@pytest.mark.parametrize(
    ("mode", "amount", "rounded"),
    [
        ("half_even", "0.125", "0.12"),
        ("half_up", "0.125", "0.13"),
        ("half_up", "-0.125", "-0.13"),
        ("down", "0.129", "0.12"),
        ("up", "0.121", "0.13"),
    ],
)
def test_rounding_modes(mode, amount, rounded):
    assert Rounding(mode).round(Decimal(amount)) == Decimal(rounded)


@pytest.mark.parametrize("amount", ["0", "-0", "-0.004"])
def test_nothing_has_no_sign(amount):
    assert str(Rounding("half_up").round(Decimal(amount))) == "0.00"


WRITTEN = [("-0.000", "0.000"), ("1E+3", "1000"), ("1E-7", "0.0000001"), ("-0.10", "-0.10")]


@pytest.mark.parametrize(("amount", "text"), WRITTEN)
def test_amounts_are_written_without_exponent_and_nothing_without_sign(amount, text):
    assert plain(Decimal(amount)) == text


NUMBERS = ["0", "-0", "007", "1.50", "-0.25", "1" * 26, "0." + "0" * 24 + "1", "0." + "3" * 900]
FIGURES = [" 1", "1 ", "+1", ".5", "5.", "1e5", "1E-05", "-1.2e+3", "1\n"]
NO_NUMBERS = [
    "", " ", "-", ".", "e5", "NaN", "-nan", "Infinity", "inf", "1_0", "1,5", "1 0", "--1", "0x10",
    "1.2.3", "１", "٣", "1e", "1e999", "1e1000", "1e26", "1" * 27, "0." + "0" * 25 + "1",
    "0" * TEXT_CHARS_MAX + "1",
]  # fmt: skip


@pytest.mark.parametrize("text", NUMBERS)
def test_one_form_of_decimals_is_read_everywhere(text):
    assert parse_decimal(text) == parse_measured(text) == Decimal(text)


@pytest.mark.parametrize("text", FIGURES)
def test_files_of_other_programs_may_write_decimals_otherwise(text):
    assert parse_measured(text) == Decimal(text.strip())
    with pytest.raises(ValueError, match="is not a decimal number"):
        parse_decimal(text)


@pytest.mark.parametrize("text", NO_NUMBERS)
@pytest.mark.parametrize("parse", [parse_decimal, parse_measured])
def test_what_is_no_reasonable_number_is_refused(parse, text):
    with pytest.raises(ValueError, match="number") as refused:
        parse(text)
    assert len(str(refused.value)) < 100


@given(st.decimals(allow_nan=False, allow_infinity=False, places=20, min_value=-(10**20)))
def test_what_is_written_plainly_is_read_back(number):
    assert parse_decimal(plain(number)) == number


@pytest.mark.parametrize("bad", [("nearest", 2), ("half_up", 9), ("half_up", -1)])
def test_rounding_rules_are_checked(bad):
    with pytest.raises(ValueError, match=r"rounding|decimals"):
        Rounding(*bad)


@given(st.integers(-(2**63), 2**63 - 1))
def test_kilowatt_hours_are_exactly_their_watt_hours(energy_wh):
    assert kwh(energy_wh) * 1000 == energy_wh
    assert str(kwh(1234)) == "1.234"


def test_derived_ids_are_stable_and_do_not_run_together():
    assert derive_id("invoice", "a", "b") == derive_id("invoice", "a", "b")
    assert derive_id("invoice", "a", "bc") != derive_id("invoice", "ab", "c")
    with pytest.raises(ValueError, match="separator"):
        derive_id("invoice", "a\x1fb")


@pytest.mark.parametrize(
    ("currency", "decimals"), [("EUR", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4), ("ABC", 2)]
)
def test_a_currency_has_a_smallest_unit(currency, decimals):
    assert minor_decimals(currency) == decimals
    unit = Decimal(1).scaleb(-decimals)
    assert is_payable(-7 * unit, currency)
    assert is_payable(unit.quantize(Decimal("1E-8")), currency)
    assert not is_payable(unit / 10, currency)


def test_minor_units_are_those_of_iso_4217():
    """The published table, as the package iso4217 carries it."""
    published = {
        currency.code: currency.exponent
        for currency in iso4217.Currency
        if currency.exponent is not None
    }
    assert len(published) > CURRENCIES_MIN
    assert {code: minor_decimals(code) for code in published} == published


@pytest.mark.parametrize(
    ("amount", "currency", "written"),
    [
        ("-351.20000000", "EUR", "-351.20"),
        ("5", "EUR", "5.00"),
        ("0E-8", "EUR", "0.00"),
        ("-0.00000000", "EUR", "0.00"),
        ("100.12500000", "EUR", "100.125"),
        ("1000.00000000", "JPY", "1000"),
        ("10.50000000", "JPY", "10.5"),
        ("1.50000000", "KWD", "1.500"),
        ("99999999999999999.99000000", "EUR", "99999999999999999.99"),
    ],
)
def test_an_amount_has_the_decimals_of_its_currency_or_as_many_as_it_needs(
    amount, currency, written
):
    """As a database with eight decimals returns it (frappe/books#1449)."""
    assert plain(in_currency(Decimal(amount), currency)) == written
