"""What is known of a customer, as events and APIs state it: addresses, contacts, exempt taxes."""

from typing import Annotated

from pydantic import Field, StringConstraints

from gridtally.contracts.model import Code, ContractModel, Day, Text

CONTACTS_MAX = 20
EXEMPTIONS_MAX = 20

Email = Annotated[str, Field(max_length=254, pattern=r"^[^@\s\x00]+@[^@\s\x00]+$")]
PhoneNumber = Annotated[str, StringConstraints(pattern=r"^\+?[0-9 ()./-]{3,40}$")]
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$")]
"""A language, and perhaps its country, such as `de` or `de-AT`."""
PaymentDays = Annotated[int, Field(ge=0, le=365)]


Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]


class Address(ContractModel):
    """A postal address."""

    street: Text
    """Street and house number, or what takes their place."""
    addition: Text | None = None
    """Floor, flat, or in whose care."""
    postal_code: Annotated[str, Field(min_length=1, max_length=20)] | None = None
    """Postal code."""
    city: Text
    """City or place."""
    region: Text | None = None
    """State or province, where addresses name it."""
    country: Country
    """Country, as ISO 3166 writes it in two letters."""


class Contact(ContractModel):
    """Somebody to speak to about a customer."""

    name: Text
    """The person's name."""
    role: Text | None = None
    """What for: `accounts`, `site manager`."""
    email: Email | None = None
    """E-mail address."""
    phone_number: PhoneNumber | None = None
    """Telephone number."""


class TaxExemption(ContractModel):
    """That a customer does not pay the taxes of a class, and when."""

    tax_class: Code
    """The class of tax, as tariffs name it."""
    start_on: Day
    """First day on which it is in force."""
    end_on: Day | None = None
    """First day on which it is no longer in force; null for no end."""
    certificate: Text | None = None
    """What it rests on: the certificate's number."""


Contacts = Annotated[tuple[Contact, ...], Field(max_length=CONTACTS_MAX)]
TaxExemptions = Annotated[tuple[TaxExemption, ...], Field(max_length=EXEMPTIONS_MAX)]
