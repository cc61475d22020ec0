"""What a statement says: the same in HTML and PDF, in each language, and its amounts add up."""

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from document_facts import open_facts, statement_facts
from document_words import words_of_html, words_of_pdf
from gridtally.documents.facts import Address, Buyer, Seller
from gridtally.documents.html import render_html
from gridtally.documents.language import LANGUAGES
from gridtally.documents.pdf import render_pdf
from gridtally.documents.statements import compose_statement

BARE = statement_facts(
    seller=Seller("t-1"),
    buyer=Buyer("Ada", "7"),
    opening=Decimal(0),
    changes=(),
    closing=Decimal(0),
    open_items=(),
    credit=Decimal(0),
    balance=Decimal(0),
    plans=(),
    ages=None,
)


def section(document, name):
    (found,) = [section for section in document.sections if section.name == name]
    return found


def last_cells(document, name):
    return [row.cells[-1] for row in section(document, name).table.rows]


@pytest.mark.parametrize("facts", [statement_facts(), BARE])
@pytest.mark.parametrize("language", LANGUAGES)
def test_both_say_the_same_words(facts, language):
    document = compose_statement(replace(facts, buyer=replace(facts.buyer, language=language)))
    page, pdf = words_of_html(render_html(document)), words_of_pdf(render_pdf(document))
    joined = "".join(pdf)
    for word in page:
        assert word in joined, word
    assert len(page) > 25


FIGURES = [
    # language, title, what is owed, the period, kinds of changes, what is open
    ("en", "Statement of account K-1047", "€74.25", "Mar 1 – 31, 2025", "Credit note", "overdue"),
    ("de", "Kontoauszug K-1047", "74,25 €", "1.–31. März 2025", "Gutschrift", "überfällig"),
    ("fr", "Relevé de compte K-1047", "74,25 €", "1–31 mars 2025", "Avoir", "en retard"),
    ("sv", "Kontoutdrag K-1047", "74,25 €", "1–31 mars 2025", "Kreditfaktura", "förfallen"),
]


@pytest.mark.parametrize("case", FIGURES)
def test_words_and_numbers_follow_the_customers_language(case):
    language, *figures = case
    facts = statement_facts()
    document = compose_statement(replace(facts, buyer=replace(facts.buyer, language=language)))
    page = re.sub(r"[\s\u2009]+", " ", " ".join(words_of_html(render_html(document))))
    for figure in figures:
        assert figure in page


def test_the_amounts_add_up_from_the_opening_to_the_closing_balance():
    """40.00 + 140.75 - 20.00 - 100.00 + 100.00 + 7.50 - 4.00 + 10.00 - 100.00 = 74.25."""
    changes = section(compose_statement(statement_facts()), "changes").table
    opening, *moves, closing = [row.cells for row in changes.rows]
    owed = Decimal(opening[-1])
    for *_, amount, balance in moves:
        owed += Decimal(amount)
        assert Decimal(balance) == owed
    assert (Decimal(closing[-1]), closing[-2]) == (owed, "")
    assert changes.rows[3].note == "Dauerauftrag"
    assert moves[2][3] == "-100.00"
    assert moves[3][3] == "+100.00"


def test_what_is_open_less_the_credit_is_what_is_owed():
    """20.75 + 60.00 + 13.50 - 20.00 = 74.25; of more invoices than are listed, their sum."""
    document = compose_statement(statement_facts())
    assert last_cells(document, "open") == ["20.75", "60.00", "13.50", "-20.00", "74.25"]
    notes = [row.note for row in section(document, "open").table.rows]
    assert notes == ["overdue", "by the payment plan", "", "", ""]
    document = compose_statement(statement_facts(balance=Decimal("100.25")))
    assert last_cells(document, "open") == ["20.75", "60.00", "13.50", "26.00", "-20.00", "100.25"]
    assert section(document, "open").table.rows[3].cells[0] == "Further invoices"
    assert last_cells(document, "plan-1") == ["19.25", "40.75", "60.00"]
    assert section(document, "ages").table.rows[0].cells[1:] == (
        "54.25", "40.00", "0.00", "0.00", "0.00", "94.25",
    )  # fmt: skip


def test_a_credit_is_called_so_and_nothing_is_said_to_be_nothing():
    document = compose_statement(statement_facts(closing=Decimal("-12.5")))
    assert (document.headline.label, document.headline.value) == ("Credit", "€12.50")
    bare = compose_statement(BARE)
    assert (bare.headline.label, bare.headline.value) == ("Balance to pay", "€0.00")
    assert section(bare, "changes").paragraphs == ("Nothing changed in this time.",)
    assert section(bare, "open").paragraphs == ("Nothing is open.",)
    assert [section.name for section in bare.sections] == ["changes", "open"]


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", '#read("/etc/passwd") $x^2$', "{n}"])
def test_hostile_texts_are_shown_and_never_run(text):
    facts = statement_facts()
    change = replace(facts.changes[0], reference=text, memo=text)
    item = open_facts(date(2025, 4, 1), text, "1", "0", "due")
    buyer = replace(facts.buyer, name=text, number=text, address=Address(text, "1", text, "DE"))
    document = compose_statement(replace(facts, changes=[change], open_items=[item], buyer=buyer))
    page = render_html(document)
    assert b"<script" not in page
    assert " ".join(words_of_html(page)).count(text) == 8
    assert "".join(words_of_pdf(render_pdf(document))).count(text.replace(" ", "")) >= 8
