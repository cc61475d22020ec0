"""Events of metering: readings, usage, closed periods, and the meters they belong to.

Quality is one letter per interval: `A` actual, `E` estimated, `S` substituted, `-` missing.
Values are whole watt-hours unless said otherwise, those of reactive flows whole varh; a missing one
is null, never zero.
"""

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import AliasChoices, Field

from gridtally.contracts.model import (
    Amount,
    Code,
    ContractModel,
    Count,
    Day,
    EnergyWh,
    Event,
    Instant,
    Integer,
    Text,
    Zone,
)
from gridtally.kernel.energy import INTERVAL_WH_MAX

BLOCK_VALUES_MAX = 3_000
"""The most values in one block: a month of 15-minute intervals with room."""
PERIOD_VALUES_MAX = 120_000
"""The most values in a closed period's series: a leap year of 5-minute intervals."""
SUMMED_MAX = 10_000
"""The most entries of what a derived meter was the sum of in a period."""
DEFINITIONS_MAX = 1_000
"""The most definitions of one derived meter."""
TERMS_MAX = 200
"""The most meters in one definition."""

ActiveFlow = Literal["import", "export", "load", "generation"]
"""The flows of active energy, in Wh."""
Flow = Literal[ActiveFlow, "reactive_import", "reactive_export"]
"""The flows of active energy, and those of reactive energy, in varh: drawn, and fed in."""
Minutes = Literal[5, 10, 15, 30, 60]
Quality = Literal["actual", "estimated", "substituted"]
MeterType = Literal[
    "gg", "sg", "total", "unmetered", "main", "sub", "solar", "device", "derived"
]  # fmt: skip
ReadingKind = Literal["reading", "exchange_final", "exchange_initial", "withdrawn"]


class ReadingsReceived(Event):
    """A block of consecutive interval readings as a gateway publishes it.

    The natural key of each value is (meter, flow, interval start, interval length): the same value
    again is a duplicate, another one a correction. `ce_id` names the message: the same again is a
    redelivery and changes nothing, so a correction back to earlier values has an id of its own;
    other values under the same id go to quarantine (`event_id_reused`). What is well formed but
    wrong (unit, negative, misaligned, unknown meter) goes there too, not to the dead letters.
    """

    TOPIC: ClassVar[str] = "readings.received.v1"
    KEY: ClassVar[str] = "meter_id"

    meter_id: UUID
    """The meter that was read."""
    flow: Flow
    """What was measured."""
    start_at: Instant
    """When the first interval starts, in UTC; every other one follows without a gap."""
    minutes: Integer
    """The length of every interval, in minutes: 5, 10, 15, 30 or 60."""
    unit: Annotated[str, Field(max_length=16)] = "Wh"
    """The unit of the values: `Wh`, or `varh` of reactive flows; others are refused."""
    values: Annotated[list[int | None], Field(min_length=1, max_length=BLOCK_VALUES_MAX)]
    """The energy of each interval in `unit`, in order; null where the meter has no value."""
    quality: Quality = "actual"
    """What all values rest on."""
    source: Annotated[str, Field(max_length=100)] = ""
    """Where the values come from, for people: a gateway, a file."""
    read_at: Instant | None = None
    """When the meter was read, in UTC; where it is missing, `ce_time` stands for it. Of two values
    of the same quality for an interval, the one that was read later counts."""


class ReadingsRejected(Event):
    """A block that was refused; it lies in ingest's quarantine and can be replayed from there."""

    TOPIC: ClassVar[str] = "readings.rejected.v1"
    KEY: ClassVar[str] = "meter_id"

    quarantine_id: UUID
    """The block's id in the quarantine, by which it is replayed."""
    event_id: UUID
    """The `ce_id` of the `readings.received` that brought it."""
    meter_id: UUID
    """The meter that the block names."""
    flow: Flow
    """The flow that the block names."""
    start_at: Instant
    """When the block's first interval starts, in UTC."""
    minutes: Integer
    """The length of an interval in minutes, as the block has it."""
    values_count: Count
    """How many values the block has."""
    reason: Code
    """Why it was refused, for programs."""
    detail: Text
    """Why it was refused, for people."""
    rejected_at: Instant
    """When it was refused, in UTC."""


class UsageRecorded(Event):
    """The newest state of a channel-day (a meter's flow on one local day).

    `values` has one entry per interval of that day in the meter's zone (92, 96 or 100 of 15
    minutes). A higher `version` replaces a lower one.
    """

    TOPIC: ClassVar[str] = "usage.recorded.v1"
    KEY: ClassVar[str] = "meter_id"

    meter_id: UUID
    """The meter that was read."""
    flow: Flow
    """What was measured."""
    day: Day
    """The local date, in `zone`."""
    zone: Zone
    """The meter's time zone."""
    minutes: Minutes
    """The length of an interval in minutes."""
    version: Count
    """How often the day was merged so far; a higher one replaces a lower one."""
    values: Annotated[list[int | None], Field(max_length=300)]
    """The energy of each interval in Wh (varh), from local midnight to local midnight; null where
    there is none."""
    quality: Annotated[str, Field(max_length=300)]
    """A letter for each value: `A` actual, `E` estimated, `S` substituted, `-` missing."""
    recorded_at: Instant
    """When the day became so, in UTC."""


