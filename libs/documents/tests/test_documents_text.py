"""What a document says: the same in HTML and PDF, in each language, whatever names it carries."""

import ast
import re
from collections import Counter
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

import gridtally.documents
from document_facts import BUYER, MARCH, SELLER, facts, line, lines, png, sums, usage
from document_words import words_of_html, words_of_pdf
from gridtally.documents.composition import compose
from gridtally.documents.facts import Account, Address, Buyer, Replacement, Seller
from gridtally.documents.html import render_html
from gridtally.documents.language import LANGUAGES, catalogue, is_written, wording_of
from gridtally.documents.pdf import render_pdf
from gridtally.rating.engine.lines import DataQuality

PACKAGE = Path(gridtally.documents.__path__[0])


CASES = {
    "all": facts(),
    "credit note": facts(
        kind="credit_note", number="CN-2025-000004", replaces=Replacement("INV-2025-1", "revision")
    ),
    "restated": facts(replaces=Replacement("INV-2025-000122", "restatement")),
    "in favour": facts(account=Account(Decimal("-500.00"), Decimal(0))),
    "covered": facts(settles_on=date(2026, 2, 12)),
    "bare": facts(
        seller=Seller("t-1"),
        buyer=Buyer("Ada", "7"),
        account=None,
        quality=None,
        usage=None,
        earlier=None,
        tariffs=(),
    ),
    "exporting": facts(usage=usage(exported=True), seller=replace(SELLER, logo=png())),
    "substituted": facts(
        quality=DataQuality("missing", 0, 4, 3, Decimal(0), Decimal("1.5")),
    ),
}


def test_what_a_budget_plan_covers_is_not_asked_for():
    """20.00 was owed before; the invoice is settled with the plan, and adds nothing to that."""
    covered = CASES["covered"]
    text, asked = (
        re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", render_html(compose(case)).decode()))
        for case in (covered, CASES["all"])
    )
    assert covered.amount_due == Decimal("20.00") != CASES["all"].amount_due
    assert "covered by your budget plan and settled with it by February 12, 2026" in text
    assert "budget plan" not in asked


@pytest.mark.parametrize(
    ("name", "language"),
    [*(("all", language) for language in LANGUAGES), *((name, "de") for name in CASES)],
)
def test_both_say_the_same_words(name, language):
    buyer = replace(CASES[name].buyer, language=language)
    document = compose(replace(CASES[name], buyer=buyer))
    page, pdf = words_of_html(render_html(document)), words_of_pdf(render_pdf(document))
    joined = "".join(pdf)
    for word in page:  # the text of a PDF breaks words at hyphens and columns, so it is searched
        assert word in joined, word
    assert len(page) > 40


def test_every_text_is_in_every_catalogue_with_its_fields():
    texts = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name == "say":
                constants = [n for n in ast.walk(node.args[0]) if isinstance(n, ast.Constant)]
                texts |= {n.value for n in constants if isinstance(n.value, str)}
    tests = {"invoice"}  # compared, not said
    texts -= tests
    assert len(texts) > 60
    for language in set(LANGUAGES) - {"en"}:
        known = catalogue(language)
        assert known.keys() == texts, language
        for text, translated in known.items():
            assert translated, text
            assert Counter(re.findall(r"{\w+}", text)) == Counter(re.findall(r"{\w+}", translated))


FIGURES = [
    # language, amount due, its date and period, the energy's rate, a quantity
    ("en", "€160.75", "April 2, 2025", "Mar 1 – 31, 2025", "0.3412", "112.345 kWh"),
    ("de", "160,75 €", "2. April 2025", "1.–31. März 2025", "0,3412", "112,345 kWh"),
    ("de-AT", "€ 160,75", "2. April 2025", "1.–31. März 2025", "0,3412", "112,345 kWh"),
    ("fr", "160,75 €", "2 avril 2025", "1–31 mars 2025", "0,3412", "112,345 kWh"),
    ("sv", "160,75 €", "2 april 2025", "1–31 mars 2025", "0,3412", "112,345 kWh"),
]


