"""Events of devices: what a meter notes of itself, beside what it measures."""

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from gridtally.contracts.model import Event, Instant
from gridtally.kernel.device_events import DeviceEventKind


class DeviceEventReceived(Event):
    """What a meter noted of itself, as a gateway or a head-end publishes it.

    The same `ce_id` of the same `ce_source` is the same event, and so is the same kind of a meter
    at the same instant: it is stored once. Other content under the same id is a dead letter.
    """

    TOPIC: ClassVar[str] = "device_events.received.v1"
    KEY: ClassVar[str] = "meter_id"

    meter_id: UUID
    """The meter that noted it."""
    kind: DeviceEventKind
    """What it noted."""
    happened_at: Instant
    """When, by the meter's clock, in UTC."""
    detail: Annotated[str, Field(max_length=200)] = ""
    """The device's own code or words, for people."""
