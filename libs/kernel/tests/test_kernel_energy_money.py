from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.energy import kwh, split_exactly, wh_from_kwh
from kernel.ids import derive_id
from kernel.money import Rounding, parse_decimal, plain


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


@pytest.mark.parametrize("text", ["NaN", "Infinity", "1e999", "", "1,5", "0x10"])
def test_what_is_no_reasonable_number_is_refused(text):
    with pytest.raises(ValueError, match="number"):
        parse_decimal(text)


@pytest.mark.parametrize("bad", [("nearest", 2), ("half_up", 9), ("half_up", -1)])
def test_rounding_rules_are_checked(bad):
    with pytest.raises(ValueError, match=r"rounding|decimals"):
        Rounding(*bad)


def test_kwh_and_back():
    assert kwh(1234) == Decimal("1.234")
    assert wh_from_kwh(Decimal("1.234")) == 1234
    with pytest.raises(ValueError, match="whole number"):
        wh_from_kwh(Decimal("0.0001"))


@given(
    st.integers(-(10**12), 10**12),
    st.lists(st.integers(0, 10**6), min_size=1, max_size=50).filter(any),
)
def test_pieces_always_add_up(total, weights):
    pieces = split_exactly(total, weights)
    assert sum(pieces) == total
    whole = sum(weights)
    assert all(
        abs(p - total * w / whole) <= 1 + abs(total) * 1e-12
        for p, w in zip(pieces, weights, strict=True)
    )


def test_derived_ids_are_stable_and_do_not_run_together():
    assert derive_id("invoice", "a", "b") == derive_id("invoice", "a", "b")
    assert derive_id("invoice", "a", "bc") != derive_id("invoice", "ab", "c")
    with pytest.raises(ValueError, match="separator"):
        derive_id("invoice", "a\x1fb")