@pytest.mark.parametrize("case", FIGURES)
def test_numbers_follow_the_language(case):
    language, *figures = case
    document = compose(facts(buyer=replace(BUYER, language=language)))
    page = re.sub(r"[\s\u2009]+", " ", " ".join(words_of_html(render_html(document))))
    for figure in figures:
        assert figure in page


HOSTILE = [
    "<script>alert(1)</script>",
    "{{ 7 * 7 }}",
    '#read("/etc/passwd") $x^2$ *b* _i_ @ref <label> // no comment',
    'O\'Brien & Söhne "GmbH"',
    "{number} %s {0}",
    "]]>&lt;b&gt;",
    "x" * 400,
]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_shown_and_never_run(name):
    seller = replace(SELLER, name=name, component_names={"base": {"en": name}})
    buyer = replace(BUYER, name=name, address=Address(name, "1", name, "DE"))
    band = replace(usage(), bands=[replace(usage().bands[0], band=name)])
    document = compose(facts(seller=seller, buyer=buyer, usage=band, meter=name))
    page = render_html(document).decode()
    assert "<script" not in page
    assert "<b>" not in page.replace(f"<b>{document.headline.value}</b>", "")
    assert " ".join(name.split()) in " ".join(words_of_html(page.encode()))
    assert name.replace(" ", "")[:40] in "".join(words_of_pdf(render_pdf(document)))


def test_letters_of_other_scripts_make_a_pdf_too():
    """A name that no font of ours can write costs the archive's promise, not the document."""
    for name in ("Ольга Петрова", "Αθηνά", "王小明", "أحمد", "😀"):
        assert render_pdf(compose(facts(buyer=Buyer(name, "1")))).startswith(b"%PDF")


def test_a_pdf_is_an_archive_and_the_same_every_time():
    document = compose(facts(seller=replace(SELLER, logo=png())))
    pdf = render_pdf(document)
    assert render_pdf(compose(facts(seller=replace(SELLER, logo=png())))) == pdf
    assert b"<pdfaid:part>3</pdfaid:part>" in pdf
    assert b"<pdfaid:conformance>A</pdfaid:conformance>" in pdf
    assert render_html(document) == render_html(document)


def test_unknown_languages_fall_back():
    assert is_written("de-CH")
    assert not is_written("xx")
    assert not is_written("it")
    assert not is_written("../../etc")
    assert wording_of("it", "sv").language == "sv"
    assert wording_of(None, "xx").language == "en"


def test_lines_are_grouped_by_who_receives_the_money():
    """12.50 + 38.33 + 44.53 = 95.36 are the seller's, 22.92 the grid operator's: net 118.28."""
    document = compose(facts())
    (charges,) = [section for section in document.sections if section.name == "charges"]
    rows = [(row.cells[0], row.cells[-1]) for row in charges.table.rows]
    assert rows == [
        ("Received by Stadtwerke Musterstadt GmbH", ""),
        ("Base charge", "12.50"),
        ("Energy · peak", "38.33"),
        ("Energy · off-peak", "44.53"),
        ("Together", "95.36"),
        ("Received by Netz Hamburg", ""),
        ("Grid use", "22.92"),
        ("Together", "22.92"),
        ("Net", "118.28"),
        ("VAT", "22.47"),
        ("Total", "140.75"),
    ]
    assert charges.table.rows[2].note == "7.125\u00a0kWh of it estimated"


def test_the_account_leads_from_the_last_invoice_to_the_amount_due():
    """127.92 was due, 107.92 was paid: 20.00 are left, and 140.75 make 160.75."""
    (account,) = [s for s in compose(facts()).sections if s.name == "account"]
    assert [row.cells[-1] for row in account.table.rows] == [
        "127.92", "-107.92", "20.00", "20.00", "140.75", "160.75",
    ]  # fmt: skip


def test_days_of_a_line_are_named_where_they_are_not_the_whole_period():
    half = replace(MARCH, end_on=date(2025, 3, 16))
    charges = [line("base", 1, "12.50", unit="month", kind="fixed", part=half), *lines()]
    document = compose(facts(lines=charges, **sums(charges)))
    (table,) = [s.table for s in document.sections if s.name == "charges"]
    assert re.sub(r"\s", " ", table.rows[1].note) == "Mar 1 – 15, 2025"
