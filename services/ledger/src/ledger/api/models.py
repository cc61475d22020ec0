"""The bodies of the registry's requests and answers. Requests refuse fields they do not know."""

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Self, TypeVar
from unicodedata import normalize
from uuid import UUID

from fastapi import Depends
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
)

from contracts.metering import Channel, Flow, MeterType
from contracts.model import READ_EXACTLY, WRITTEN_PLAINLY, Amount, Instant, Text, Zone
from kernel.errors import Rejected
from kernel.ids import new_id
from kernel.registers import DECIMALS_MAX, DIGITS_MAX
from ledger.domain import registry
from ledger.domain.registry import AddedType, OwnType
from ledger.domain.stored import Stored
from ledger.wire import Cause
from serving.auth import Principal, require
from serving.context import CorrelationId

PROPERTIES_MAX = 1_000
"""The most properties that one request may register."""
_INSTANT: TypeAdapter[datetime] = TypeAdapter(Instant)
T = TypeVar("T")
V = TypeVar("V")

Reader = Annotated[Principal, Depends(require("ledger:read"))]
Writer = Annotated[Principal, Depends(require("ledger:write"))]


def _cause(caller: Writer, correlation_id: CorrelationId) -> Cause:
    return Cause(caller.tenant_id, correlation_id)


WriteCause = Annotated[Cause, Depends(_cause)]
"""Whose change this is, for callers who may write."""


def instant(text: str) -> datetime:
    """An instant from a cursor; ValueError where it names no zone, or no moment in UTC."""
    return _INSTANT.validate_python(datetime.fromisoformat(text))


def stamps(one: Stored[Any]) -> dict[str, Any]:
    """The fields that every stored thing shows."""
    return {
        "version": one.version, "created_at": one.created_at, "updated_at": one.updated_at,
    }  # fmt: skip


def _not_null(value: T | None) -> T:
    if value is None:
        raise ValueError("may be left out, but not be null")
    return value


NotNull = AfterValidator(_not_null)
"""For a field of a change that may be left out, but always has a value."""
Kilowatts = Annotated[
    Decimal,
    Field(ge=0, le=10**9, max_digits=50, decimal_places=34),
    READ_EXACTLY,
    WRITTEN_PLAINLY,
]
Address = Annotated[str, Field(max_length=500)]
EMAIL_CHARS_MAX = 254


def _one_spelling(email: str) -> str:
    """Small letters, each accented one as one character: so that one address is one text."""
    spelled = normalize("NFC", email.lower())
    if not spelled.isprintable() or len(spelled) > EMAIL_CHARS_MAX:
        raise ValueError(f"an address has up to {EMAIL_CHARS_MAX} characters that can be seen")
    return spelled


Email = Annotated[
    str,
    StringConstraints(max_length=EMAIL_CHARS_MAX, pattern=r"^[^@\s\x00]+@[^@\s\x00]+$"),
    AfterValidator(_one_spelling),
]
Phone = Annotated[str, StringConstraints(pattern=r"^\+?[0-9 ()./-]{3,40}$")]
Channels = Annotated[list[Channel], Field(max_length=4)]


