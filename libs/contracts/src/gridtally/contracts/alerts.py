"""Events of alerts: that something is wrong with a meter's readings, and that it has ended.

An alert is raised once, by a rule that its tenant has turned on, and cleared once. What comes back
is another alert, with the next `number`.
"""

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from gridtally.contracts.metering import Flow
from gridtally.contracts.model import Amount, Count, Day, Event, Instant

AlertKind = Literal[
    "missing_readings",
    "dead_meter",
    "stuck_meter",
    "unusual_use",
    "back_feed",
    "clock_drift",
    "conservation",
    "tamper",
]
AlertUnit = Literal["hours", "days", "times", "Wh", "share", "events"]
Number = Annotated[Count, Field(ge=1)]


class AlertRaised(Event):
    """Something is wrong with the readings of a meter, by a rule of its tenant."""

    TOPIC: ClassVar[str] = "alert.raised.v1"
    KEY: ClassVar[str] = "meter_id"

    alert_id: UUID
    """The alert; the same in the event that clears it."""
    kind: AlertKind
    """What is wrong."""
    meter_id: UUID
    """The meter."""
    flow: Flow | None = None
    """The channel's flow; null where it is about all channels of the meter."""
    number: Number
    """Its number among the alerts of its kind of this channel (or meter), from 1."""
    since_at: Instant
    """Since when it is so, in UTC."""
    day: Day | None = None
    """The local day of which it speaks; null where it speaks of silence."""
    value: Amount
    """What was measured, in `unit`."""
    limit: Amount
    """The limit that it has reached, in `unit`."""
    unit: AlertUnit
    """What `value` and `limit` are in."""
    raised_at: Instant
    """When it was raised, in UTC."""


class AlertCleared(Event):
    """An alert has ended; nobody needs to do anything about it any more."""

    TOPIC: ClassVar[str] = "alert.cleared.v1"
    KEY: ClassVar[str] = "meter_id"

    alert_id: UUID
    """The alert, as it was raised."""
    kind: AlertKind
    """What was wrong."""
    meter_id: UUID
    """The meter."""
    flow: Flow | None = None
    """The channel's flow; null where it was about all channels of the meter."""
    number: Number
    """Its number among the alerts of its kind of this channel (or meter), from 1."""
    worst_value: Amount
    """The highest that was measured while it lasted, in `unit`."""
    limit: Amount
    """The limit that it had reached last, in `unit`."""
    unit: AlertUnit
    """What `worst_value` and `limit` are in."""
    reason: Literal["ended", "rule_off", "meter_removed"]
    """Why it was cleared: it is so no more; its rule, or the limit, is another; the meter or its
    channel is there no more."""
    raised_at: Instant
    """When it was raised, in UTC."""
    cleared_at: Instant
    """When it was cleared, in UTC."""