class SummedMeter(ContractModel):
    """A register's flow that a derived meter was the sum of on some days."""

    meter_id: UUID
    """The meter that was added or subtracted."""
    flow: ActiveFlow
    """Its flow."""
    factor: Integer
    """How often it was added; below zero where it was subtracted."""
    start_on: Day
    """The first of the days, in the derived meter's zone."""
    end_on: Day
    """The day after the last."""
    energy_wh: EnergyWh
    """What it metered on these days, in Wh, as far as it is there."""
    version: Count
    """How often its days that were added up had been merged by then, all together."""


class Series(ContractModel):
    """One flow of a closed period, from its first local midnight to its last."""

    flow: Flow
    """What was measured."""
    minutes: Minutes
    """The length of an interval in minutes."""
    values: Annotated[list[int | None], Field(max_length=PERIOD_VALUES_MAX)]
    """The energy of each interval in Wh (varh), in order; null where there is none."""
    quality: Annotated[str, Field(max_length=PERIOD_VALUES_MAX)]
    """A letter for each value: `A` actual, `E` estimated, `S` substituted, `-` missing, and `N`
    where the meter did not measure the flow: nothing flowed, and nothing is missing."""
    summed: Annotated[list[SummedMeter], Field(max_length=SUMMED_MAX)] | None = None
    """Of a derived meter, what it was the sum of; null for others."""


class PeriodClosed(Event):
    """A billing period [local midnight, local midnight) of an agreement's meter is closed.

    Carries all that was metered. A correction after the close comes as the next `revision`
    (from 1); `digest` is the SHA-256 of the series, so equal digests are equal periods.
    """

    TOPIC: ClassVar[str] = "period.closed.v1"
    KEY: ClassVar[str] = "agreement_id"

    agreement_id: UUID
    """The agreement whose period it is."""
    meter_id: UUID
    """The agreement's meter."""
    zone: Zone
    """The meter's time zone, whose midnights the period starts and ends at."""
    start_on: Day
    """The period's first local date."""
    end_on: Day
    """The local date after the period's last."""
    revision: Annotated[Count, Field(ge=1)]
    """How often the period was closed so far; a higher one replaces a lower one."""
    closed_by: Literal["complete", "grace", "forced"]
    """What closed it: all values are there, the grace time is over, or a person decided so."""
    closed_at: Instant
    """When it was closed, in UTC."""
    expected_intervals: Count
    """How many intervals the period has in which the meter measures, of all flows together."""
    present_intervals: Count
    """How many of them have a value."""
    series: Annotated[list[Series], Field(max_length=6)]
    """All that was metered, flow by flow."""
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """The SHA-256 of the series, in hexadecimal; equal digests are equal periods."""


class Channel(ContractModel):
    """A flow that a meter measures, its interval length and the most an interval can carry."""

    flow: Flow
    """What is measured."""
    minutes: Minutes
    """The length of an interval in minutes."""
    interval_wh_max: Annotated[int, Field(ge=1, le=INTERVAL_WH_MAX)]
    """The most energy of one interval, in Wh (varh); a block with more is refused."""
    start_at: Instant | None = None
    """From when on the meter measures the flow, in UTC; null for ever since. Nothing is expected
    before, so that nothing is missing."""
    end_at: Instant | None = None
    """Until when the meter measures the flow, in UTC; null while it does."""


class Register(ContractModel):
    """A cumulative total in kWh that a meter shows for a flow."""

    flow: ActiveFlow
    """The flow that it counts."""
    digits: Annotated[int, Field(ge=1, le=15)]
    """How many digits before the point it shows."""
    decimals: Annotated[int, Field(ge=0, le=6)]
    """How many digits after the point it shows."""
    multiplier: Amount
    """The factor of its current and voltage transformers, without a unit."""
    rollover_kwh: Amount | None = None
    """The total in kWh at which it begins again at zero; null where that is after its last
    digit."""


FORMER_METER_TYPE = "type"
"""What `meter_type` was called in messages that compacted topics and outboxes still hold."""


