"""Events of the ledger's own settings and people, which no other service reads: a ledger that is
restored takes them over again.
"""

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from gridtally.contracts.model import Count, Event, Text

Days = Annotated[int, Field(ge=0, le=365)]


class UserChanged(Event):
    """A user as the registry knows them now; a tombstone on this topic ends it."""

    TOPIC: ClassVar[str] = "user.changed.v1"
    KEY: ClassVar[str] = "user_id"

    user_id: UUID
    """The user."""
    name: Text
    """What people call them."""
    email: Text
    """The address that no other user of the tenant has."""
    phone_number: Annotated[str, Field(max_length=500)] | None = None
    """The telephone number; null where none is known."""
    property_id: UUID
    """Where they live or work."""
    default_meter_id: UUID | None = None
    """The meter of that property that they see first; null for none."""
    version: Count
    """The number of the change; a higher one replaces a lower one."""


class PaymentTermsChanged(Event):
    """A tenant's payment terms as they are from now on."""

    TOPIC: ClassVar[str] = "payment_terms.changed.v1"
    KEY: ClassVar[str] = "terms"

    terms: Literal["default"] = "default"
    """Which terms; a tenant has these."""
    payment_days: Days
    """How many days from its issue an invoice is due that does not say so."""
    credit_allocation: Literal["oldest_first", "manual"]
    """Whether credit pays what is open by itself, or waits for an allocation."""
    credit_deallocation: Literal["newest_first", "oldest_first"]
    """In which order invoices lose what credit had paid of them, when a payment bounces."""
    version: Count
    """The number of the change; a higher one replaces a lower one."""
