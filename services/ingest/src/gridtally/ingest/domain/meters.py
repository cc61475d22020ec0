"""A meter as the registry published it: its zone, its channels and what each can carry."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args
from uuid import UUID

from gridtally.metering.derived_meters import DERIVED_TYPES

ActiveFlow = Literal["import", "export", "load", "generation"]
ReactiveFlow = Literal["reactive_import", "reactive_export"]
Flow = Literal[ActiveFlow, ReactiveFlow]
REACTIVE_FLOWS: tuple[str, ...] = get_args(ReactiveFlow)
MeterKey = tuple[str, UUID]
"""Tenant and meter."""


@dataclass(frozen=True, slots=True)
class Channel:
    """One flow of a meter, in intervals of `minutes` that carry at most `interval_wh_max`.

    It measures from `start_at` until `end_at`; without them ever since, and for ever.
    Energy of a reactive flow is in varh wherever that of others is in Wh.
    """

    flow: Flow
    minutes: int
    interval_wh_max: int
    start_at: datetime | None = None
    end_at: datetime | None = None

    @property
    def is_bounded(self) -> bool:
        """Whether it did not always measure, or does no more."""
        return self.start_at is not None or self.end_at is not None

    @property
    def unit(self) -> str:
        """What its values are in."""
        return "varh" if self.flow in REACTIVE_FLOWS else "Wh"


@dataclass(frozen=True, slots=True)
class Meter:
    """A meter; its local days are those of the zone of its first registration, for good."""

    meter_id: UUID
    meter_type: str
    zone: str
    channels: tuple[Channel, ...]

    @property
    def is_derived(self) -> bool:
        """Whether it is computed from others."""
        return self.meter_type in DERIVED_TYPES

    def channel(self, flow: str) -> Channel | None:
        """The channel of that flow."""
        for channel in self.channels:
            if channel.flow == flow:
                return channel
        return None

    def has_other_times_than(self, before: "Meter") -> bool:
        """Whether it has the same channels as before, but some from or until another time."""
        return self.channels != before.channels and [
            (channel.flow, channel.minutes) for channel in self.channels
        ] == [(channel.flow, channel.minutes) for channel in before.channels]


@dataclass(frozen=True, slots=True)
class Registration:
    """A version of a tenant's meter, as the registry published it."""

    tenant_id: str
    meter: Meter
    name: str
    version: int
    property_id: UUID

    @property
    def key(self) -> MeterKey:
        """The meter that it is of."""
        return self.tenant_id, self.meter.meter_id