class MeterRegistered(Event):
    """A meter as the registry knows it now; a tombstone on this topic ends it."""

    TOPIC: ClassVar[str] = "meter.registered.v1"
    KEY: ClassVar[str] = "meter_id"

    meter_id: UUID
    """The meter."""
    property_id: UUID
    """The property at which it measures."""
    meter_type: Annotated[
        MeterType, Field(validation_alias=AliasChoices("meter_type", FORMER_METER_TYPE))
    ]
    """What it measures, and at which place."""
    name: Text
    """What people call it."""
    zone: Zone
    """The time zone that cuts its days and months."""
    region_id: UUID | None = None
    """The region that it lies in; null where none is known."""
    connected_kw: Amount | None = None
    """The connected load (sanctioned load) in kW, which capacity charges are for."""
    channels: Annotated[list[Channel], Field(max_length=6)]
    """The flows that it measures in intervals."""
    registers: Annotated[list[Register], Field(max_length=4)] | None = None
    """The totals that it shows; null in messages of before they were published."""
    version: Count
    """How often the meter was changed so far; a higher one replaces a lower one."""


class Term(ContractModel):
    """A meter in the sum that a derived meter is."""

    meter_id: UUID
    """The meter."""
    sign: Literal[1, -1]
    """Whether it is added or subtracted."""
    flow: ActiveFlow | None = None
    """The flow that counts of it; null where it is a derived meter itself."""
    is_main: bool = False
    """Whether the definition names no flow, so that the meter's main one counts; without a unit."""


class Definition(ContractModel):
    """What a derived meter is the sum of, from a local day of its property on."""

    from_on: Day | None = None
    """The first local day; null for ever."""
    terms: Annotated[list[Term], Field(max_length=TERMS_MAX)]
    """What is added and subtracted."""
    version: Count | None = None
    """Its number among the meter's definitions, in the order in which they were made."""


class MeterDefined(Event):
    """What a derived meter is the sum of: all definitions that count, the oldest first."""

    TOPIC: ClassVar[str] = "meter.defined.v1"
    KEY: ClassVar[str] = "meter_id"

    meter_id: UUID
    """The derived meter."""
    definitions: Annotated[list[Definition], Field(max_length=DEFINITIONS_MAX)]
    """Each counts from its day until that of the next."""
    version: Count
    """How often the meter was defined so far; a higher one replaces a lower one."""


class PropertyChanged(Event):
    """A property as the registry knows it now; a tombstone on this topic ends it."""

    TOPIC: ClassVar[str] = "property.changed.v1"
    KEY: ClassVar[str] = "property_id"

    property_id: UUID
    """The property."""
    name: Text
    """What people call it."""
    address: Annotated[str, Field(max_length=500)] = ""
    """Where it is, for people."""
    zone: Zone
    """The time zone that cuts its days and months."""
    region_id: UUID | None = None
    """The region that it lies in; null where none is known."""
    connected_kw: Amount | None = None
    """The connected load (sanctioned load) in kW, which capacity charges are for."""
    parent_id: UUID | None = None
    """The property that it is a part of; null for the top of a tree."""
    customer_id: UUID | None = None
    """The customer whose site it is; null where it is nobody's in particular."""
    version: Count
    """How often the property was changed so far; a higher one replaces a lower one."""


class ReadingRecorded(Event):
    """An entry of the ledger of register readings: what a meter's register for a flow showed.

    A reading is the chain of its entries: `version` counts them from 1, a higher one replaces a
    lower one, and `withdrawn` ends it, with the fields of the entry that is withdrawn. Energy is
    the difference of two values times `multiplier`; the register begins again at zero after
    `digits` digits before the point, or at `rollover_kwh`. Where a meter is exchanged, its closing
    reading (`exchange_final`) and the opening reading of the next one (`exchange_initial`) have the
    same `exchange_id` and moment; nothing was used between the two.
    """

    TOPIC: ClassVar[str] = "reading.recorded.v1"
    KEY: ClassVar[str] = "meter_id"

    entry_id: UUID
    """The entry."""
    reading_id: UUID
    """The reading, whose first entry this is or that it changes."""
    version: Annotated[Count, Field(ge=1)]
    """The number of the entry within its reading; a higher one replaces a lower one."""
    supersedes_id: UUID | None = None
    """The entry that this one replaces; null for a reading's first."""
    meter_id: UUID
    """The meter that was read."""
    property_id: UUID
    """The property at which it measures."""
    flow: ActiveFlow
    """The flow that the register counts."""
    kind: ReadingKind
    """A plain reading, one of the two of an exchange, or the end of a reading."""
    exchange_id: UUID | None = None
    """The exchange of meters that this is a reading of; null for any other reading."""
    value: Amount
    """What the register showed, in `unit`, before the multiplier."""
    unit: Literal["kWh"] = "kWh"
    """The unit of `value`."""
    digits: Annotated[int, Field(ge=1, le=15)]
    """How many digits before the point the register shows."""
    decimals: Annotated[int, Field(ge=0, le=6)]
    """How many digits after the point the register shows."""
    rollover_kwh: Amount | None = None
    """The total in kWh at which the register begins again at zero; null where that is after its
    last digit."""
    multiplier: Amount
    """The factor of the meter's current and voltage transformers, without a unit."""
    quality: Quality
    """What the value rests on."""
    read_at: Instant
    """When the register was read, in UTC."""
    recorded_at: Instant
    """When the entry was made, in UTC."""
