"""Dunning notices as letters: what they say, in each language, in HTML and PDF."""

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from document_facts import BUYER, SELLER
from document_words import words_of_html, words_of_pdf
from gridtally.documents.dunning import NoticeFacts, OverdueItem, compose_notice
from gridtally.documents.html import render_html
from gridtally.documents.language import LANGUAGES
from gridtally.documents.pdf import render_pdf

NOTICE = NoticeFacts(
    seller=SELLER,
    buyer=BUYER,
    name="Final notice <b>",
    issued_on=date(2025, 5, 20),
    currency="EUR",
    items=[OverdueItem("INV-1", date(2025, 4, 15), Decimal("1119.00")),
           OverdueItem("INV-2", date(2025, 5, 1), Decimal("80.00"))],
    others=Decimal("5.00"),
    fee=Decimal("7.50"),
    credit=Decimal("20.00"),
    total=Decimal("1191.50"),
    pay_by=date(2025, 5, 30),
)  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_letter_says_the_same_as_page_and_as_pdf(language):
    document = compose_notice(replace(NOTICE, buyer=replace(BUYER, language=language)))
    page, pdf = words_of_html(render_html(document)), "".join(words_of_pdf(render_pdf(document)))
    for word in page:  # the text of a PDF breaks words at hyphens and columns
        assert word in pdf, word
    for shown in ("INV-1", "INV-2", BUYER.name.split()[0], "<b>"):
        assert shown in page
    assert document.language == language


def test_a_letter_lists_what_comes_to_its_total():
    document = compose_notice(replace(NOTICE, buyer=replace(BUYER, language="de")))
    shown = [tuple(re.sub(r"\s", " ", cell) for cell in row.cells)
             for row in document.sections[0].table.rows]  # fmt: skip
    assert shown == [
        ("INV-1", "15. April 2025", "1.119,00"),
        ("INV-2", "1. Mai 2025", "80,00"),
        ("Weitere überfällige Beträge", "", "5,00"),
        ("Gebühr für dieses Schreiben", "", "7,50"),
        ("Ihr Guthaben", "", "-20,00"),
        ("Zu zahlen", "", "1.191,50"),
    ]
    assert document.headline_note == "Bitte zahlen Sie bis 30. Mai 2025."


def test_what_there_is_not_is_left_out():
    none = Decimal(0)
    bare = replace(NOTICE, others=none, fee=none, credit=none, total=Decimal("1199.00"))
    assert len(compose_notice(bare).sections[0].table.rows) == len(NOTICE.items) + 1
