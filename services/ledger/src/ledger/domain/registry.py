"""The registry: properties, the meters that belong to them, and the people who use them.

Owns which meters every property has and what a meter measures. Refuses a derived meter with
channels or registers: it is computed from others and never read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, get_args
from uuid import UUID

from kernel.ids import derive_id
from kernel.registers import DECIMALS_MAX, DIGITS_MAX

OwnType = Literal["gg", "sg", "total", "unmetered"]
AddedType = Literal["main", "sub", "solar", "device", "derived"]
Flow = Literal["import", "export", "load", "generation"]
Minutes = Literal[5, 10, 15, 30, 60]
FLOWS: tuple[Flow, ...] = ("import", "load", "generation", "export")
"""The first of them that a meter has is its main one."""
OWN_TYPES: tuple[OwnType, ...] = get_args(OwnType)
"""The meters that every property has, one of each (LED-1)."""
ADDED_TYPES: tuple[AddedType, ...] = get_args(AddedType)
"""The meters that may be added, as many as there are."""
BUILT_IN_TYPE: OwnType = "unmetered"
"""total − gg − sg (LED-3), until somebody defines it otherwise."""
DERIVED_TYPES = (BUILT_IN_TYPE, "derived")
"""Computed from other meters, never read."""
MULTIPLIER_MAX = 1_000_000
MULTIPLIER_DECIMALS_MAX = 6
METERS_MAX = 500
"""The most meters that one property may have."""
DEFAULT_INTERVAL_WH_MAX = 100_000
"""Where nothing is declared, 400 kW over 15 minutes bounds a reading of `total`."""


@dataclass(frozen=True, slots=True)
class Channel:
    """A flow that a meter measures in intervals of `minutes`, of at most `interval_wh_max`."""

    flow: Flow
    minutes: Minutes
    interval_wh_max: int


@dataclass(frozen=True, slots=True)
class Register:
    """A cumulative total in kWh that a meter shows for a flow: so many digits before and decimals
    after the point, times the `multiplier` of its current and voltage transformers."""

    flow: Flow
    digits: int = 9
    decimals: int = 3
    multiplier: Decimal = Decimal(1)

    def __post_init__(self) -> None:
        if not (1 <= self.digits <= DIGITS_MAX and 0 <= self.decimals <= DECIMALS_MAX):
            raise ValueError(
                f"a register has 1 to {DIGITS_MAX} digits and up to {DECIMALS_MAX} decimals"
            )
        whole = self.multiplier.scaleb(MULTIPLIER_DECIMALS_MAX)
        if not 0 < self.multiplier <= MULTIPLIER_MAX or whole != whole.to_integral_value():
            raise ValueError(
                f"a multiplier lies above 0 and up to {MULTIPLIER_MAX}, with up to "
                f"{MULTIPLIER_DECIMALS_MAX} decimals"
            )


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
    registers: tuple[Register, ...] = ()

    def __post_init__(self) -> None:
        if self.type not in OWN_TYPES + ADDED_TYPES:
            raise ValueError(f"{self.type!r} is no type of meter")
        for name, parts in (("channel", self.channels), ("register", self.registers)):
            if self.derived and parts:
                raise ValueError(f"a meter of type {self.type} is derived and has no {name}s")
            flows = [part.flow for part in parts]
            if len(set(flows)) < len(flows):
                raise ValueError(f"a meter has one {name} per flow")

    @property
    def derived(self) -> bool:
        """Whether it is computed from others."""
        return self.type in DERIVED_TYPES

    @property
    def main_flow(self) -> Flow | None:
        """The flow that sums take where they name none."""
        flows = {register.flow for register in self.registers}
        return next((flow for flow in FLOWS if flow in flows), None)


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


def default_registers(
    type_: OwnType | AddedType, channels: Sequence[Channel]
) -> tuple[Register, ...]:
    """What a meter shows unless its creator says otherwise: a register for each of its channels;
    without any, generation where it is solar, else import."""
    if type_ in DERIVED_TYPES:
        return ()
    if channels:
        return tuple(Register(channel.flow) for channel in channels)
    return (Register("generation" if type_ == "solar" else "import"),)


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
            registers=default_registers(type_, declared.get(type_, ())),
        )
        for type_ in OWN_TYPES
    )
