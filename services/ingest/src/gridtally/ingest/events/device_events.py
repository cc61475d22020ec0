"""Events of devices ⇄ messages: those that come from the broker, and those that go to it."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import ConfigDict, Field, ValidationError

from gridtally.contracts.device_events import DeviceEventReceived
from gridtally.contracts.envelope import event_id_of
from gridtally.contracts.faults import faults_of
from gridtally.ingest.domain.device_events import DeviceEvent, content_id
from gridtally.ingest.domain.validation import Refusal
from gridtally.ingest.events import SOURCE
from gridtally.ingest.events.submissions import FAULTS_SHOWN_MAX, Sender
from gridtally.kernel.errors import Poison
from gridtally.messaging import OutgoingMessage, ReceivedMessage


class NewDeviceEvent(DeviceEventReceived):
    """What a meter noted of itself.

    `event_id` names an event of its `source`: sent again under the same id it changes nothing.
    Without one it is known by its meter, kind and instant. A field that is not known is refused
    here, though a gateway's message may have it.
    """

    model_config = ConfigDict(extra="forbid")

    event_id: Annotated[str, Field(max_length=256, pattern="^[!-~]+$")] | None = None
    """What the source calls the event, a UUID or any other name, where it has one."""
    source: Annotated[str, Field(max_length=100, pattern="^[!-~]*$")] = ""
    """Who sends it: a gateway, a head-end. Ids that are no UUIDs are those of their source."""


def read_item(item: Any, sender: Sender) -> DeviceEvent | Refusal:
    """An item of a request; a Refusal with what is wrong in it."""
    try:
        new = NewDeviceEvent.model_validate(item)
    except ValidationError as invalid:
        faults = faults_of(invalid, item, NewDeviceEvent.model_validate)[:FAULTS_SHOWN_MAX]
        shown = (f"{'/'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in faults)
        return Refusal("malformed", "; ".join(shown))
    source = new.source or SOURCE
    own_id = content_id(sender.tenant_id, new.meter_id, new.kind, new.happened_at)
    return DeviceEvent(
        sender.tenant_id,
        event_id_of(source, new.event_id) if new.event_id else own_id,
        new.meter_id,
        new.kind,
        new.happened_at,
        new.detail,
        source,
        sender.correlation_id,
    )


def device_event_received(event: DeviceEvent, now: datetime) -> OutgoingMessage:
    """Publishes an event that came over HTTP, as a gateway would."""
    return OutgoingMessage.of(
        DeviceEventReceived(
            meter_id=event.meter_id,
            kind=event.kind,
            happened_at=event.happened_at,
            detail=event.detail,
        ),
        tenant_id=event.tenant_id,
        correlation_id=event.correlation_id,
        source=event.source,
        event_id=event.id,
        occurred_at=now,
    )


def received_event(message: ReceivedMessage[DeviceEventReceived]) -> DeviceEvent:
    """An event as the broker brought it; Poison for a tombstone, which this topic has none of."""
    event, envelope = message.event, message.envelope
    if event is None:
        raise Poison(f"{DeviceEventReceived.TOPIC} has no tombstones")
    return DeviceEvent(
        envelope.tenant_id,
        envelope.event_id,
        event.meter_id,
        event.kind,
        event.happened_at,
        event.detail,
        envelope.source,
        envelope.correlation_id,
    )
