"""The invoice by EN 16931: its terms (BT) and groups (BG), whatever syntax they are written in.

Owns how a bill becomes such an invoice. A tax that no other tax is levied on is value added tax;
one that is, such as a duty on electricity, is a line. A line that several taxes are levied on has
the sum of their rates. A price is never negative, so a credit has a negative quantity. Refuses what
the standard cannot say: amounts finer than hundredths, and sellers without a country or tax number.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from gridtally.documents.charges import line_name
from gridtally.documents.facts import InvoiceFacts, Seller
from gridtally.documents.language import Wording, wording_of
from gridtally.kernel.errors import Fault, Rejected
from gridtally.kernel.periods import ONE_DAY
from gridtally.rating.engine.lines import Line

SPECIFICATION = "urn:cen.eu:en16931:2017"
ZERO, HUNDREDTH = Decimal(0), Decimal("0.01")
TaxCategory = Literal["S", "Z", "E"]
"""Standard rate, zero rate and exempt (UNTDID 5305)."""
UNIT_CODES = {
    "kWh": "KWH", "kW": "KWT", "kVA": "KVA", "kvarh": "K3", "kvar": "KVR", "day": "DAY",
    "month": "MON", "year": "ANN",
}  # fmt: skip
"""By UN/ECE Recommendation 20; whatever else is counted is `C62`, one."""
ONE = "C62"
TOLERANCE = Decimal(1)
"""By how much a tax may differ from its base times its rate, as the standard's rules have it."""


@dataclass(frozen=True, slots=True)
class EinvoiceLine:
    """A line (BG-25): quantity × price is its amount, but for rounding."""

    number: int
    name: str
    note: str | None
    quantity: Decimal
    unit_code: str
    price: Decimal
    amount: Decimal
    category: TaxCategory
    percent: Decimal
    start_on: date
    last_on: date


@dataclass(frozen=True, slots=True)
class TaxBreakdown:
    """The tax of one category and rate (BG-23); `reason` where it is exempt."""

    category: TaxCategory
    percent: Decimal
    basis: Decimal
    amount: Decimal
    reason: str | None


@dataclass(frozen=True, slots=True)
class Einvoice:
    """An invoice or credit note by EN 16931."""

    facts: InvoiceFacts
    type_code: Literal["380", "381"]
    notes: Sequence[str]
    payment_terms: str
    seller_country: str
    buyer_country: str
    tax_number: str
    lines: Sequence[EinvoiceLine]
    breakdown: Sequence[TaxBreakdown]
    line_total: Decimal
    tax_total: Decimal
    total: Decimal

    @property
    def has_vat_number(self) -> bool:
        """Whether the seller's number is one of value added tax, which begins with a country."""
        return self.tax_number[:2].isalpha() and self.tax_number[:2].isupper()

    @property
    def seller_number(self) -> str | None:
        """By what the seller is known where that has neither number of a register nor of VAT."""
        known = self.facts.seller.company_id or self.has_vat_number
        return None if known else self.tax_number

    @property
    def last_on(self) -> date:
        """The last day of the period."""
        return self.facts.end_on - ONE_DAY


@dataclass(frozen=True, slots=True)
class _Taxed:
    category: TaxCategory
    percent: Decimal


_EXEMPT = _Taxed("E", ZERO)


def einvoice(facts: InvoiceFacts) -> Einvoice:
    """The invoice by EN 16931; Rejected `einvoice_incomplete` with what it lacks, `einvoice_fine`
    where it has amounts finer than hundredths, `einvoice_taxes` where its taxes fit no category."""
    seller = facts.seller
    country, tax_number = _required(seller)
    if any(_is_fine(line.amount) for line in facts.lines):
        raise Rejected(
            "einvoice_fine", "an e-invoice has no amounts finer than hundredths of its currency"
        )
    wording = wording_of(facts.buyer.language, seller.language)
    vat = _vat_lines(facts)
    taxed, breakdown = _taxes(facts, vat, wording)
    charged = [index for index in range(len(facts.lines)) if index not in vat]
    lines = [
        _line(number, facts.lines[index], taxed[index], facts, wording)
        for number, index in enumerate(charged, start=1)
    ]
    terms = seller.texts.get(wording.language)
    return Einvoice(
        facts=facts,
        type_code="380" if facts.kind == "invoice" else "381",
        notes=_notes(facts, wording),
        payment_terms=(terms and terms.payment_terms)
        or wording.say("To be paid by the agreed terms."),
        seller_country=country,
        buyer_country=facts.buyer.address.country or country,
        tax_number=tax_number,
        lines=lines,
        breakdown=breakdown,
        line_total=sum((line.amount for line in lines), ZERO),
        tax_total=sum((part.amount for part in breakdown), ZERO),
        total=facts.total,
    )


def _required(seller: Seller) -> tuple[str, str]:
    """The seller's country and tax number."""
    if seller.address.country and seller.tax_id:
        return seller.address.country, seller.tax_id
    faults = (
        Fault("/address/country", "an e-invoice names the seller's country"),
        Fault("/tax_id", "an e-invoice names the seller's tax number"),
    )
    detail = "the seller lacks what an e-invoice must name: PUT /v1/seller with country and tax_id"
    missing = (not seller.address.country, not seller.tax_id)
    raise Rejected(
        "einvoice_incomplete",
        detail,
        tuple(fault for fault, lacks in zip(faults, missing, strict=True) if lacks),
    )


