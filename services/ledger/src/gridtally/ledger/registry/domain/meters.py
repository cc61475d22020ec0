"""Meters: which ones every property has, and what each of them measures.

Refuses a derived meter with channels or registers: it is computed from others and never read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal, get_args
from uuid import UUID

from gridtally.kernel.ids import derive_id, own_meter_id
from gridtally.metering.registers import check_register, register_range

OwnType = Literal["gg", "sg", "total", "unmetered"]
AddedType = Literal["main", "sub", "solar", "device", "derived"]
ActiveFlow = Literal["import", "export", "load", "generation"]
Flow = Literal[ActiveFlow, "reactive_import", "reactive_export"]
"""Reactive flows are measured in intervals alone: no register counts them."""
Minutes = Literal[5, 10, 15, 30, 60]
RegisterKey = tuple[UUID, ActiveFlow]
"""A register: a meter and the flow that it counts."""
ACTIVE_FLOWS: tuple[ActiveFlow, ...] = ("import", "load", "generation", "export")
"""In the order in which a meter's main flow is chosen: the first of them that it has."""
OWN_TYPES: tuple[OwnType, ...] = get_args(OwnType)
"""The meters of which a property has one each at most, and all unless it is said otherwise (LED-1).
"""
ADDED_TYPES: tuple[AddedType, ...] = get_args(AddedType)
"""The meters that may be added, any number of each."""
BUILT_IN_TYPE: OwnType = "unmetered"
"""total − gg − sg (LED-3), unless it is defined otherwise."""
DERIVED_TYPES = (BUILT_IN_TYPE, "derived")
"""Computed from other meters, never read."""
MULTIPLIER_MAX = 1_000_000
MULTIPLIER_DECIMALS_MAX = 6
METERS_MAX = 500
"""The most meters that one property may have."""
DEFAULT_INTERVAL_WH_MAX = 100_000
"""The most energy in an interval of `total` where nothing is declared: 400 kW over 15 minutes."""


@dataclass(frozen=True, slots=True)
class Channel:
    """A flow that a meter measures in intervals of `minutes`, with at most `interval_wh_max` in
    each: Wh, or varh of a reactive flow. Without `start_at` it has always measured, without
    `end_at` it still does. ValueError where it ends before it begins."""

    flow: Flow
    minutes: Minutes
    interval_wh_max: int
    start_at: datetime | None = None
    end_at: datetime | None = None

    def __post_init__(self) -> None:
        if self.start_at is not None and self.end_at is not None and self.end_at <= self.start_at:
            raise ValueError(
                f"the channel for {self.flow} ends at {self.end_at.isoformat()}, which is not "
                f"after {self.start_at.isoformat()}, when it begins"
            )


@dataclass(frozen=True, slots=True)
class Register:
    """A cumulative total in kWh that a meter shows for a flow, with `digits` before and `decimals`
    after the decimal point. Energy is a difference times `multiplier`, the factor of its current
    and voltage transformers. It begins again at zero after its last digit, or at `rollover_kwh`.
    ValueError for a register that cannot be."""

    flow: ActiveFlow
    digits: int = 9
    decimals: int = 3
    multiplier: Decimal = Decimal(1)
    rollover_kwh: Decimal | None = None

    def __post_init__(self) -> None:
        check_register(self.digits, self.decimals, self.rollover_kwh)
        millionths = self.multiplier.scaleb(MULTIPLIER_DECIMALS_MAX)
        is_exact = millionths == millionths.to_integral_value()
        if not (0 < self.multiplier <= MULTIPLIER_MAX and is_exact):
            raise ValueError(
                f"a multiplier lies above 0 and up to {MULTIPLIER_MAX}, with up to "
                f"{MULTIPLIER_DECIMALS_MAX} decimals"
            )

    @property
    def range_kwh(self) -> Decimal:
        """The total at which it begins again at zero."""
        return register_range(self.digits, self.rollover_kwh)


DEFAULT_CHANNELS: Mapping[OwnType, tuple[Channel, ...]] = {
    "total": (Channel("import", 15, DEFAULT_INTERVAL_WH_MAX),)
}
"""What a property's own meters measure unless the request that creates it declares more."""


