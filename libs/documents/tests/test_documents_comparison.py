"""Why an invoice differs: worked figures, and parts that always add up."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from document_facts import line
from gridtally.documents.comparison import Difference, difference

ZERO = Decimal(0)


def of(lines, earlier):
    return difference(lines, earlier, "EUR")


def test_usage_and_rates_are_taken_apart():
    """100 kWh at 0.30 were 30.00; 120 at 0.35 are 42.00. The 20 more would have cost 6.00 at the
    earlier rate; the other 6.00 are the rate's. VAT at 0.19 rises from 5.70 to 7.98."""
    before = [line("e", 100, "0.30"), line("vat", "30.00", "0.19", kind="tax", unit="EUR")]
    now = [line("e", 120, "0.35"), line("vat", "42.00", "0.19", kind="tax", unit="EUR")]
    assert of(now, before) == Difference(
        Decimal(20), Decimal("6.00"), Decimal("6.00"), ZERO, ZERO, Decimal("2.28")
    )


def test_charges_by_time_and_those_that_began():
    """A base charge of half a month costs 6.25 less; a winter band of 10.00 has ended."""
    before = [line("base", 1, "12.50", unit="month", kind="fixed"), line("e", 10, "1", band="w")]
    now = [line("base", "0.5", "12.50", unit="month", kind="fixed")]
    taken = of(now, before)
    assert (taken.other_charges, taken.began_or_ended) == (Decimal("-6.25"), Decimal("-10.00"))


def test_without_any_energy_before_all_is_usage():
    assert of([line("e", 10, "0.30")], [line("e", 0, "0.20")]).usage == Decimal("3.00")


amounts = st.decimals(-9999, 9999, places=3)
charges = st.lists(
    st.builds(
        line,
        st.sampled_from(["a", "b", "c"]),
        amounts,
        amounts,
        unit=st.sampled_from(["kWh", "month"]),
        kind=st.sampled_from(["energy", "tax"]),
        band=st.sampled_from([None, "peak"]),
    ),
    max_size=8,
)


@given(charges, charges)
def test_the_parts_add_up_to_the_difference(now, before):
    whole = sum((x.amount for x in now), ZERO) - sum((x.amount for x in before), ZERO)
    assert of(now, before).total == whole