def _is_fine(amount: Decimal) -> bool:
    return amount != amount.quantize(HUNDREDTH)


def _vat_lines(facts: InvoiceFacts) -> frozenset[int]:
    """The lines that are value added tax, by their index: taxes that are not taxed themselves."""
    return frozenset(
        index
        for index, line in enumerate(facts.lines)
        if line.item.kind == "tax" and not facts.taxes_of(index)
    )


def _taxes(
    facts: InvoiceFacts, vat: frozenset[int], wording: Wording
) -> tuple[Mapping[int, _Taxed], Sequence[TaxBreakdown]]:
    """How each line is taxed, by its index, and what that comes to by category and rate."""
    by_taxes: defaultdict[frozenset[int], list[int]] = defaultdict(list)
    for index in range(len(facts.lines)):
        if index not in vat:
            by_taxes[frozenset(facts.taxes_of(index)) & vat].append(index)
    amounts = _divided(facts, by_taxes)
    taxed: dict[int, _Taxed] = {}
    sums: defaultdict[_Taxed, list[Decimal]] = defaultdict(lambda: [ZERO, ZERO])
    for taxes, indexes in by_taxes.items():
        percent = sum((facts.lines[tax].item.rate for tax in taxes), ZERO) * 100
        basis = sum((facts.lines[index].amount for index in indexes), ZERO)
        how = _category(taxes, percent, basis, amounts[taxes])
        taxed |= dict.fromkeys(indexes, how)
        sums[how][0] += basis
        sums[how][1] += amounts[taxes]
    if not sums:
        sums[_EXEMPT] = [ZERO, ZERO]
    reason = wording.say("Not subject to value added tax")
    return taxed, [
        TaxBreakdown(
            how.category, how.percent, basis, amount, reason if how.category == "E" else None
        )
        for how, (basis, amount) in sorted(sums.items(), key=lambda part: _order(part[0]))
    ]


def _order(taxed: _Taxed) -> tuple[str, Decimal]:
    return taxed.category, taxed.percent


def _category(taxes: frozenset[int], percent: Decimal, basis: Decimal, amount: Decimal) -> _Taxed:
    """The category of lines that these taxes are levied on.

    A tax that is never negative is nothing on a credit: its lines are exempt then.
    """
    if not taxes:
        return _EXEMPT
    if not percent:
        return _Taxed("Z", ZERO)
    if abs(amount - basis * percent / 100) < TOLERANCE:
        return _Taxed("S", percent.normalize() + 0)
    if not amount:
        return _EXEMPT
    raise Rejected("einvoice_taxes", "the invoice's taxes are no rate of what they are levied on")


def _divided(
    facts: InvoiceFacts, by_taxes: Mapping[frozenset[int], Sequence[int]]
) -> dict[frozenset[int], Decimal]:
    """What each group of lines pays of all taxes that are levied on it.

    A tax on several groups is divided by what each comes to, and the last takes what is left, so
    that all of it is there. One that is levied on nothing that is shown is none of any group's.
    """
    amounts = dict.fromkeys(by_taxes, ZERO)
    for tax in sorted({tax for taxes in by_taxes for tax in taxes}):
        groups = [taxes for taxes in by_taxes if tax in taxes]
        line = facts.lines[tax]
        left = line.amount
        for group in groups[:-1]:
            basis = sum((facts.lines[index].amount for index in by_taxes[group]), ZERO)
            part = (basis * line.item.rate).quantize(HUNDREDTH)
            amounts[group] += part
            left -= part
        amounts[groups[-1]] += left
    return amounts


def _line(
    number: int, line: Line, taxed: _Taxed, facts: InvoiceFacts, wording: Wording
) -> EinvoiceLine:
    item = line.item
    quantity, price, unit_code = line.quantity, item.rate, UNIT_CODES.get(item.unit, ONE)
    if item.unit == facts.currency:  # a share of other lines
        quantity, price = Decimal(1), line.amount
    if price < 0:
        quantity, price = -quantity, -price
    payee = item.payee
    return EinvoiceLine(
        number=number,
        name=line_name(line, facts.seller, wording),
        note=None if payee is None else wording.say("Received by {name}", name=payee),
        quantity=quantity or abs(quantity),
        unit_code=unit_code,
        price=price or abs(price),
        amount=line.amount,
        category=taxed.category,
        percent=taxed.percent,
        start_on=item.part.start_on,
        last_on=item.part.end_on - ONE_DAY,
    )


def _notes(facts: InvoiceFacts, wording: Wording) -> Sequence[str]:
    return list(_said(facts, wording))


def _said(facts: InvoiceFacts, wording: Wording) -> Iterator[str]:
    """What a program should know beside the terms: the meter, and the balance before."""
    yield f"{wording.say('Meter')}: {facts.meter}"
    if facts.kind == "invoice" and facts.account is not None and facts.account.brought_forward:
        due = wording.money(facts.amount_due, facts.currency)
        yield f"{wording.say('Amount due')}: {due}"