class Body(BaseModel):
    """A request's body."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _plainly(multiplier: Decimal) -> Decimal:
    """40 for 40.0 and for 4E+1."""
    return Decimal(f"{multiplier.normalize():f}")


Multiplier = Annotated[
    Decimal,
    Field(gt=0, le=registry.MULTIPLIER_MAX, decimal_places=registry.MULTIPLIER_DECIMALS_MAX),
    READ_EXACTLY,
    AfterValidator(_plainly),
    WRITTEN_PLAINLY,
]
"""Of current and voltage transformers."""


class Register(Body):
    """A cumulative total in kWh that a meter shows for a flow: digits before and decimals after
    the point, and the multiplier of its current and voltage transformers."""

    flow: Flow
    digits: Annotated[int, Field(ge=1, le=DIGITS_MAX)] = 9
    decimals: Annotated[int, Field(ge=0, le=DECIMALS_MAX)] = 3
    multiplier: Multiplier = Decimal(1)

    def to_domain(self) -> registry.Register:
        """The register as the domain knows it."""
        return registry.Register(self.flow, self.digits, self.decimals, self.multiplier)

    @classmethod
    def of(cls, one: registry.Register) -> Self:
        """A register as the API shows it."""
        return cls(
            flow=one.flow, digits=one.digits, decimals=one.decimals, multiplier=one.multiplier
        )


Registers = Annotated[list[Register], Field(max_length=4)]


class NewProperty(Body):
    """A property to register. `channels` says what its own meters measure, by type; by default
    `total` has one channel, import in 15 minutes, and the others have none."""

    id: UUID | None = None
    name: Text
    address: Address = ""
    zone: Zone
    region_id: UUID | None = None
    connected_kw: Kilowatts | None = None
    parent_id: UUID | None = None
    channels: dict[OwnType, Channels] = Field(default_factory=dict)

    def to_domain(self, tenant_id: str) -> tuple[registry.Property, tuple[registry.Meter, ...]]:
        """The property and its four meters; Rejected for channels that cannot be."""
        id_ = self.id or new_id()
        place = registry.Property(
            id_, self.name, self.address, self.zone, self.region_id, self.connected_kw,
            self.parent_id,
        )  # fmt: skip
        channels = {type_: channels_of(each) for type_, each in self.channels.items()}
        return place, built(lambda: registry.own_meters(tenant_id, id_, channels))


class PropertyChange(Body):
    """What is to be different; what is left out stays."""

    name: Annotated[Text | None, NotNull] = None
    address: Annotated[Address | None, NotNull] = None
    zone: Annotated[Zone | None, NotNull] = None
    region_id: UUID | None = None
    connected_kw: Kilowatts | None = None
    parent_id: UUID | None = None


class WholeProperty(Body):
    """All that can be said of a property: what is left out is empty."""

    name: Text
    address: Address = ""
    zone: Zone
    region_id: UUID | None = None
    connected_kw: Kilowatts | None = None
    parent_id: UUID | None = None


class NewProperties(Body):
    """Properties to register together, all or nothing."""

    items: Annotated[list[NewProperty], Field(min_length=1, max_length=PROPERTIES_MAX)]


class Meter(BaseModel):
    """A meter; `derived` ones are computed from others and never read."""

    id: UUID
    property_id: UUID
    type: MeterType
    name: str
    derived: bool
    channels: list[Channel]
    registers: list[Register]
    version: int
    created_at: datetime
    updated_at: datetime


class Property(BaseModel):
    """A property."""

    id: UUID
    name: str
    address: str
    zone: str
    region_id: UUID | None
    connected_kw: Amount | None
    parent_id: UUID | None
    version: int
    created_at: datetime
    updated_at: datetime


class PropertyWithMeters(Property):
    """A property and all its meters."""

    meters: list[Meter]


class Properties(BaseModel):
    """Properties as they were registered, in the order asked."""

    items: list[PropertyWithMeters]


class NewMeter(Body):
    """A meter to add to a property, besides its own four. Unless `registers` says otherwise it
    has one for each of its channels; without any, generation where it is solar, else import."""

    id: UUID | None = None
    type: AddedType
    name: Text
    channels: Channels = Field(default_factory=list)
    registers: Registers | None = None

    def to_domain(self, property_id: UUID) -> registry.Meter:
        """The meter; Rejected for channels that cannot be."""
        channels = channels_of(self.channels)
        registers = (
            registry.default_registers(self.type, channels)
            if self.registers is None
            else registers_of(self.registers)
        )
        return built(
            lambda: registry.Meter(
                self.id or new_id(), property_id, self.type, self.name, channels, registers
            )
        )


class MeterChange(Body):
    """What is to be different; what is left out stays."""

    name: Annotated[Text | None, NotNull] = None
    channels: Annotated[Channels | None, NotNull] = None
    registers: Annotated[Registers | None, NotNull] = None


class WholeMeter(Body):
    """All that can be said of a meter that exists: what is left out is empty."""

    name: Text
    channels: Channels = Field(default_factory=list)
    registers: Registers = Field(default_factory=list)


class NewUser(Body):
    """A user of a property; the e-mail address is nobody else's within the tenant."""

    id: UUID | None = None
    name: Text
    email: Email
    phone: Phone | None = None
    property_id: UUID
    default_meter_id: UUID | None = None

    def to_domain(self) -> registry.User:
        """The user."""
        return registry.User(
            self.id or new_id(), self.name, self.email, self.phone, self.property_id,
            self.default_meter_id,
        )  # fmt: skip


