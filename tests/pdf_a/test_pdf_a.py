"""veraPDF, the reference validator of PDF/A, has nothing to say against our PDFs."""

import shutil
import subprocess
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from document_facts import SELLER, facts, lines, png, statement_facts, sums, usage
from gridtally.documents.composition import compose
from gridtally.documents.einvoice.cii import cii
from gridtally.documents.einvoice.invoice import einvoice
from gridtally.documents.facts import Account, Buyer, Replacement, Seller
from gridtally.documents.language import LANGUAGES
from gridtally.documents.pdf import render_pdf
from gridtally.documents.statements import compose_statement
from gridtally.local_stack.cache import default_cache, silent
from gridtally.local_stack.maven import fetch_jars

HERE = Path(__file__).parent
LIMIT_S = 300


@pytest.fixture(scope="module")
def broken_rules(tmp_path_factory):
    """What veraPDF finds wrong in PDFs by their names; nothing where a file is compliant."""
    jars = fetch_jars(default_cache(), "verapdf", "veraPDF", HERE / "verapdf-pom.xml", silent)
    java = shutil.which("java")
    assert java, "veraPDF needs Java 17 or newer: apt-get install default-jdk-headless"

    def check(pdfs):
        folder = tmp_path_factory.mktemp("pdfs")
        for name, pdf in pdfs.items():
            (folder / name).write_bytes(pdf)
        answer = subprocess.run(
            [java, "-cp", f"{jars}/*", HERE / "Validate.java", *pdfs],
            cwd=folder, capture_output=True, text=True, check=True, timeout=LIMIT_S,
        )  # fmt: skip
        broken = {}
        for said in answer.stdout.splitlines():
            if said.startswith("\t"):
                broken[name].append(said.strip())
            else:
                name, is_compliant = said.split("\t")
                broken[name] = [] if is_compliant == "true" else ["not compliant"]
        return broken

    return check


CASES = {
    **{
        f"all in {language}": facts(buyer=replace(facts().buyer, language=language))
        for language in LANGUAGES
    },
    "credit note": facts(
        kind="credit_note", number="CN-1", replaces=Replacement("INV-1", "revision")
    ),
    "bare": facts(
        seller=Seller("t-1"), buyer=Buyer("Ada", "7"), account=None, quality=None, usage=None,
        earlier=None, tariffs=(),
    ),
    "in favour": facts(account=Account(Decimal("-500.00"), Decimal(0))),
    "with a logo": facts(usage=usage(exported=True), seller=replace(SELLER, logo=png())),
    "other letters": facts(buyer=Buyer("Ζωή Ελληνίδου и Анна Ёлкина", "8")),
    "many pages": facts(lines=lines() * 40, **sums(lines() * 40)),
}  # fmt: skip
STATEMENTS = {
    **{
        f"statement in {language}": statement_facts(
            buyer=replace(statement_facts().buyer, language=language)
        )
        for language in LANGUAGES
    },
    "long statement": statement_facts(changes=statement_facts().changes * 20),
}
E_INVOICES = ["all in en", "credit note", "with a logo"]


def test_every_pdf_is_an_archives_pdf(broken_rules):
    pdfs = {name: render_pdf(compose(shown)) for name, shown in CASES.items()}
    for name, shown in STATEMENTS.items():
        pdfs[name] = render_pdf(compose_statement(shown))
    for name in E_INVOICES:
        shown = CASES[name]
        pdfs[f"{name}, e-invoice"] = render_pdf(compose(shown), cii(einvoice(shown)))
    assert broken_rules(pdfs) == {name: [] for name in pdfs}


def test_what_is_broken_is_found(broken_rules):
    """The rules bite: a file within whose relation to the PDF is not said, a claim of another
    level, and a plain PDF, which is made where a name has letters that no font of ours has."""
    invoice = CASES["all in en"]
    whole = render_pdf(compose(invoice), cii(einvoice(invoice)))
    plain = render_pdf(compose(replace(invoice, buyer=Buyer("王小明", "9"))))
    broken = broken_rules(
        {
            "relation": whole.replace(b"/AFRelationship", b"/AFRelationshap"),
            "level": whole.replace(b"<pdfaid:conformance>A<", b"<pdfaid:conformance>X<"),
            "plain": plain,
        }
    )
    assert [rule.split()[0] for rule in broken["relation"]] == ["not", "6.8-3"]
    assert [rule.split()[0] for rule in broken["level"]] == ["not", "6.6.4-3"]
    assert any(rule.startswith("6.2.11.8-1 ") for rule in broken["plain"])  # .notdef
