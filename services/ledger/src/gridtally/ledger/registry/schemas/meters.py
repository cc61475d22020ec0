"""Meters, channels and registers in requests and answers."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Annotated, Self, TypeVar
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field

from gridtally.contracts.metering import ActiveFlow, Channel, MeterType
from gridtally.contracts.model import READ_EXACTLY, WRITTEN_PLAINLY, Text
from gridtally.contracts.registry import CHANNELS_MAX
from gridtally.http.resources import Body, NotNull, StoredModel, stamps
from gridtally.kernel.errors import Rejected
from gridtally.kernel.ids import new_id
from gridtally.kernel.resources import Stored
from gridtally.ledger.registry.domain import meters
from gridtally.metering.registers import (
    DECIMALS_MAX,
    DIGITS_MAX,
    decimals_of,
    digits_of,
    register_range,
)

T = TypeVar("T")
METERS_BATCH_MAX = 500
"""The most meters that one request may add."""

Channels = Annotated[list[Channel], Field(max_length=CHANNELS_MAX)]


def _plainly(multiplier: Decimal) -> Decimal:
    """40 for 40.0 and for 4E+1."""
    return Decimal(f"{multiplier.normalize():f}")


Multiplier = Annotated[
    Decimal,
    Field(gt=0, le=meters.MULTIPLIER_MAX, decimal_places=meters.MULTIPLIER_DECIMALS_MAX),
    READ_EXACTLY,
    AfterValidator(_plainly),
    WRITTEN_PLAINLY,
]
"""Of current and voltage transformers."""
Rollover = Annotated[
    Decimal,
    Field(gt=0, le=10**DIGITS_MAX, decimal_places=DECIMALS_MAX),
    READ_EXACTLY,
    AfterValidator(_plainly),
    WRITTEN_PLAINLY,
]
ROLLOVER_TEXT = (
    "The total in kWh, before the multiplier, at which the register begins again at zero; "
    "null where that is after its last digit"
)


class Register(Body):
    """A cumulative total in kWh that a meter shows for a flow: digits before and decimals after
    the point, and the multiplier of its current and voltage transformers.

    It begins again at zero after its last digit, unless `rollover_kwh` says at which total: one
    step more than the highest that it shows, before the multiplier. A counter of 23 bits with steps
    of 0.0001 kWh shows up to 838.8607 and begins again at 838.8608. Digits and decimals that are
    left out follow from it then, and must not contradict it.
    """

    flow: ActiveFlow
    digits: Annotated[int, Field(ge=1, le=DIGITS_MAX)] = 9
    decimals: Annotated[int, Field(ge=0, le=DECIMALS_MAX)] = 3
    multiplier: Multiplier = Decimal(1)
    rollover_kwh: Annotated[Rollover | None, Field(description=ROLLOVER_TEXT)] = None

    def to_domain(self) -> meters.Register:
        """The register as the domain knows it; ValueError where its fields contradict each other.

        One that begins again at a power of ten needs no `rollover_kwh`.
        """
        digits, decimals, rollover_kwh = self.digits, self.decimals, self.rollover_kwh
        if rollover_kwh is not None:
            if "digits" not in self.model_fields_set:
                digits = digits_of(rollover_kwh)
            if "decimals" not in self.model_fields_set:
                decimals = max(decimals, decimals_of(rollover_kwh))
            if rollover_kwh == register_range(digits):
                rollover_kwh = None
        return meters.Register(self.flow, digits, decimals, self.multiplier, rollover_kwh)

    @classmethod
    def of(cls, register: meters.Register) -> Self:
        """A register as the API shows it."""
        return cls(
            flow=register.flow,
            digits=register.digits,
            decimals=register.decimals,
            multiplier=register.multiplier,
            rollover_kwh=register.rollover_kwh,
        )


Registers = Annotated[list[Register], Field(max_length=CHANNELS_MAX)]


class Meter(StoredModel):
    """A meter; a derived one is computed from others and never read."""

    id: UUID
    property_id: UUID
    meter_type: MeterType
    name: str
    is_derived: bool
    channels: list[Channel]
    registers: list[Register]

    @classmethod
    def of(cls, stored: Stored[meters.Meter]) -> Self:
        """A meter as the API shows it."""
        meter = stored.resource
        return cls(
            id=meter.id,
            property_id=meter.property_id,
            meter_type=meter.meter_type,
            name=meter.name,
            is_derived=meter.is_derived,
            channels=[Channel(**asdict(channel)) for channel in meter.channels],
            registers=[Register.of(register) for register in meter.registers],
            **stamps(stored),
        )


class NewMeter(Body):
    """A meter to add to a property, besides its own four. Without `registers` it has one for each
    of its channels of active energy; without channels one, for generation where it is solar, else
    for import."""

    id: UUID | None = None
    meter_type: meters.AddedType
    name: Text
    channels: Channels = Field(default_factory=list)
    registers: Registers | None = None

    def to_domain(self, property_id: UUID) -> meters.Meter:
        """The meter; Rejected for channels or registers that no meter can have."""
        channels = channels_of(self.channels)
        registers = (
            meters.default_registers(self.meter_type, channels)
            if self.registers is None
            else registers_of(self.registers)
        )
        return accepted(
            lambda: meters.Meter(
                self.id or new_id(), property_id, self.meter_type, self.name, channels, registers
            )
        )


class NewMeterOfProperty(NewMeter):
    """A meter to add, and the property that it is added to."""

    property_id: UUID


class NewMeters(Body):
    """Meters to add together, all or nothing."""

    items: Annotated[list[NewMeterOfProperty], Field(min_length=1, max_length=METERS_BATCH_MAX)]


class Meters(BaseModel):
    """Meters as they were added, in the order requested."""

    items: list[Meter]


class MeterChange(Body):
    """What is to be different; what is left out stays."""

    name: Annotated[Text | None, NotNull] = None
    channels: Annotated[Channels | None, NotNull] = None
    registers: Annotated[Registers | None, NotNull] = None


class MeterReplacement(Body):
    """Everything about a meter that can change: what is left out is empty."""

    name: Text
    channels: Channels = Field(default_factory=list)
    registers: Registers = Field(default_factory=list)


def channels_of(channels: Sequence[Channel]) -> tuple[meters.Channel, ...]:
    """Channels as the domain knows them, by flow; Rejected where one ends before it begins."""
    by_flow = sorted(channels, key=lambda channel: channel.flow)
    return accepted(lambda: tuple(meters.Channel(**dict(channel)) for channel in by_flow))


def registers_of(registers: Sequence[Register]) -> tuple[meters.Register, ...]:
    """Registers as the domain knows them, by flow; Rejected for one that contradicts itself."""
    by_flow = sorted(registers, key=lambda register: register.flow)
    return accepted(lambda: tuple(register.to_domain() for register in by_flow))


def accepted(make: Callable[[], T]) -> T:
    """What `make` returns; Rejected with the domain's reason where it raises ValueError."""
    try:
        return make()
    except ValueError as refused:
        raise Rejected("invalid_meter", str(refused)) from None
