"""Users in requests and answers."""

from typing import Annotated, Self
from unicodedata import normalize
from uuid import UUID

from pydantic import AfterValidator, StringConstraints

from gridtally.contracts.model import Text
from gridtally.http.resources import Body, NotNull, StoredModel, fields
from gridtally.kernel.ids import new_id
from gridtally.kernel.resources import Stored
from gridtally.ledger.registry.domain import users

EMAIL_CHARS_MAX = 254


def _normalized(email: str) -> str:
    """Small letters, each accented one as one character: so that one address is one text."""
    normalized = normalize("NFC", email.lower())
    if not normalized.isprintable() or len(normalized) > EMAIL_CHARS_MAX:
        raise ValueError(f"an address has up to {EMAIL_CHARS_MAX} characters that can be seen")
    return normalized


Email = Annotated[
    str,
    StringConstraints(max_length=EMAIL_CHARS_MAX, pattern=r"^[^@\s\x00]+@[^@\s\x00]+$"),
    AfterValidator(_normalized),
]
PhoneNumber = Annotated[str, StringConstraints(pattern=r"^\+?[0-9 ()./-]{3,40}$")]


class NewUser(Body):
    """A user of a property; the e-mail address is nobody else's within the tenant."""

    id: UUID | None = None
    name: Text
    email: Email
    phone_number: PhoneNumber | None = None
    property_id: UUID
    default_meter_id: UUID | None = None

    def to_domain(self) -> users.User:
        """The user as the domain knows them."""
        return users.User(
            id=self.id or new_id(),
            name=self.name,
            email=self.email,
            phone_number=self.phone_number,
            property_id=self.property_id,
            default_meter_id=self.default_meter_id,
        )


class UserChange(Body):
    """What is to be different; what is left out stays."""

    name: Annotated[Text | None, NotNull] = None
    email: Annotated[Email | None, NotNull] = None
    phone_number: PhoneNumber | None = None
    property_id: Annotated[UUID | None, NotNull] = None
    default_meter_id: UUID | None = None


class UserReplacement(Body):
    """Everything about a user that can change: what is left out is empty."""

    name: Text
    email: Email
    phone_number: PhoneNumber | None = None
    property_id: UUID
    default_meter_id: UUID | None = None


class DefaultMeter(Body):
    """The meter that a user means unless they name another; null for none."""

    meter_id: UUID | None


class User(StoredModel):
    """A user."""

    id: UUID
    name: str
    email: str
    phone_number: str | None
    property_id: UUID
    default_meter_id: UUID | None

    @classmethod
    def of(cls, stored: Stored[users.User]) -> Self:
        """A user as the API shows them."""
        return cls(**fields(stored))
