"""Facts: everything that a document is made of, as values that nobody has written out yet.

Owns what must be known of an invoice or credit note before it can be shown. Refuses nothing that
was issued: what is unknown is None, and is left out of the document.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal, Protocol, Self
from uuid import UUID

from gridtally.rating.engine.lines import DataQuality, Line

DocumentKind = Literal["invoice", "credit_note"]
ReplacementCause = Literal["revision", "restatement"]
"""Why an invoice took another's place: its own period was corrected, or the one before it."""
Extent = Literal["whole", "part", "rest"]
"""How much of an invoice a credit note is for: all, a part by hand, or what parts have left."""


class PostalAddress(Protocol):
    """An address as customers have it."""

    @property
    def street(self) -> str:
        """Street and number."""

    @property
    def addition(self) -> str | None:
        """Floor, flat, or in whose care."""

    @property
    def postal_code(self) -> str | None:
        """The postal code."""

    @property
    def city(self) -> str:
        """The town."""

    @property
    def country(self) -> str:
        """The country."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where somebody is; `country` by ISO 3166-1, two letters."""

    street: str | None = None
    postcode: str | None = None
    city: str | None = None
    country: str | None = None

    @classmethod
    def of(cls, address: PostalAddress | None) -> Self:
        """A customer's address as documents write it; an empty one where none is known."""
        if address is None:
            return cls()
        street = ", ".join(filter(None, (address.street, address.addition)))
        return cls(street, address.postal_code, address.city, address.country)


@dataclass(frozen=True, slots=True)
class Texts:
    """A seller's own words in one language; each a paragraph, None for none."""

    payment_terms: str | None = None
    questions: str | None = None
    footer: str | None = None


@dataclass(frozen=True, slots=True)
class Seller:
    """Who sells: what stands in the letterhead.

    logo             a PNG or JPEG image
    accent           the colour of headings, `#rrggbb`
    texts            by language
    component_names  by component id, then by language: what a line is called
    offered_tariffs  codes of the tariffs that customers may try, in this order
    """

    name: str
    address: Address = Address()
    tax_id: str | None = None
    company_id: str | None = None
    email: str | None = None
    phone: str | None = None
    website: str | None = None
    iban: str | None = None
    bic: str | None = None
    language: str = "en"
    accent: str = "#155e63"
    logo: bytes | None = None
    texts: Mapping[str, Texts] = field(default_factory=dict)
    component_names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    offered_tariffs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Buyer:
    """Who pays; `number` is what the seller calls the customer."""

    name: str
    number: str
    address: Address = Address()
    tax_id: str | None = None
    email: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class BandUsage:
    """Imported energy of one band, Wh for each day; the band is None without bands."""

    band: str | None
    energy_wh: Sequence[int]


@dataclass(frozen=True, slots=True)
class Usage:
    """Energy by day: `bands` of what was imported, and what was exported, both in Wh.

    `doubtful_on` are the days of which an interval is estimated, substituted or missing.
    """

    days: Sequence[date]
    bands: Sequence[BandUsage]
    exported_wh: Sequence[int]
    doubtful_on: frozenset[date] = frozenset()


@dataclass(frozen=True, slots=True)
class TariffInForce:
    """A version of a tariff by which lines were priced."""

    version_id: UUID
    name: str | None
    number: int
    effective_from: date


@dataclass(frozen=True, slots=True)
class EarlierInvoice:
    """The live invoice of the agreement's period before."""

    number: str
    start_on: date
    end_on: date
    lines: Sequence[Line]
    total: Decimal


@dataclass(frozen=True, slots=True)
class Account:
    """What a customer owed before the invoice (a credit is negative), and what was overdue of it.

    `earlier_due` is what was due after the customer's invoice before, `earlier_number`; what came
    between the two, payments and credits, is their difference. None where that is not known.
    """

    brought_forward: Decimal
    arrears: Decimal
    earlier_number: str | None = None
    earlier_due: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Replacement:
    """The invoice whose place an invoice takes, or that a credit note is for: all of it or, by
    `extent`, less. `reason` is what was written where a part was credited."""

    number: str
    cause: ReplacementCause | None
    extent: Extent = "whole"
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class SectionFacts:
    """A section of a collective invoice: so many of its lines, after those of the section before,
    for a period of a meter. `is_changed` where it differs from the invoice that is replaced."""

    meter: str
    start_on: date
    end_on: date
    line_count: int
    is_changed: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class InvoiceFacts:
    """An invoice or a credit note; amounts in `currency`, lines as they were issued. One that has
    `sections` is collective: each line is in one of them."""

    kind: DocumentKind
    number: str
    issued_on: date
    seller: Seller
    buyer: Buyer
    meter: str
    start_on: date
    end_on: date
    currency: str
    lines: Sequence[Line]
    net: Decimal
    tax: Decimal
    total: Decimal
    account: Account | None = None
    quality: DataQuality | None = None
    expected_intervals: int = 0
    tariffs: Sequence[TariffInForce] = ()
    usage: Usage | None = None
    earlier: EarlierInvoice | None = None
    replaces: Replacement | None = None
    taxing: Mapping[int, Sequence[int]] = field(default_factory=dict)
    """By the index of a line, the indexes of the tax lines that are levied on it."""
    sections: Sequence[SectionFacts] = ()
    settles_on: date | None = None
    """The day by which a budget plan settles an invoice that nobody is asked to pay by itself."""

    def taxes_of(self, index: int) -> Sequence[int]:
        """The tax lines that are levied on a line, each by its index."""
        return self.taxing.get(index, ())

    @property
    def amount_due(self) -> Decimal:
        """What is to be paid, or is left of a credit; of a credit note its total."""
        own = self.payable
        return own if self.account is None else own + self.account.brought_forward

    @property
    def payable(self) -> Decimal:
        """What is asked for of its total: nothing of what a budget plan covers."""
        return self.total if self.settles_on is None else self.total - self.total
