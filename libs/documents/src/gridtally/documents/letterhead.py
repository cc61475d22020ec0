"""What is the same on every document of a seller: who writes to whom, and what the foot says."""

from gridtally.documents.document import Section
from gridtally.documents.facts import Address, Buyer, Seller, Texts
from gridtally.documents.language import Wording, wording_of


def texts_of(seller: Seller, wording: Wording) -> Texts:
    """The seller's own words in the document's language, or in the seller's."""
    own = wording_of(seller.language).language
    return seller.texts.get(wording.language) or seller.texts.get(own) or Texts()


def address_lines(address: Address, wording: Wording) -> tuple[str, ...]:
    """The address, a line each."""
    town = " ".join(part for part in (address.postcode, address.city) if part)
    country = None if address.country is None else wording.country(address.country)
    return tuple(line for line in (address.street, town, country) if line)


def seller_lines(seller: Seller, wording: Wording) -> tuple[str, ...]:
    """Where the seller is and is reached, a line each."""
    contact = (seller.phone, seller.email, seller.website)
    return (*address_lines(seller.address, wording), *(line for line in contact if line))


def text_section(name: str, title: str, text: str | None) -> Section | None:
    """A section of the seller's own words, where there are any."""
    return None if text is None else Section(name, title, (text,))


def footer_of(seller: Seller, texts: Texts, wording: Wording) -> tuple[str, ...]:
    """What stands at the foot of each page."""
    lines = [
        seller.name,
        seller.iban and f"IBAN {seller.iban}",
        seller.bic and f"BIC {seller.bic}",
        seller.tax_id and wording.say("Tax number {value}", value=seller.tax_id),
        seller.company_id and wording.say("Company number {value}", value=seller.company_id),
    ]
    return tuple(line for line in (" · ".join(filter(None, lines)), texts.footer) if line)


def buyer_lines(buyer: Buyer, wording: Wording) -> tuple[str, ...]:
    """Whom the document is sent to, a line each."""
    return (buyer.name, *address_lines(buyer.address, wording))
