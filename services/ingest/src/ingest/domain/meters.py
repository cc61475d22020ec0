"""A meter as the registry told us: its zone, its channels and what each can carry."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

Flow = Literal["import", "export", "load", "generation"]
DERIVED = "unmetered"
"""The type of meters that are computed from others and have no readings of their own."""


@dataclass(frozen=True, slots=True)
class Channel:
    """One flow of a meter, in intervals of `minutes` that carry at most `interval_wh_max`."""

    flow: Flow
    minutes: int
    interval_wh_max: int


@dataclass(frozen=True, slots=True)
class Meter:
    """A meter; the zone of its first registration settles its local days for good."""

    meter_id: UUID
    type: str
    zone: str
    channels: tuple[Channel, ...]

    def channel(self, flow: str) -> Channel | None:
        """The channel of that flow."""
        for channel in self.channels:
            if channel.flow == flow:
                return channel
        return None
