"""The registry's resources as events."""

from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from gridtally.contracts import metering
from gridtally.contracts.metering import MeterRegistered, PropertyChanged
from gridtally.contracts.model import Event
from gridtally.contracts.registry import UserChanged
from gridtally.kernel.ids import derive_id
from gridtally.kernel.resources import Cause, Stored
from gridtally.ledger.events import SOURCE
from gridtally.ledger.registry.domain.meters import Channel, Meter
from gridtally.ledger.registry.domain.properties import Property
from gridtally.ledger.registry.domain.users import User
from gridtally.messaging import OutgoingMessage


def property_changed(stored: Stored[Property], cause: Cause) -> OutgoingMessage:
    """`property.changed`: a property as it is now."""
    property_ = stored.resource
    event = PropertyChanged(
        property_id=property_.id,
        name=property_.name,
        address=property_.address,
        zone=property_.zone,
        region_id=property_.region_id,
        connected_kw=property_.connected_kw,
        parent_id=property_.parent_id,
        customer_id=property_.customer_id,
        version=stored.version,
    )
    return _message(event, property_.id, stored, cause)


def meter_registered(stored: Stored[Meter], property_: Property, cause: Cause) -> OutgoingMessage:
    """`meter.registered`: a meter as it is now, with what it inherits from its property."""
    meter = stored.resource
    event = MeterRegistered(
        meter_id=meter.id,
        property_id=property_.id,
        meter_type=meter.meter_type,
        name=meter.name,
        zone=property_.zone,
        region_id=property_.region_id,
        connected_kw=property_.connected_kw,
        channels=[_channel(channel) for channel in meter.channels],
        registers=[metering.Register(**asdict(register)) for register in meter.registers],
        version=stored.version,
    )
    return _message(event, meter.id, stored, cause)


def user_changed(stored: Stored[User], cause: Cause) -> OutgoingMessage:
    """`user.changed`: a user as they are now."""
    user = stored.resource
    event = UserChanged(
        user_id=user.id,
        name=user.name,
        email=user.email,
        phone_number=user.phone_number,
        property_id=user.property_id,
        default_meter_id=user.default_meter_id,
        version=stored.version,
    )
    return _message(event, user.id, stored, cause)


def tombstone(
    event_class: type[Event], id_: UUID, cause: Cause, removed_at: datetime
) -> OutgoingMessage:
    """The message without a value that says a property, meter or user has been removed."""
    return OutgoingMessage.raw(
        event_class.TOPIC,
        str(id_),
        None,
        tenant_id=cause.tenant_id,
        correlation_id=cause.correlation_id,
        source=SOURCE,
        event_id=derive_id(
            f"{event_class.TOPIC} ended", cause.tenant_id, id_, removed_at.isoformat()
        ),
        occurred_at=removed_at,
    )


def _message(
    event: Event,
    id_: UUID,
    stored: Stored[Property] | Stored[Meter] | Stored[User],
    cause: Cause,
) -> OutgoingMessage:
    # The moment is part of the event's id: where a resource is deleted and made again with the same
    # id, its versions begin at 1 again, and two events must not share an id.
    at = stored.updated_at
    return OutgoingMessage.of(
        event,
        tenant_id=cause.tenant_id,
        correlation_id=cause.correlation_id,
        source=SOURCE,
        event_id=derive_id(event.TOPIC, cause.tenant_id, id_, stored.version, at.isoformat()),
        occurred_at=at,
    )


def _channel(channel: Channel) -> metering.Channel:
    return metering.Channel(**asdict(channel))
