"""The e-invoice as UN/CEFACT Cross Industry Invoice, the syntax of Factur-X and ZUGFeRD."""

from datetime import date

from gridtally.documents.einvoice.invoice import (
    SPECIFICATION,
    Einvoice,
    EinvoiceLine,
    TaxBreakdown,
)
from gridtally.documents.einvoice.xml import Element, element, optional, value, written
from gridtally.documents.facts import Address

_URN = "urn:un:unece:uncefact:data:standard"
NAMESPACES = {
    "rsm": f"{_URN}:CrossIndustryInvoice:100",
    "ram": f"{_URN}:ReusableAggregateBusinessInformationEntity:100",
    "udt": f"{_URN}:UnqualifiedDataType:100",
}
SEPA_TRANSFER, TRANSFER = "58", "30"


def cii(invoice: Einvoice) -> bytes:
    """The invoice in CII, profile EN 16931."""
    facts = invoice.facts
    root = element(
        "rsm:CrossIndustryInvoice",
        element(
            "rsm:ExchangedDocumentContext",
            element(
                "ram:GuidelineSpecifiedDocumentContextParameter", value("ram:ID", SPECIFICATION)
            ),
        ),
        element(
            "rsm:ExchangedDocument",
            value("ram:ID", facts.number),
            value("ram:TypeCode", invoice.type_code),
            element("ram:IssueDateTime", _day(facts.issued_on)),
            *(element("ram:IncludedNote", value("ram:Content", note)) for note in invoice.notes),
        ),
        element(
            "rsm:SupplyChainTradeTransaction",
            *(_line(line) for line in invoice.lines),
            _agreement(invoice),
            element("ram:ApplicableHeaderTradeDelivery"),
            _settlement(invoice),
        ),
    )
    return written(root, NAMESPACES)


def _day(day: date) -> Element:
    return value("udt:DateTimeString", day.strftime("%Y%m%d"), format="102")


def _period(start_on: date, last_on: date) -> Element:
    return element(
        "ram:BillingSpecifiedPeriod",
        element("ram:StartDateTime", _day(start_on)),
        element("ram:EndDateTime", _day(last_on)),
    )


def _line(line: EinvoiceLine) -> Element:
    note = (
        None if line.note is None else element("ram:IncludedNote", value("ram:Content", line.note))
    )
    return element(
        "ram:IncludedSupplyChainTradeLineItem",
        element("ram:AssociatedDocumentLineDocument", value("ram:LineID", str(line.number)), note),
        element("ram:SpecifiedTradeProduct", value("ram:Name", line.name)),
        element(
            "ram:SpecifiedLineTradeAgreement",
            element("ram:NetPriceProductTradePrice", value("ram:ChargeAmount", line.price)),
        ),
        element(
            "ram:SpecifiedLineTradeDelivery",
            value("ram:BilledQuantity", line.quantity, unitCode=line.unit_code),
        ),
        element(
            "ram:SpecifiedLineTradeSettlement",
            element(
                "ram:ApplicableTradeTax",
                value("ram:TypeCode", "VAT"),
                value("ram:CategoryCode", line.category),
                value("ram:RateApplicablePercent", line.percent),
            ),
            _period(line.start_on, line.last_on),
            element(
                "ram:SpecifiedTradeSettlementLineMonetarySummation",
                value("ram:LineTotalAmount", line.amount),
            ),
        ),
    )


def _address(address: Address, country: str) -> Element:
    return element(
        "ram:PostalTradeAddress",
        optional("ram:PostcodeCode", address.postcode),
        optional("ram:LineOne", address.street),
        optional("ram:CityName", address.city),
        value("ram:CountryID", country),
    )


def _agreement(invoice: Einvoice) -> Element:
    seller, buyer = invoice.facts.seller, invoice.facts.buyer
    organisation = optional("ram:ID", seller.company_id)
    scheme = "VA" if invoice.has_vat_number else "FC"
    buyer_tax = optional("ram:ID", buyer.tax_id, schemeID="VA")
    return element(
        "ram:ApplicableHeaderTradeAgreement",
        element(
            "ram:SellerTradeParty",
            optional("ram:ID", invoice.seller_number),
            value("ram:Name", seller.name),
            organisation and element("ram:SpecifiedLegalOrganization", organisation),
            _address(seller.address, invoice.seller_country),
            element(
                "ram:SpecifiedTaxRegistration",
                value("ram:ID", invoice.tax_number, schemeID=scheme),
            ),
        ),
        element(
            "ram:BuyerTradeParty",
            value("ram:ID", buyer.number),
            value("ram:Name", buyer.name),
            _address(buyer.address, invoice.buyer_country),
            buyer_tax and element("ram:SpecifiedTaxRegistration", buyer_tax),
        ),
    )


def _settlement(invoice: Einvoice) -> Element:
    facts = invoice.facts
    replaced = facts.replaces
    return element(
        "ram:ApplicableHeaderTradeSettlement",
        value("ram:PaymentReference", facts.number),
        value("ram:InvoiceCurrencyCode", facts.currency),
        _payment_means(invoice),
        *(_tax(part) for part in invoice.breakdown),
        _period(facts.start_on, invoice.last_on),
        element("ram:SpecifiedTradePaymentTerms", value("ram:Description", invoice.payment_terms)),
        element(
            "ram:SpecifiedTradeSettlementHeaderMonetarySummation",
            value("ram:LineTotalAmount", invoice.line_total),
            value("ram:TaxBasisTotalAmount", invoice.line_total),
            value("ram:TaxTotalAmount", invoice.tax_total, currencyID=facts.currency),
            value("ram:GrandTotalAmount", invoice.total),
            None if facts.settles_on is None else value("ram:TotalPrepaidAmount", invoice.total),
            value("ram:DuePayableAmount", facts.payable),
        ),
        None
        if replaced is None
        else element(
            "ram:InvoiceReferencedDocument", value("ram:IssuerAssignedID", replaced.number)
        ),
    )


def _payment_means(invoice: Einvoice) -> Element | None:
    seller = invoice.facts.seller
    if seller.iban is None:
        return None
    code = SEPA_TRANSFER if invoice.facts.currency == "EUR" else TRANSFER
    bank = optional("ram:BICID", seller.bic)
    return element(
        "ram:SpecifiedTradeSettlementPaymentMeans",
        value("ram:TypeCode", code),
        element("ram:PayeePartyCreditorFinancialAccount", value("ram:IBANID", seller.iban)),
        bank and element("ram:PayeeSpecifiedCreditorFinancialInstitution", bank),
    )


def _tax(part: TaxBreakdown) -> Element:
    return element(
        "ram:ApplicableTradeTax",
        value("ram:CalculatedAmount", part.amount),
        value("ram:TypeCode", "VAT"),
        optional("ram:ExemptionReason", part.reason),
        value("ram:BasisAmount", part.basis),
        value("ram:CategoryCode", part.category),
        value("ram:RateApplicablePercent", part.percent),
    )