@dataclass(frozen=True, slots=True)
class Meter:
    """A meter of a property. Without channels it expects no interval readings. ValueError for a
    derived meter with channels or registers, and for two of them with one flow."""

    id: UUID
    property_id: UUID
    meter_type: OwnType | AddedType
    name: str
    channels: tuple[Channel, ...]
    registers: tuple[Register, ...] = ()

    def __post_init__(self) -> None:
        if self.meter_type not in OWN_TYPES + ADDED_TYPES:
            raise ValueError(f"{self.meter_type!r} is no type of meter")
        for name, parts in (("channel", self.channels), ("register", self.registers)):
            if self.is_derived and parts:
                raise ValueError(f"a meter of type {self.meter_type} is derived and has no {name}s")
            flows = [part.flow for part in parts]
            if len(set(flows)) < len(flows):
                raise ValueError(f"a meter has one {name} per flow")

    @property
    def is_derived(self) -> bool:
        """Whether it is computed from other meters."""
        return self.meter_type in DERIVED_TYPES

    @property
    def main_flow(self) -> ActiveFlow | None:
        """The flow that a sum takes of it where the sum names none; None without registers."""
        flows = {register.flow for register in self.registers}
        return next((flow for flow in ACTIVE_FLOWS if flow in flows), None)


def default_registers(
    meter_type: OwnType | AddedType, channels: Sequence[Channel]
) -> tuple[Register, ...]:
    """The registers of a meter for which none are declared: one for each of its channels of active
    energy; without channels one, for generation where it is solar, else for import. A derived meter
    has none."""
    if meter_type in DERIVED_TYPES:
        return ()
    if channels:
        flows = {channel.flow for channel in channels}
        return tuple(Register(flow) for flow in sorted(ACTIVE_FLOWS) if flow in flows)
    return (Register("generation" if meter_type == "solar" else "import"),)


@dataclass(frozen=True, slots=True)
class TemplateMeter:
    """A meter that a new property gets."""

    meter_type: OwnType | AddedType
    name: str
    channels: tuple[Channel, ...] = ()


OWN_TEMPLATE = tuple(
    TemplateMeter(meter_type, meter_type, DEFAULT_CHANNELS.get(meter_type, ()))
    for meter_type in OWN_TYPES
)
"""The meters of a new property where neither the tenant nor the request names others."""


def check_template(template: Sequence[TemplateMeter]) -> None:
    """ValueError for meters of which one property cannot have all."""
    names = [meter.name for meter in template]
    own = [meter.meter_type for meter in template if meter.meter_type in OWN_TYPES]
    if len(set(names)) < len(names) or len(set(own)) < len(own):
        raise ValueError(
            "the meters of a new property have different names, and one each is "
            + ", ".join(OWN_TYPES)
        )


def new_meters(
    tenant_id: str,
    property_id: UUID,
    template: Sequence[TemplateMeter],
    channels: Mapping[OwnType, tuple[Channel, ...]],
) -> tuple[Meter, ...]:
    """The meters of a new property, by a template; `channels` by type in place of the template's.

    Their ids follow from the property's. ValueError for channels that no meter can have, or of
    meters that the template lacks.
    """
    check_template(template)
    if absent := channels.keys() - {meter.meter_type for meter in template}:
        raise ValueError(f"the property has no meter {', '.join(sorted(absent))}")
    return tuple(
        Meter(
            id=_template_meter_id(tenant_id, property_id, meter),
            property_id=property_id,
            meter_type=meter.meter_type,
            name=meter.name,
            channels=declared,
            registers=default_registers(meter.meter_type, declared),
        )
        for meter in template
        for declared in [_declared_channels(meter, channels)]
    )


def _declared_channels(
    meter: TemplateMeter, channels: Mapping[OwnType, tuple[Channel, ...]]
) -> tuple[Channel, ...]:
    for meter_type, declared in channels.items():
        if meter_type == meter.meter_type:
            return declared
    return meter.channels


def _template_meter_id(tenant_id: str, property_id: UUID, meter: TemplateMeter) -> UUID:
    if meter.meter_type in OWN_TYPES:
        return own_meter_id(tenant_id, property_id, meter.meter_type)
    return derive_id("meter", tenant_id, property_id, meter.meter_type, meter.name)


def own_meters(
    tenant_id: str, property_id: UUID, channels: Mapping[OwnType, tuple[Channel, ...]]
) -> tuple[Meter, ...]:
    """`gg`, `sg`, `total` and `unmetered` of a property, as `new_meters` makes them."""
    return new_meters(tenant_id, property_id, OWN_TEMPLATE, channels)
