"""The portal's words: every text in every language with its fields, and numbers as each writes."""

import ast
import re
from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from gridtally.console import views
from gridtally.console.template_environment import TEMPLATES
from gridtally.console.views.words import LANGUAGE_NAMES, accepted, words_of
from gridtally.documents.language import LANGUAGES, messages_of

CONSOLE = TEMPLATES.parent


def texts():
    """Every text that the portal says."""
    said = set(re.findall(r'say\("([^"]+)"\)', (TEMPLATES / "portal.html").read_text()))
    for path in sorted(CONSOLE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and node.args:
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                if name == "say":
                    constants = [n for n in ast.walk(node.args[0]) if isinstance(n, ast.Constant)]
                    said |= {n.value for n in constants if isinstance(n.value, str)}
    return said


@pytest.mark.parametrize("language", sorted(set(LANGUAGES) - {"en"}))
def test_every_text_is_in_every_catalogue_with_its_fields(language):
    known = messages_of(views.__name__, language)
    assert len(known) > 150
    assert known.keys() == texts()
    for text, translated in known.items():
        assert translated, text
        assert Counter(re.findall(r"{\w+}", text)) == Counter(re.findall(r"{\w+}", translated))


def test_every_language_of_documents_can_be_chosen():
    assert {code for code, _ in LANGUAGE_NAMES} == set(LANGUAGES)


@pytest.mark.parametrize(
    ("language", "money", "energy", "month", "period"),
    [
        ("en", "€1,234.50", "1,234.5 kWh", "March 2025", "Mar 3 – 9, 2025"),
        ("de", "1.234,50 €", "1.234,5 kWh", "März 2025", "3.–9. März 2025"),
        ("sv", "1 234,50 €", "1 234,5 kWh", "mars 2025", "3–9 mars 2025"),
        ("fr", "1 234,50 €", "1 234,5 kWh", "mars 2025", "3–9 mars 2025"),
    ],
)
def test_numbers_and_days_are_written_as_the_language_does(language, money, energy, month, period):
    words = words_of(language)

    def plain(text):
        return re.sub(r"\s", " ", text)

    assert plain(words.money(Decimal("1234.5"), "EUR")) == money
    assert plain(words.energy(Decimal("1234.4501"))) == energy
    assert words.period(date(2025, 3, 1), date(2025, 4, 1)) == month
    assert plain(words.period(date(2025, 3, 3), date(2025, 3, 10))) == period


def test_an_exact_amount_is_rounded_half_up_to_what_can_be_paid():
    words = words_of("en")
    assert words.rounded(Decimal("0.125"), "EUR") == "€0.13"
    assert words.rounded(Decimal("120.5"), "JPY") == "¥121"
    assert words.energy(Decimal("0.125")) == "0.13\u00a0kWh"


def test_a_moment_is_of_the_zone_that_is_named():
    at = datetime(2025, 7, 1, 22, 30, tzinfo=UTC)
    assert words_of("sv").moment(at, "Europe/Stockholm") == "2 juli 2025, 00:30"


def test_the_first_language_that_is_written_is_taken():
    assert words_of(None, "it", "sv-FI", "de").language == "sv"
    assert words_of("nonsense", "", "*").language == "en"
    assert accepted("fr-CA;q=0.9, en ;q=0.2,*") == ["fr-CA", "en", "*"]
