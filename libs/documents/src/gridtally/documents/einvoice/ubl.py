"""The e-invoice as OASIS Universal Business Language 2.1: an Invoice or a CreditNote."""

from datetime import date
from decimal import Decimal

from gridtally.documents.einvoice.cii import SEPA_TRANSFER, TRANSFER
from gridtally.documents.einvoice.invoice import (
    SPECIFICATION,
    Einvoice,
    EinvoiceLine,
    TaxBreakdown,
    TaxCategory,
)
from gridtally.documents.einvoice.xml import Element, element, optional, value, written
from gridtally.documents.facts import Address

_URN = "urn:oasis:names:specification:ubl:schema:xsd"
_COMMON = {
    "cac": f"{_URN}:CommonAggregateComponents-2",
    "cbc": f"{_URN}:CommonBasicComponents-2",
}


def ubl(invoice: Einvoice) -> bytes:
    """The invoice in UBL, by EN 16931."""
    facts = invoice.facts
    name = "Invoice" if facts.kind == "invoice" else "CreditNote"
    root = element(
        name,
        value("cbc:CustomizationID", SPECIFICATION),
        value("cbc:ID", facts.number),
        value("cbc:IssueDate", facts.issued_on.isoformat()),
        value(f"cbc:{name}TypeCode", invoice.type_code),
        *(value("cbc:Note", note) for note in invoice.notes[:1]),
        value("cbc:DocumentCurrencyCode", facts.currency),
        _period(facts.start_on, invoice.last_on),
        None
        if facts.replaces is None
        else element(
            "cac:BillingReference",
            element("cac:InvoiceDocumentReference", value("cbc:ID", facts.replaces.number)),
        ),
        _seller(invoice),
        _buyer(invoice),
        _payment_means(invoice),
        element("cac:PaymentTerms", value("cbc:Note", invoice.payment_terms)),
        element(
            "cac:TaxTotal",
            _amount("cbc:TaxAmount", invoice.tax_total, facts.currency),
            *(_tax(part, facts.currency) for part in invoice.breakdown),
        ),
        element(
            "cac:LegalMonetaryTotal",
            _amount("cbc:LineExtensionAmount", invoice.line_total, facts.currency),
            _amount("cbc:TaxExclusiveAmount", invoice.line_total, facts.currency),
            _amount("cbc:TaxInclusiveAmount", invoice.total, facts.currency),
            None
            if facts.settles_on is None
            else _amount("cbc:PrepaidAmount", invoice.total, facts.currency),
            _amount("cbc:PayableAmount", facts.payable, facts.currency),
        ),
        *(_line(line, name, facts.currency) for line in invoice.lines),
    )
    return written(root, {"": f"{_URN}:{name}-2", **_COMMON})


def _amount(name: str, amount: Decimal, currency: str) -> Element:
    return value(name, amount, currencyID=currency)


def _period(start_on: date, last_on: date) -> Element:
    return element(
        "cac:InvoicePeriod",
        value("cbc:StartDate", start_on.isoformat()),
        value("cbc:EndDate", last_on.isoformat()),
    )


def _address(address: Address, country: str) -> Element:
    return element(
        "cac:PostalAddress",
        optional("cbc:StreetName", address.street),
        optional("cbc:CityName", address.city),
        optional("cbc:PostalZone", address.postcode),
        element("cac:Country", value("cbc:IdentificationCode", country)),
    )


def _tax_scheme(tax_number: str, scheme: str) -> Element:
    return element(
        "cac:PartyTaxScheme",
        value("cbc:CompanyID", tax_number),
        element("cac:TaxScheme", value("cbc:ID", scheme)),
    )


def _seller(invoice: Einvoice) -> Element:
    seller = invoice.facts.seller
    return element(
        "cac:AccountingSupplierParty",
        element(
            "cac:Party",
            None
            if invoice.seller_number is None
            else element("cac:PartyIdentification", value("cbc:ID", invoice.seller_number)),
            _address(seller.address, invoice.seller_country),
            _tax_scheme(invoice.tax_number, "VAT" if invoice.has_vat_number else "TAX"),
            element(
                "cac:PartyLegalEntity",
                value("cbc:RegistrationName", seller.name),
                optional("cbc:CompanyID", seller.company_id),
            ),
        ),
    )


def _buyer(invoice: Einvoice) -> Element:
    buyer = invoice.facts.buyer
    return element(
        "cac:AccountingCustomerParty",
        element(
            "cac:Party",
            element("cac:PartyIdentification", value("cbc:ID", buyer.number)),
            _address(buyer.address, invoice.buyer_country),
            None if not buyer.tax_id else _tax_scheme(buyer.tax_id, "VAT"),
            element("cac:PartyLegalEntity", value("cbc:RegistrationName", buyer.name)),
        ),
    )


def _payment_means(invoice: Einvoice) -> Element | None:
    seller = invoice.facts.seller
    if seller.iban is None:
        return None
    code = SEPA_TRANSFER if invoice.facts.currency == "EUR" else TRANSFER
    bank = optional("cbc:ID", seller.bic)
    return element(
        "cac:PaymentMeans",
        value("cbc:PaymentMeansCode", code),
        value("cbc:PaymentID", invoice.facts.number),
        element(
            "cac:PayeeFinancialAccount",
            value("cbc:ID", seller.iban),
            bank and element("cac:FinancialInstitutionBranch", bank),
        ),
    )


def _category(
    name: str, category: TaxCategory, percent: Decimal, reason: str | None = None
) -> Element:
    return element(
        name,
        value("cbc:ID", category),
        value("cbc:Percent", percent),
        optional("cbc:TaxExemptionReason", reason),
        element("cac:TaxScheme", value("cbc:ID", "VAT")),
    )


def _tax(part: TaxBreakdown, currency: str) -> Element:
    return element(
        "cac:TaxSubtotal",
        _amount("cbc:TaxableAmount", part.basis, currency),
        _amount("cbc:TaxAmount", part.amount, currency),
        _category("cac:TaxCategory", part.category, part.percent, part.reason),
    )


def _line(line: EinvoiceLine, document: str, currency: str) -> Element:
    counted = "Invoiced" if document == "Invoice" else "Credited"
    return element(
        f"cac:{document}Line",
        value("cbc:ID", str(line.number)),
        optional("cbc:Note", line.note),
        value(f"cbc:{counted}Quantity", line.quantity, unitCode=line.unit_code),
        _amount("cbc:LineExtensionAmount", line.amount, currency),
        _period(line.start_on, line.last_on),
        element(
            "cac:Item",
            value("cbc:Name", line.name),
            _category("cac:ClassifiedTaxCategory", line.category, line.percent),
        ),
        element("cac:Price", _amount("cbc:PriceAmount", line.price, currency)),
    )
