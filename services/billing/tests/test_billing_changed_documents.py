"""Invoices that a correction would replace, as a whole: divided where they become too long."""

from datetime import date
from decimal import Decimal
from types import SimpleNamespace
from uuid import UUID

import pytest

from gridtally.billing.domain.changed_documents import (
    ChangedDocument,
    DocumentBill,
    IssuedDocument,
)
from gridtally.billing.domain.collective_invoices import LINES_MAX, SectionSize
from gridtally.billing.domain.corrections import ChangedInvoice
from gridtally.billing.domain.repeated_credits import GivenCredit

DOCUMENT, CUSTOMER, NOTE = (UUID(int=number) for number in range(1, 4))
SECTIONS = [UUID(int=number) for number in range(11, 14)]


def document(line_counts, given=()):
    bills = [
        DocumentBill(
            section, SectionSize("EUR", section, date(2025, 1, 1), section, lines), Decimal(100)
        )
        for section, lines in zip(SECTIONS, line_counts, strict=False)
    ]
    credits_by_hand = [
        GivenCredit(NOTE, "goodwill", "key", Decimal(amount), ()) for amount in given
    ]
    return IssuedDocument(
        DOCUMENT, "INV-1", CUSTOMER, "EUR", len(bills) > 1, Decimal(100) * len(bills), Decimal(0),
        credits_by_hand, bills,
    )  # fmt: skip


def changed(section, lines, total):
    before = SimpleNamespace(id=section, total=Decimal(100))
    bill = SimpleNamespace(lines=[None] * lines, total=Decimal(total))
    return ChangedInvoice(before, "correction", bill, None)


@pytest.mark.parametrize(
    ("before", "after", "totals"),
    [
        # the last of three gets so many lines that it is on an invoice of its own
        ((1, LINES_MAX - 2, 1), [(SECTIONS[2], 2, 110)], [200, 110]),
        ((1, LINES_MAX - 2, 1), [(SECTIONS[2], 1, 110)], [310]),
        # the first, by which the others move on
        ((1, LINES_MAX - 2, 1), [(SECTIONS[0], 3, 90)], [90, 200]),
        # fewer lines, of two together
        ((2, LINES_MAX - 2, 1), [(SECTIONS[0], 1, 90), (SECTIONS[2], 1, 95)], [285]),
        # what is no collective invoice stays one, however long
        ((1,), [(SECTIONS[0], LINES_MAX + 1, 90)], [90]),
    ],
)
def test_an_invoice_is_divided_by_the_lines_that_its_sections_have_then(before, after, totals):
    whole = ChangedDocument(document(before), [changed(*own) for own in after])
    assert whole.totals == totals
    assert whole.total == sum(totals)


def test_a_credit_is_given_again_on_the_first_invoice_that_has_anything_left():
    whole = ChangedDocument(
        document((1, LINES_MAX - 2, 1), given=[250]), [changed(SECTIONS[2], 2, 110)]
    )
    assert [amount for _, amount in whole.repeated] == [200]
    assert whole.delta == 310 - 200 - 300


def test_what_would_be_held_has_no_totals():
    held = SimpleNamespace(reason="values_missing")
    before = SimpleNamespace(id=SECTIONS[0], total=Decimal(100))
    whole = ChangedDocument(document((1, 1)), [ChangedInvoice(before, "correction", None, held)])
    assert (whole.totals, whole.total, whole.delta) == ([], None, None)
