"""Who sells: what stands in a tenant's letterhead, as billing publishes it."""

from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from gridtally.contracts.customers import Country, Language
from gridtally.contracts.model import Code, ContractModel, Count, Event, Text

LOGO_BASE64_CHARS_MAX = 280_000
"""Some 200 kB of image."""
COMPONENTS_MAX = 500
OFFERED_TARIFFS_MAX = 50
LANGUAGES_MAX = 20
SELLER_BYTES_MAX = 4 * 1024 * 1024
"""Of the event's JSON: half of what a message may have."""

Short = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Paragraph = Annotated[str, StringConstraints(min_length=1, max_length=2_000)]


class SellerAddress(ContractModel):
    """Where a seller is."""

    street: Text | None = None
    """Street and number."""
    postcode: Short | None = None
    """The postal code."""
    city: Text | None = None
    """The town."""
    country: Country | None = None
    """The country by ISO 3166-1, two letters."""


class SellerTexts(ContractModel):
    """A seller's own words in one language."""

    language: Language
    """The language."""
    payment_terms: Paragraph | None = None
    """When and how to pay."""
    questions: Paragraph | None = None
    """Whom to ask, and how to complain."""
    footer: Paragraph | None = None
    """What stands at the foot of each page."""


class ComponentName(ContractModel):
    """What a line of an invoice is called in one language."""

    component_id: Code
    """The id of the tariff's component that makes it."""
    language: Language
    """The language."""
    name: Text
    """What it is called."""


class SellerChanged(Event):
    """A version of a tenant's letterhead, which stays: documents have the one of their day."""

    TOPIC: ClassVar[str] = "seller.changed.v1"
    KEY: ClassVar[str] = "version"

    version: Count
    """The number of the change; the highest is in force."""
    name: Text
    """The seller's name."""
    address: SellerAddress = SellerAddress()
    """Where the seller is."""
    tax_id: Short | None = None
    """The seller's tax number."""
    company_id: Short | None = None
    """The seller's number in the register of companies."""
    email: Annotated[str, Field(max_length=254)] | None = None
    """Where customers write to."""
    phone: Short | None = None
    """Where customers call."""
    website: Text | None = None
    """The seller's website."""
    iban: Short | None = None
    """The bank account that is paid to, without blanks."""
    bic: Short | None = None
    """The bank."""
    language: Language = "en"
    """The language of documents for customers whose own is not known."""
    accent: Annotated[str, Field(pattern=r"^#[0-9a-f]{6}$")] = "#155e63"
    """The colour of headings, `#rrggbb`."""
    logo: Annotated[str, Field(max_length=LOGO_BASE64_CHARS_MAX)] | None = None
    """A PNG or JPEG image in base64."""
    texts: Annotated[tuple[SellerTexts, ...], Field(max_length=LANGUAGES_MAX)] = ()
    """The seller's own words, once for each language."""
    component_names: Annotated[
        tuple[ComponentName, ...], Field(max_length=COMPONENTS_MAX * LANGUAGES_MAX)
    ] = ()
    """What lines are called, once for each component and language."""
    offered_tariffs: Annotated[tuple[Code, ...], Field(max_length=OFFERED_TARIFFS_MAX)] = ()
    """Codes of the tariffs that customers may try in the portal, in the order they are shown."""
