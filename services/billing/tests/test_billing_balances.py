"""What an invoice brings forward: figures worked by hand, and any order of events."""

from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtally.billing.domain.customers import CustomerBalance, Issue, balances_before

KEY = ("acme", UUID(int=1), "EUR")
OTHER = ("acme", UUID(int=1), "USD")
amounts = st.decimals(-1000, 1000, places=2)


def of(balance, arrears="0", invoiced="0"):
    return CustomerBalance(*(text and Decimal(text) for text in (balance, arrears, invoiced)))


CASES = {
    # name: (published, issued before, [(total, credited)], [(brought forward, arrears)])
    "nothing known, nothing issued": (None, "0", [("10", "0")], [("0", "0")]),
    "an invoice that the ledger has not posted": (None, "120", [("10", "0")], [("120", "0")]),
    "posted and unpaid": (of("120", "0", "120"), "120", [("10", "0")], [("120", "0")]),
    # HAForgeLabs/utilitati_romania#20: 148.80 paid, corrected to 148.60: 0.20 is to be paid back
    "paid, then corrected": (
        of("0", "0", "148.80"), "148.80", [("148.60", "148.80")], [("-148.80", "0")],
    ),
    # killbill/killbill#1464: 100.00 of 148.80 paid, corrected to 149.80: 49.80 are left to pay
    "part paid, then corrected": (
        of("48.80", "0", "148.80"), "148.80", [("149.80", "148.80")], [("-100", "0")],
    ),
    "corrected twice before the ledger has posted anything": (
        of("-100", "0", "0"), "149.80", [("150", "149.80")], [("-100", "0")],
    ),
    "corrected while its credit note alone is posted": (
        of("-148.80", "0", "0"), "148.60", [("148.40", "148.60")], [("-148.80", "0")],
    ),
    # getlago/lago-api#5653: of two invoices at once the second brings forward the first
    # what is overdue is named by the first alone
    "two at once": (of("5", "5", "0"), "0", [("10", "0"), ("7", "0")], [("5", "5"), ("15", "0")]),
    "what was overdue is corrected": (
        of("148.80", "148.80", "148.80"), "148.80", [("148.60", "148.80")], [("0", "0")],
    ),
    "what is overdue beside it stays": (
        of("198.80", "198.80", "198.80"), "198.80", [("148.60", "148.80")], [("50", "50")],
    ),
    # bcgov/entity#5226: 500 paid for 148.80
    "a customer in credit": (of("-351.20", "0", "148.80"), "148.80", [("134.40", "0")],
                             [("-351.20", "0")]),
    "a ledger that does not say what was invoiced": (
        of("0", "0", None), "148.80", [("148.60", "148.80")], [("-148.80", "0")],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("published", "issued", "issues", "expected"), CASES.values(), ids=CASES)
def test_what_an_invoice_brings_forward(published, issued, issues, expected):
    known = {KEY: published} if published else {}
    before = balances_before(
        [Issue(KEY, Decimal(total), Decimal(credited)) for total, credited in issues],
        known,
        {KEY: Decimal(issued)},
    )
    assert [(balance.balance, balance.arrears) for balance in before] == [
        tuple(map(Decimal, pair)) for pair in expected
    ]


def test_what_an_invoice_of_the_same_day_names_is_not_named_again():
    issues = [Issue(KEY, Decimal(10)), Issue(OTHER, Decimal(10))]
    nothing = {KEY: Decimal(0), OTHER: Decimal(0)}
    before = balances_before(issues, {KEY: of("5", "5"), OTHER: of("7", "3")}, nothing, {KEY})
    assert [(str(own.balance), str(own.arrears)) for own in before] == [("5", "0"), ("7", "3")]


@given(
    documents=st.lists(amounts, max_size=5),
    paid=amounts,
    posted=st.integers(0, 5),
    total=amounts,
    data=st.data(),
)
def test_it_does_not_matter_how_much_the_ledger_has_posted(documents, paid, posted, total, data):
    """Whatever of the documents the ledger has posted when it publishes: the next invoice asks for
    all that was issued, less what was paid."""
    credited = data.draw(st.sampled_from([Decimal(0), *documents]))
    invoiced = sum(documents[:posted], Decimal(0))
    published = {KEY: CustomerBalance(invoiced - paid, Decimal(0), invoiced), OTHER: of("7")}
    issued = sum(documents, Decimal(0))
    [before] = balances_before([Issue(KEY, total, credited)], published, {KEY: issued})
    assert before.balance == issued - credited - paid


@pytest.mark.parametrize(
    ("balance", "total", "currency", "written"),
    [
        ("-351.20000000", "134.40", "EUR", "-351.20"),
        ("0E-8", "134.40", "EUR", "0.00"),
        ("120.00000000", "100", "JPY", "120"),
        ("1.50000000", "1.000", "KWD", "1.500"),
        ("0.12500000", "1.00", "EUR", "0.125"),
        ("5", "1.0000", "EUR", "5.0000"),
    ],
)
def test_it_has_the_decimals_of_its_currency(balance, total, currency, written):
    shown = of(balance, balance).written_like(Decimal(total), currency)
    assert (str(shown.balance), str(shown.arrears)) == (written, written)
