"""The registry: properties, the meters that belong to them, and the people who use them.

Owns which meters every property has and what a meter measures. Refuses a derived meter with
channels: it is computed from others and never read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, get_args
from uuid import UUID

from kernel.ids import derive_id

OwnType = Literal["gg", "sg", "total", "unmetered"]
AddedType = Literal["main", "sub", "solar", "device"]
Flow = Literal["import", "export", "load", "generation"]
Minutes = Literal[5, 10, 15, 30, 60]
OWN_TYPES: tuple[OwnType, ...] = get_args(OwnType)
"""The meters that every property has, one of each (LED-1)."""
ADDED_TYPES: tuple[AddedType, ...] = get_args(AddedType)
"""The meters that may be added, as many as there are."""
DERIVED_TYPE = "unmetered"
"""total − gg − sg: computed, never read."""
DEFAULT_INTERVAL_WH_MAX = 100_000
"""Where nothing is declared, 400 kW over 15 minutes bounds a reading of `total`."""


@dataclass(frozen=True, slots=True)
class Channel:
    """A flow that a meter measures in intervals of `minutes`, of at most `interval_wh_max`."""

    flow: Flow
    minutes: Minutes
    interval_wh_max: int


DEFAULT_CHANNELS: Mapping[OwnType, tuple[Channel, ...]] = {
    "total": (Channel("import", 15, DEFAULT_INTERVAL_WH_MAX),)
}
"""What a property's own meters measure unless its creator says otherwise."""


@dataclass(frozen=True, slots=True)
class Meter:
    """A meter of a property. Without channels it expects no interval readings."""

    id: UUID
    property_id: UUID
    type: OwnType | AddedType
    name: str
    channels: tuple[Channel, ...]

    def __post_init__(self) -> None:
        if self.type not in OWN_TYPES + ADDED_TYPES:
            raise ValueError(f"{self.type!r} is no type of meter")
        if self.type == DERIVED_TYPE and self.channels:
            raise ValueError(f"a meter of type {DERIVED_TYPE} is derived and has no channels")
        flows = [channel.flow for channel in self.channels]
        if len(set(flows)) < len(flows):
            raise ValueError("a meter has one channel per flow")


@dataclass(frozen=True, slots=True)
class Property:
    """A place that is metered, in an IANA `zone`; `parent_id` is the node it hangs under."""

    id: UUID
    name: str
    address: str
    zone: str
    region_id: UUID | None
    connected_kw: Decimal | None
    parent_id: UUID | None


@dataclass(frozen=True, slots=True)
class User:
    """A person at a property; `email` is theirs alone within the tenant."""

    id: UUID
    name: str
    email: str
    phone: str | None
    property_id: UUID
    default_meter_id: UUID | None


def own_meters(
    tenant_id: str, property_id: UUID, channels: Mapping[OwnType, tuple[Channel, ...]]
) -> tuple[Meter, ...]:
    """The four meters of a property; `channels` by type, the defaults where a type is not named.

    Their ids follow from the property's. ValueError for channels that cannot be.
    """
    declared = {**DEFAULT_CHANNELS, **channels}
    return tuple(
        Meter(
            id=derive_id("meter", tenant_id, property_id, type_),
            property_id=property_id,
            type=type_,
            name=type_,
            channels=declared.get(type_, ()),
        )
        for type_ in OWN_TYPES
    )
