"""Credit notes of parts: which taxes go with what is credited, and that no more than the invoice is
ever credited, in whatever parts."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtally.billing.domain.credit_notes import (
    Credit,
    CreditedAmount,
    CreditedPart,
    amounts_left,
    cancel,
    credit_part,
)
from gridtally.billing.domain.invoices import Invoice
from gridtally.billing.domain.reference_data import read_version
from gridtally.kernel.errors import Conflict, Rejected
from gridtally.kernel.periods import Period
from gridtally.kernel.resources import Cause
from gridtally.rating.engine.lines import Item, Line

NOW = datetime(2025, 4, 2, 10, 30, tzinfo=UTC)
MARCH = Period(date(2025, 3, 1), date(2025, 4, 1))
VERSION = UUID(int=9)
CAUSE = Cause("acme", "key-1", "c")
TARIFF = {
    "currency": "EUR",
    "zone": "Europe/Berlin",
    "components": [
        {"kind": "fixed", "id": "base", "rate": "12.50", "per": "month", "tax_class": "full"},
        {"kind": "energy", "id": "energy", "rate": "0.30", "tax_class": "full"},
        {"kind": "fixed", "id": "levy", "rate": "5.00", "per": "month", "tax_class": "low"},
        {"kind": "fixed", "id": "deposit", "rate": "3.00", "per": "month"},
        {"kind": "tax", "id": "vat", "rate": "0.19", "tax_class": "full"},
        {"kind": "tax", "id": "low-vat", "rate": "0.07", "tax_class": "low"},
    ],
}
VERSIONS = {VERSION: read_version(VERSION, json.dumps(TARIFF))}
KINDS = {"vat": "tax", "low-vat": "tax", "energy": "energy", "feed-in": "credit"}
CLASSES = {"base": "full", "energy": "full", "feed-in": "full", "levy": "low"}
RATES = {"vat": "0.19", "low-vat": "0.07"}


def line(component, amount, quantity="1"):
    item = Item(
        component, KINDS.get(component, "fixed"), None, None, "EUR" if component in RATES else "x",
        Decimal(RATES.get(component, amount)), VERSION, MARCH, None, CLASSES.get(component),
    )  # fmt: skip
    return Line(item, Decimal(quantity), Decimal(amount), Decimal(amount))


def invoice(**amounts):
    """An invoice of these amounts, with what 19 % and 7 % of them come to."""
    amounts = {name.replace("_", "-"): Decimal(amount) for name, amount in amounts.items()}
    lines = [line(name, amount) for name, amount in amounts.items()]
    for tax, of in (("vat", "full"), ("low-vat", "low")):
        basis = sum((a for name, a in amounts.items() if CLASSES.get(name) == of), Decimal(0))
        due = (basis * Decimal(RATES[tax])).quantize(Decimal("0.01"))
        lines.append(line(tax, due, basis))
    tax = sum(own.amount for own in lines if own.item.kind == "tax")
    net = sum(own.amount for own in lines if own.item.kind != "tax")
    return Invoice(
        tenant_id="acme", id=uuid4(), number="INV-2025-000001", customer_id=uuid4(),
        agreement_id=uuid4(), meter_id=uuid4(), start_on=MARCH.start_on, end_on=MARCH.end_on,
        revision=1, restatement=0, currency="EUR", lines=lines, net=net, tax=tax, total=net + tax,
        issued_at=NOW, correlation_id="c", brought_forward=Decimal(0), arrears=Decimal(0),
        quality=None,
    )  # fmt: skip


# 12.50 and 87.36 at 19 % (18.97), 5.00 at 7 % (0.35), 3.00 untaxed: 127.18
PLAIN = invoice(base="12.50", energy="87.36", levy="5.00", deposit="3.00")


def by_lines(*lines):
    amounts = [(position, amount and Decimal(amount)) for position, amount in lines]
    return Credit("why", tuple(CreditedAmount(*own) for own in amounts))


def by_amount(amount):
    return Credit("why", amount=Decimal(amount))


def after(credited, note):
    """What is credited by position, once the note is there too."""
    credited = dict(credited)
    for position, own in zip(note.positions, note.lines, strict=True):
        amount, quantity = credited.get(position, (0, 0))
        credited[position] = CreditedPart(amount + own.amount, quantity + own.quantity)
    return credited


def credit(wanted, of=PLAIN):
    """Notes for these wanted, one after the other."""
    notes, credited = [], {}
    for own in wanted:
        notes.append(credit_part(of, VERSIONS, credited, own, CAUSE, NOW))
        credited = after(credited, notes[-1])
    return notes, credited


# wanted one after the other -> by position what each wanted
CASES = {
    "a line in part": ([by_lines((2, "10.00"))], [{2: "10.00", 5: "1.90"}]),
    "a line of the low class": ([by_lines((3, "2.50"))], [{3: "2.50", 6: "0.18"}]),  # 0.175
    "a line without taxes": ([by_lines((4, None))], [{4: "3.00"}]),
    "lines of all classes": (
        [by_lines((1, None), (3, None), (4, "1.00"))],
        [{1: "12.50", 3: "5.00", 4: "1.00", 5: "2.38", 6: "0.35"}],  # 2.375, half to even
    ),
    # 19 % of 0.02 is nothing, of 0.04 it is 0.01 (0.0076), of 0.06 still (0.0114)
    "taxes of crumbs add up": (
        [by_lines((2, "0.02"))] * 3,
        [{2: "0.02"}, {2: "0.02", 5: "0.01"}, {2: "0.02"}],
    ),
    "the last part takes what is left of the tax": (
        [by_lines((2, "33.33")), by_lines((2, None), (1, None))],
        [{2: "33.33", 5: "6.33"}, {1: "12.50", 2: "54.03", 5: "12.64"}],
    ),
    # a tenth of everything: 1.25 + 8.736 + 0.5 + 0.3 + 1.897 + 0.035
    "an amount of all": (
        [by_amount("12.72")],
        [{1: "1.25", 2: "8.74", 3: "0.50", 4: "0.30", 5: "1.90", 6: "0.03"}],
    ),
    "an amount, then all that is left": (
        [by_amount("12.72"), by_amount("114.46")],
        [
            {1: "1.25", 2: "8.74", 3: "0.50", 4: "0.30", 5: "1.90", 6: "0.03"},
            {1: "11.25", 2: "78.62", 3: "4.50", 4: "2.70", 5: "17.07", 6: "0.32"},
        ],
    ),
}


@pytest.mark.parametrize(("wanted", "expected"), CASES.values(), ids=CASES)
def test_what_is_credited_with_its_taxes(wanted, expected):
    notes, _ = credit(wanted)
    assert [
        {
            position: str(own.amount)
            for position, own in zip(note.positions, note.lines, strict=True)
        }
        for note in notes
    ] == expected
    for note in notes:
        taxes = sum(own.amount for own in note.lines if own.item.kind == "tax")
        assert (note.tax, note.total) == (taxes, note.net + note.tax)
        assert (note.extent, note.credited_by, note.reason) == ("part", "key-1", "why")


REFUSED = {
    "more than the line": ([by_lines((2, "87.37"))], "credit_exceeds_invoice", "/lines/0/amount"),
    "more than is left of it": (
        [by_lines((2, "80")), by_lines((1, "1"), (2, "7.37"))],
        "credit_exceeds_invoice", "/lines/1/amount",
    ),
    "more than the invoice": ([by_amount("127.19")], "credit_exceeds_invoice", "/amount"),
    "more than is left": (
        [by_amount("27.18"), by_amount("100.01")], "credit_exceeds_invoice", "/amount",
    ),
    "no such line": ([by_lines((7, "1"))], "line_unknown", "/lines/0/position"),
    "a line twice": ([by_lines((1, "1"), (1, "1"))], "line_repeated", "/lines/1/position"),
    "a tax": ([by_lines((5, "1"))], "line_not_creditable", "/lines/0/position"),
    "a line of which nothing is left": (
        [by_lines((4, None)), by_lines((4, None))], "line_not_creditable", "/lines/0/position",
    ),
    "too fine": ([by_lines((1, "1.005"))], "finer_than_currency", "/lines/0/amount"),
    "too fine an amount": ([by_amount("1.005")], "finer_than_currency", "/amount"),
}  # fmt: skip


@pytest.mark.parametrize(("wanted", "code", "pointer"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_credited(wanted, code, pointer):
    _, credited = credit(wanted[:-1])
    with pytest.raises(Rejected) as refused:
        credit_part(PLAIN, VERSIONS, credited, wanted[-1], CAUSE, NOW)
    assert (refused.value.code, refused.value.faults[0].path) == (code, pointer)


def test_of_an_invoice_below_zero_or_wholly_credited_nothing_is_left():
    with pytest.raises(Conflict, match="nothing is left"):
        credit([by_amount("1")], invoice(feed_in="-20"))
    with pytest.raises(Conflict, match="nothing is left"):
        credit([by_amount("127.18"), by_lines((1, "1"))])


def test_no_more_than_the_total_is_credited_where_a_line_is_above_it():
    """100.00 less 80.00 fed in, and 3.80 of taxes: 23.80 in all."""
    fed_in = invoice(energy="100", feed_in="-80")
    with pytest.raises(Rejected, match="so much is not left of the invoice"):
        credit([by_lines((1, "20.01"))], fed_in)
    [note], credited = credit([by_lines((1, "20.00"))], fed_in)
    assert (note.net, note.tax, note.total) == (20, Decimal("3.80"), Decimal("23.80"))
    assert sum(amounts_left(fed_in.lines, credited)) == 0
    [spread], _ = credit([by_amount("11.90")], fed_in)
    assert [own.amount for own in spread.lines[:3]] == [50, -40, Decimal("1.90")]


def replacing(restatement=0):
    closed = SimpleNamespace(revision=2, correlation_id="new")
    return SimpleNamespace(restatement=restatement, closed=closed)


def test_a_correction_credits_the_rest():
    _, credited = credit([by_lines((2, "10.00"), (4, None)), by_amount("1.00")])
    note = cancel(PLAIN, "CN-1", replacing(), credited, NOW)
    assert (note.extent, note.total) == ("rest", Decimal("127.18") - Decimal("14.90") - 1)
    assert 4 not in note.positions  # the deposit is credited already
    tax = note.lines[note.positions.index(5)]
    assert (tax.item.component_id, tax.item.rate) == ("vat", Decimal("0.19"))
    assert tax.quantity == Decimal("99.86") - 10 - credited_base(credited, 10)
    whole = cancel(PLAIN, "CN-1", replacing(), {}, NOW)
    assert (whole.extent, whole.positions, whole.lines) == ("whole", None, PLAIN.lines)
    assert whole.id == note.id


def credited_base(credited, first):
    """What was credited of the lines of the first tax after the first note."""
    return credited[1].amount + credited[2].amount - first


def test_of_what_is_wholly_credited_the_rest_is_nothing():
    _, credited = credit([by_amount("127.18")])
    note = cancel(PLAIN, "CN-1", replacing(), credited, NOW)
    assert (note.lines, note.positions, str(note.total)) == ([], [], "0.00")


cents = st.integers(1, 20_000).map(lambda number: Decimal(number) / 100)
signed = st.integers(-20_000, 20_000).map(lambda number: Decimal(number) / 100)
steps = st.lists(
    st.one_of(
        cents.map(by_amount),
        st.lists(st.tuples(st.integers(1, 5), st.none() | cents), min_size=1, max_size=4).map(
            lambda lines: by_lines(*lines)
        ),
    ),
    max_size=8,
)


@given(st.tuples(signed, cents, signed, signed, cents), steps)
def test_parts_and_the_rest_come_to_the_invoice_line_by_line(amounts, wanted):
    names = ("base", "energy", "feed_in", "levy", "deposit")
    whole = invoice(**dict(zip(names, amounts, strict=True)))
    credited, total = {}, Decimal(0)
    for own in wanted:
        try:
            note = credit_part(whole, VERSIONS, credited, own, CAUSE, NOW)
        except Rejected:
            continue
        assert 0 < note.total <= whole.total - total
        assert own.amount in (None, note.total)
        credited, total = after(credited, note), total + note.total
    for line_, left in zip(whole.lines, amounts_left(whole.lines, credited), strict=True):
        assert min(line_.amount, 0) <= left <= max(line_.amount, 0)
    rest = cancel(whole, "CN-1", replacing(), credited, NOW)
    assert rest.total == whole.total - total
    if credited:
        assert not any(amounts_left(whole.lines, after(credited, rest)))


@given(st.tuples(cents, cents, cents), st.lists(st.tuples(st.integers(1, 3), cents), max_size=8))
def test_taxes_of_credited_lines_are_those_of_their_sum(amounts, wanted):
    whole = invoice(**dict(zip(("base", "energy", "levy"), amounts, strict=True)))
    credited = {}
    for own in wanted:
        try:
            note = credit_part(whole, VERSIONS, credited, by_lines(own), CAUSE, NOW)
        except Rejected:
            continue
        credited = after(credited, note)
    nothing = CreditedPart(Decimal(0), Decimal(0))
    for tax, rate, charges in ((4, "0.19", (1, 2)), (5, "0.07", (3,))):
        base = sum(credited.get(position, nothing).amount for position in charges)
        due = (base * Decimal(rate)).quantize(Decimal("0.01"))
        assert credited.get(tax, nothing).amount == due


def test_lines_that_come_to_nothing_with_their_taxes_are_refused():
    """The tax that is left is -0.01, on a charge of 0.01 and a credit."""
    whole = invoice(base="-1.34", energy="0.01", feed_in="-0.02", levy="0", deposit="1.7")
    first = credit_part(whole, VERSIONS, {}, by_amount("0.01"), CAUSE, NOW)
    with pytest.raises(Rejected, match="credit nothing") as refused:
        credit_part(whole, VERSIONS, after({}, first), by_lines((2, None)), CAUSE, NOW)
    assert refused.value.code == "line_not_creditable"


def test_a_currency_without_hundredths_is_spread_in_whole_units():
    yen = replace(invoice(base="100", energy="331"), currency="JPY")
    yen = replace(yen, lines=[line("base", "100"), line("energy", "331"), line("vat", "82", "431")])
    [note], _ = credit([by_amount("100")], yen)
    assert [str(own.amount) for own in note.lines] == ["19", "65", "16"]