class UserChange(Body):
    """What is to be different; what is left out stays."""

    name: Annotated[Text | None, NotNull] = None
    email: Annotated[Email | None, NotNull] = None
    phone: Phone | None = None
    property_id: Annotated[UUID | None, NotNull] = None
    default_meter_id: UUID | None = None


class WholeUser(Body):
    """All that can be said of a user: what is left out is empty."""

    name: Text
    email: Email
    phone: Phone | None = None
    property_id: UUID
    default_meter_id: UUID | None = None


class DefaultMeter(Body):
    """The meter that a user means unless they say otherwise; null for none."""

    meter_id: UUID | None


class User(BaseModel):
    """A user."""

    id: UUID
    name: str
    email: str
    phone: str | None
    property_id: UUID
    default_meter_id: UUID | None
    version: int
    created_at: datetime
    updated_at: datetime


def channels_of(channels: Sequence[Channel]) -> tuple[registry.Channel, ...]:
    """Channels as the domain knows them."""
    return tuple(
        registry.Channel(each.flow, each.minutes, each.interval_wh_max)
        for each in sorted(channels, key=lambda each: each.flow)
    )


def registers_of(registers: Sequence[Register]) -> tuple[registry.Register, ...]:
    """Registers as the domain knows them."""
    return tuple(each.to_domain() for each in sorted(registers, key=lambda each: each.flow))


def built(build: Callable[[], V]) -> V:
    """What `build` makes; Rejected with the reason where the domain refuses."""
    try:
        return build()
    except ValueError as refused:
        raise Rejected("invalid_meter", str(refused)) from None


def shown_meter(one: Stored[registry.Meter]) -> Meter:
    """A meter as the API shows it."""
    meter = one.thing
    return Meter(
        id=meter.id,
        property_id=meter.property_id,
        type=meter.type,
        name=meter.name,
        derived=meter.derived,
        channels=[
            Channel(flow=each.flow, minutes=each.minutes, interval_wh_max=each.interval_wh_max)
            for each in meter.channels
        ],
        registers=[Register.of(each) for each in meter.registers],
        **stamps(one),
    )


def shown_property(one: Stored[registry.Property]) -> Property:
    """A property as the API shows it."""
    return Property(**_fields(one.thing), **stamps(one))


def shown_with_meters(
    one: Stored[registry.Property], meters: Sequence[Stored[registry.Meter]]
) -> PropertyWithMeters:
    """A property and its meters as the API shows them."""
    return PropertyWithMeters(
        **_fields(one.thing), **stamps(one), meters=[shown_meter(meter) for meter in meters]
    )


def shown_user(one: Stored[registry.User]) -> User:
    """A user as the API shows them."""
    return User(**_fields(one.thing), **stamps(one))


def _fields(thing: registry.Property | registry.User) -> dict[str, Decimal | UUID | str | None]:
    return {name: getattr(thing, name) for name in thing.__slots__}


def given(**filters: object) -> dict[str, object]:
    """The filters that the caller has named."""
    return {name: value for name, value in filters.items() if value is not None}
