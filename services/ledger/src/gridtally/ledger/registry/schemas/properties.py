"""Properties in requests and answers."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, Field

from gridtally.contracts.model import READ_EXACTLY, WRITTEN_PLAINLY, Amount, Text, Zone
from gridtally.http.resources import Body, NotNull, StoredModel, fields
from gridtally.kernel.errors import Fault, Rejected
from gridtally.kernel.ids import new_id
from gridtally.kernel.resources import Stored
from gridtally.ledger.registry.domain import meters as domain_meters
from gridtally.ledger.registry.domain import properties
from gridtally.ledger.registry.domain.tenant_defaults import TenantDefaults
from gridtally.ledger.registry.schemas.meters import Channels, Meter, accepted, channels_of
from gridtally.ledger.registry.schemas.tenant_defaults import Template, template_of

PROPERTIES_MAX = 1_000
"""The most properties that one request may register."""
Kilowatts = Annotated[
    Decimal,
    Field(ge=0, le=10**9, max_digits=50, decimal_places=34),
    READ_EXACTLY,
    WRITTEN_PLAINLY,
]
Address = Annotated[str, Field(max_length=500)]


class NewProperty(Body):
    """A property to register. `customer_id` says whose site it is, which decides what a customer's
    fleet costs. Its zone and meters are the tenant's defaults, where these are left out; `channels`
    says what its own meters measure, by type, in place of that. Without any of it `total` has one
    channel, import in 15 minutes, and the others have none."""

    id: UUID | None = None
    name: Text
    address: Address = ""
    zone: Annotated[
        Zone | None, Field(description="Its IANA zone; the tenant's default where it is left out")
    ] = None
    region_id: UUID | None = None
    connected_kw: Kilowatts | None = None
    parent_id: UUID | None = None
    customer_id: UUID | None = None
    meters: Annotated[
        Template | None,
        Field(description="Its meters; those of the tenant's defaults where they are left out"),
    ] = None
    channels: dict[domain_meters.OwnType, Channels] = Field(default_factory=dict)

    def to_domain(
        self, tenant_id: str, defaults: TenantDefaults, known: properties.Property | None
    ) -> tuple[properties.Property, tuple[domain_meters.Meter, ...]]:
        """The property and its meters; Rejected for channels that no meter can have, and without
        any zone. Of one that is `known` under its id, what is left out is as it is there."""
        id_ = self.id or new_id()
        zone = self.zone or (defaults.zone if known is None else known.zone)
        if zone is None:
            fault = Fault("/zone", "must be given: the tenant has no default zone")
            raise Rejected("zone_missing", "a property needs a zone", (fault,))
        property_ = properties.Property(
            id=id_,
            name=self.name,
            address=self.address,
            zone=zone,
            region_id=self.region_id,
            connected_kw=self.connected_kw,
            parent_id=self.parent_id,
            customer_id=self.customer_id,
        )
        if known is not None and self.meters is None and not self.channels:
            return property_, ()
        template = defaults.template if self.meters is None else template_of(self.meters)
        channels = {name: channels_of(declared) for name, declared in self.channels.items()}
        return property_, accepted(
            lambda: domain_meters.new_meters(tenant_id, id_, template, channels)
        )


class NewProperties(Body):
    """Properties to register together, all or nothing."""

    items: Annotated[list[NewProperty], Field(min_length=1, max_length=PROPERTIES_MAX)]


class PropertyChange(Body):
    """What is to be different; what is left out stays."""

    name: Annotated[Text | None, NotNull] = None
    address: Annotated[Address | None, NotNull] = None
    zone: Annotated[Zone | None, NotNull] = None
    region_id: UUID | None = None
    connected_kw: Kilowatts | None = None
    parent_id: UUID | None = None
    customer_id: UUID | None = None


class PropertyReplacement(Body):
    """Everything about a property that can change: what is left out is empty."""

    name: Text
    address: Address = ""
    zone: Zone
    region_id: UUID | None = None
    connected_kw: Kilowatts | None = None
    parent_id: UUID | None = None
    customer_id: UUID | None = None


class Property(StoredModel):
    """A property; `customer_id` is the customer whose site it is, null for nobody."""

    id: UUID
    name: str
    address: str
    zone: str
    region_id: UUID | None
    connected_kw: Amount | None
    parent_id: UUID | None
    customer_id: UUID | None

    @classmethod
    def of(cls, stored: Stored[properties.Property]) -> Self:
        """A property as the API shows it."""
        return cls(**fields(stored))


class PropertyWithMeters(Property):
    """A property and all its meters."""

    meters: list[Meter]

    @classmethod
    def with_meters(
        cls, stored: Stored[properties.Property], own: Sequence[Stored[domain_meters.Meter]]
    ) -> Self:
        """A property and its meters as the API shows them."""
        return cls(**fields(stored), meters=[Meter.of(meter) for meter in own])


class Properties(BaseModel):
    """Properties as they were registered, in the order requested."""

    items: list[PropertyWithMeters]
