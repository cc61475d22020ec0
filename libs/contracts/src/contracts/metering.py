"""Events of metering: readings, usage, closed periods, and the meters they belong to.

Quality is one letter per interval: `A` actual, `E` estimated, `S` substituted, `-` missing.
Values are whole watt-hours unless said otherwise; a missing one is null, never zero.
"""

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from contracts.model import Amount, Code, Count, Day, Event, Instant, Text, WireModel, Zone
from kernel.energy import INTERVAL_WH_MAX

BLOCK_VALUES_MAX = 3_000
"""The most values in one block: a month of 15-minute intervals with room."""
PERIOD_VALUES_MAX = 120_000
"""The most values in a closed period's series: a leap year of 5-minute intervals."""

Flow = Literal["import", "export", "load", "generation"]
Minutes = Literal[5, 10, 15, 30, 60]
Quality = Literal["actual", "estimated", "substituted"]
MeterType = Literal[
    "gg", "sg", "total", "unmetered", "main", "sub", "solar", "device", "derived"
]  # fmt: skip
ReadingKind = Literal["reading", "exchange_final", "exchange_initial", "withdrawn"]


class ReadingsReceived(Event):
    """A block of consecutive interval readings as a gateway publishes it.

    The natural key of each value is (meter, flow, interval start, interval length): the same value
    again is a duplicate, another one a correction. What is well formed but wrong (unit, negative,
    misaligned, unknown meter) goes to quarantine, not to the dead letters.
    """

    TOPIC: ClassVar[str] = "readings.received.v1"
    KEY: ClassVar[str] = "meter_id"

    meter_id: UUID
    flow: Flow
    start_at: Instant
    minutes: int
    unit: Annotated[str, Field(max_length=16)] = "Wh"
    values: Annotated[list[int | None], Field(min_length=1, max_length=BLOCK_VALUES_MAX)]
    quality: Quality = "actual"
    source: Annotated[str, Field(max_length=100)] = ""
    read_at: Instant | None = None


class ReadingsRejected(Event):
    """A block that was refused; it lies in ingest's quarantine and can be replayed from there."""

    TOPIC: ClassVar[str] = "readings.rejected.v1"
    KEY: ClassVar[str] = "meter_id"

    quarantine_id: UUID
    event_id: UUID
    meter_id: UUID
    flow: Flow
    start_at: Instant
    minutes: int
    values_count: Count
    reason: Code
    detail: Text
    rejected_at: Instant


class UsageRecorded(Event):
    """The newest state of a channel-day (a meter's flow on one local day).

    `values` has one entry per interval of that day in the meter's zone (92, 96 or 100 of 15
    minutes). A higher `version` replaces a lower one.
    """

    TOPIC: ClassVar[str] = "usage.recorded.v1"
    KEY: ClassVar[str] = "meter_id"

    meter_id: UUID
    flow: Flow
    day: Day
    zone: Zone
    minutes: Minutes
    version: Count
    values: Annotated[list[int | None], Field(max_length=300)]
    quality: Annotated[str, Field(max_length=300)]
    recorded_at: Instant


class Series(WireModel):
    """One flow of a closed period, from its first local midnight to its last."""

    flow: Flow
    minutes: Minutes
    values: Annotated[list[int | None], Field(max_length=PERIOD_VALUES_MAX)]
    quality: Annotated[str, Field(max_length=PERIOD_VALUES_MAX)]


class PeriodClosed(Event):
    """A billing period [local midnight, local midnight) of an agreement's meter is closed.

    Carries all that was metered. A correction after the close comes as the next `revision`
    (from 1); `digest` is the SHA-256 of the series, so equal digests are equal periods.
    """

    TOPIC: ClassVar[str] = "period.closed.v1"
    KEY: ClassVar[str] = "agreement_id"

    agreement_id: UUID
    meter_id: UUID
    zone: Zone
    start_on: Day
    end_on: Day
    revision: Annotated[Count, Field(ge=1)]
    closed_by: Literal["complete", "grace", "forced"]
    closed_at: Instant
    expected_intervals: Count
    present_intervals: Count
    series: Annotated[list[Series], Field(max_length=4)]
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Channel(WireModel):
    """A flow that a meter measures, its interval length and the most an interval can carry."""

    flow: Flow
    minutes: Minutes
    interval_wh_max: Annotated[int, Field(ge=1, le=INTERVAL_WH_MAX)]


class MeterRegistered(Event):
    """A meter as the registry knows it now; a tombstone on this topic ends it."""

    TOPIC: ClassVar[str] = "meter.registered.v1"
    KEY: ClassVar[str] = "meter_id"

    meter_id: UUID
    property_id: UUID
    type: MeterType
    name: Text
    zone: Zone
    region_id: UUID | None = None
    connected_kw: Amount | None = None
    channels: Annotated[list[Channel], Field(max_length=4)]
    version: Count


class PropertyChanged(Event):
    """A property as the registry knows it now; a tombstone on this topic ends it."""

    TOPIC: ClassVar[str] = "property.changed.v1"
    KEY: ClassVar[str] = "property_id"

    property_id: UUID
    name: Text
    address: Annotated[str, Field(max_length=500)] = ""
    zone: Zone
    region_id: UUID | None = None
    connected_kw: Amount | None = None
    parent_id: UUID | None = None
    version: Count


class ReadingRecorded(Event):
    """An entry of the ledger of register readings: what a meter's register for a flow showed.

    A reading is the chain of its entries: `version` counts them from 1, a higher one replaces a
    lower one, and `withdrawn` ends it, telling once more what is taken back. `value` is what the
    dial showed, in `unit`; energy is the difference of two values times `multiplier`, and the dial
    begins again at zero after `digits` digits before the point. Where a meter is exchanged, its
    closing read (`exchange_final`) and the opening read of the next one (`exchange_initial`) have
    the same `exchange_id` and moment; nothing was used between the two.
    """

    TOPIC: ClassVar[str] = "reading.recorded.v1"
    KEY: ClassVar[str] = "meter_id"

    entry_id: UUID
    reading_id: UUID
    version: Annotated[Count, Field(ge=1)]
    supersedes_id: UUID | None = None
    meter_id: UUID
    property_id: UUID
    flow: Flow
    kind: ReadingKind
    exchange_id: UUID | None = None
    value: Amount
    unit: Literal["kWh"] = "kWh"
    digits: Annotated[int, Field(ge=1, le=15)]
    decimals: Annotated[int, Field(ge=0, le=6)]
    multiplier: Amount
    quality: Quality
    read_at: Instant
    recorded_at: Instant
