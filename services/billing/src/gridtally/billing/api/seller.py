"""The tenant's letterhead over HTTP: name, address, logo and own texts of its documents."""

import base64
import binascii
from dataclasses import asdict
from typing import Annotated, Self

from fastapi import Response
from pydantic import AfterValidator, Field, field_validator

from gridtally.billing.api.callers import CustomerReader, WriteCause
from gridtally.billing.handlers import seller as handlers
from gridtally.billing.store import seller as store
from gridtally.contracts.model import Code, Text
from gridtally.contracts.sellers import (
    COMPONENTS_MAX,
    LANGUAGES_MAX,
    LOGO_BASE64_CHARS_MAX,
    OFFERED_TARIFFS_MAX,
    Paragraph,
    Short,
)
from gridtally.database import snapshot, transaction
from gridtally.documents import facts
from gridtally.documents.language import LANGUAGES, is_written
from gridtally.http.context import Db, Now
from gridtally.http.etags import OptionalMatch
from gridtally.http.json_bodies import Router
from gridtally.http.resources import Body, StoredModel, answer
from gridtally.kernel.errors import NotFound
from gridtally.kernel.resources import Stored

router = Router(prefix="/v1/seller", tags=["documents"])


def _written(language: str) -> str:
    if not is_written(language):
        raise ValueError(f"documents are written in {', '.join(LANGUAGES)}, such as de or de-AT")
    return language


Language = Annotated[str, Field(pattern=r"^[a-z]{2}(-[A-Z]{2})?$"), AfterValidator(_written)]
"""A language in which documents are written, perhaps with a country, whose numbers they have."""
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]


class Address(Body):
    """Where somebody is."""

    street: Text | None = None
    """Street and number."""
    postcode: Short | None = None
    """The postal code."""
    city: Text | None = None
    """The town."""
    country: Country | None = None
    """The country by ISO 3166-1, two letters."""


class Texts(Body):
    """The seller's own words in one language."""

    payment_terms: Paragraph | None = None
    """When and how to pay; stands below the amount due."""
    questions: Paragraph | None = None
    """Whom to ask, and how to complain."""
    footer: Paragraph | None = None
    """What stands at the foot of each page."""


class NewSeller(Body):
    """Who sells: what stands in the letterhead of invoices and credit notes."""

    name: Text
    """The seller's name."""
    address: Address = Address()
    """Where the seller is."""
    tax_id: Short | None = None
    """The seller's tax number, such as DE123456789."""
    company_id: Short | None = None
    """The seller's number in the register of companies."""
    email: Annotated[str, Field(max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")] | None = None
    """Where customers write to."""
    phone: Short | None = None
    """Where customers call."""
    website: Text | None = None
    """The seller's website."""
    iban: Annotated[str, Field(pattern=r"^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$")] | None = None
    """The bank account that is paid to, without blanks."""
    bic: Annotated[str, Field(pattern=r"^[A-Z0-9]{8}([A-Z0-9]{3})?$")] | None = None
    """The bank."""
    language: Language = "en"
    """The language of documents for customers whose own is not known."""
    accent: Annotated[str, Field(pattern=r"^#[0-9a-f]{6}$")] = "#155e63"
    """The colour of headings, `#rrggbb`."""
    logo: Annotated[str, Field(max_length=LOGO_BASE64_CHARS_MAX)] | None = None
    """A PNG or JPEG image in base64, of at most 2000 × 2000 pixels."""
    texts: Annotated[dict[Language, Texts], Field(max_length=LANGUAGES_MAX)] = Field(
        default_factory=dict
    )
    """The seller's own words by language."""
    component_names: Annotated[
        dict[Code, Annotated[dict[Language, Text], Field(max_length=LANGUAGES_MAX)]],
        Field(max_length=COMPONENTS_MAX),
    ] = Field(default_factory=dict)
    """What lines are called: by the id of the tariff's component, then by language."""
    offered_tariffs: Annotated[tuple[Code, ...], Field(max_length=OFFERED_TARIFFS_MAX)] = ()
    """Codes of the tariffs that customers may try in the portal, in the order they are shown."""

    @field_validator("logo")
    @classmethod
    def _is_base64(cls, logo: str | None) -> str | None:
        if logo is not None:
            try:
                base64.b64decode(logo, validate=True)
            except binascii.Error:
                raise ValueError("a logo is sent in base64") from None
        return logo

    def to_domain(self) -> facts.Seller:
        """The seller."""
        fields = dict(self)
        return facts.Seller(
            **fields
            | {
                "address": facts.Address(**dict(self.address)),
                "logo": None if self.logo is None else base64.b64decode(self.logo),
                "texts": {name: facts.Texts(**dict(texts)) for name, texts in self.texts.items()},
            }
        )


class Seller(NewSeller, StoredModel):
    """Who sells, as the newest documents show it."""

    @classmethod
    def of(cls, stored: Stored[facts.Seller]) -> Self:
        """The seller as the API shows it."""
        logo = stored.resource.logo
        return cls(
            **asdict(stored.resource)
            | {
                "logo": None if logo is None else base64.b64encode(logo).decode(),
                "version": stored.version,
                "created_at": stored.created_at,
                "updated_at": stored.updated_at,
            }
        )


@router.get("")
async def get_seller(db: Db, caller: CustomerReader, response: Response) -> Seller:
    """Who sells, as set last."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        stored = await store.fetch_seller(read, caller.tenant_id)
    if stored is None:
        raise NotFound("seller_missing", "nobody has said yet who sells: PUT /v1/seller")
    return answer(response, stored, Seller.of)


@router.put("")
async def replace_seller(
    new: NewSeller, db: Db, cause: WriteCause, now: Now, if_match: OptionalMatch, response: Response
) -> Seller:
    """Say who sells, all of it. What was issued before keeps the letterhead of its day."""
    seller = new.to_domain()
    await handlers.check_seller(seller)
    async with transaction(db, tenant=cause.tenant_id) as tx:
        current = await store.fetch_seller(tx, cause.tenant_id)
        if_match.check(0 if current is None else current.version)
        stored = await handlers.replace_seller(tx, cause.tenant_id, current, seller, now)
    return answer(response, stored, Seller.of)
