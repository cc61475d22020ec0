"""Events of the ledger's own settings and people, which a ledger that is restored takes over again.
Billing reads the defaults of tenants, and nobody else any of them.
"""

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from gridtally.contracts.customers import Country
from gridtally.contracts.metering import Channel, MeterType
from gridtally.contracts.model import ContractModel, Count, Currency, Event, Text, Zone

Days = Annotated[int, Field(ge=0, le=365)]
CHANNELS_MAX = 6
"""A meter has one channel for each flow at most."""
TEMPLATE_METERS_MAX = 20
"""The most meters that every new property may get."""


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


class TemplateMeter(ContractModel):
    """A meter that a new property gets."""

    meter_type: MeterType
    """What it is; of `gg`, `sg`, `total` and `unmetered` a property has one at most."""
    name: Text
    """What people call it; no other meter of the template has the name."""
    channels: Annotated[list[Channel], Field(max_length=CHANNELS_MAX)] = Field(default_factory=list)
    """What it measures in intervals; nothing for a meter that is read by hand, or derived."""


class TenantDefaultsChanged(Event):
    """What a tenant's new resources have where nothing else is said."""

    TOPIC: ClassVar[str] = "tenant_defaults.changed.v1"
    KEY: ClassVar[str] = "defaults"

    defaults: Literal["default"] = "default"
    """Which defaults; a tenant has these."""
    zone: Zone | None = None
    """The zone of new properties; null for none."""
    currency: Currency | None = None
    """The currency of new customers; null for none."""
    country: Country | None = None
    """The country of addresses that name none; null for none."""
    meters: Annotated[list[TemplateMeter], Field(max_length=TEMPLATE_METERS_MAX)] | None = None
    """The meters of a new property; null for `gg`, `sg`, `total` and `unmetered`."""
    version: Count
    """The number of the change; a higher one replaces a lower one."""
