"""What ingest takes and answers. Generated from docs/openapi/ingest.json by `make docs`."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, ConfigDict, Field

from gridtally.client.model import Model


class Acknowledgement(Model):
    """That somebody has seen an alert."""

    model_config = ConfigDict(
        extra="forbid",
    )
    note: str
    """What they know of it or do about it, for others."""


class Alert(Model):
    """Something that is, or was, wrong with the readings of a meter."""

    id: UUID
    """The alert."""

    kind: (
        Literal[
            "missing_readings",
            "dead_meter",
            "stuck_meter",
            "unusual_use",
            "back_feed",
            "clock_drift",
            "conservation",
            "tamper",
        ]
        | str
    )
    """What is wrong."""

    meter_id: UUID
    """The meter."""

    meter_name: str | None
    """What people call the meter; null of one that is there no more."""

    flow: (
        Literal["import", "export", "load", "generation", "reactive_import", "reactive_export"]
        | str
        | None
    )
    """The channel's flow; null where it is about all channels of the meter."""

    number: int
    """Which alert of its kind it is of this channel (or meter), from 1."""

    since_at: AwareDatetime
    """Since when it is so, UTC."""

    day: date | None
    """The last local day that it was seen on; null where readings do not come."""

    value: Decimal
    """What was measured last, in `unit`."""

    worst_value: Decimal
    """The highest that was measured while it lasts, in `unit`."""

    limit: Decimal
    """The limit that it has reached, in `unit`."""

    unit: Literal["hours", "days", "times", "Wh", "share", "events"] | str
    """What `value`, `worst_value` and `limit` are in."""

    raised_at: AwareDatetime
    """When it was raised, UTC."""

    seen_at: AwareDatetime
    """When it was last seen to be so, UTC."""

    cleared_at: AwareDatetime | None
    """When it was cleared, UTC; null while it is open."""

    reason: Literal["ended", "rule_off", "meter_removed"] | str | None
    """
    Why it was cleared: it is so no more, its rule is off, or the meter or its channel is there
    no more; null while it is open.
    """

    acknowledged_at: AwareDatetime | None
    """When somebody said that they have seen it, UTC."""

    acknowledged_by: str | None
    """Whose key that was."""

    note: str | None
    """What they noted."""


class AlertKindDescription(Model):
    """A kind of alerts that there is."""

    kind: (
        Literal[
            "missing_readings",
            "dead_meter",
            "stuck_meter",
            "unusual_use",
            "back_feed",
            "clock_drift",
            "conservation",
            "tamper",
        ]
        | str
    )
    """The kind."""

    meaning: str
    """What it measures."""

    unit: Literal["hours", "days", "times", "Wh", "share", "events"] | str
    """What its limit is in."""

    limit: Decimal
    """The usual limit: an alert is raised from there on."""

    flows: list[
        Literal["import", "export", "load", "generation", "reactive_import", "reactive_export"]
        | str
    ]
    """The flows that it is meant for; none where it is about whole meters."""

    rules: list[
        Literal[
            "spike",
            "physical_limit",
            "zero_run",
            "flat_run",
            "gap",
            "overlap",
            "back_feed",
            "dark_energy",
            "exchange_jump",
            "multiplier",
            "wrong_sign",
            "clock_drift",
            "repeated_hour",
            "unusual_use",
            "tamper",
            "register_sum",
        ]
        | str
    ]
    """The rules for readings whose verdicts it follows from."""


class AlertSetting(Model):
    """
    Whether alerts of a kind are raised, and from which limit on.

    Of the settings of one kind the one counts that names most of a channel.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    kind: Literal[
        "missing_readings",
        "dead_meter",
        "stuck_meter",
        "unusual_use",
        "back_feed",
        "clock_drift",
        "conservation",
        "tamper",
    ]
    """The kind."""

    action: Literal["off", "raise"]
    """`raise`: an alert is raised when the limit is reached; `off`: none is."""

    limit: Decimal | None = None
    """From where on, in the kind's unit; the usual limit where it is left out."""

    meter_type: str | None = None
    """Only for meters of this type."""

    flow: (
        Literal["import", "export", "load", "generation", "reactive_import", "reactive_export"]
        | None
    ) = None
    """Only for this flow; without it, for those that the kind is meant for."""


class ArchiveSettings(Model):
    """How long a tenant's readings stay in the database."""

    version: int
    """The ETag: how often they were changed."""

    months: int | None
    """So many whole months before the current one stay; null for ever."""


class ArchivedEnergy(Model):
    """What the channel-days of a flow come to."""

    flow: str
    """What was measured."""

    present: int
    """How many intervals have a value."""

    energy_wh: int
    """Their energy in Wh (varh of a reactive flow)."""


class ArchivedFile(Model):
    """A file of the archive, as it was written and must be."""

    name: str
    """Where it lies below the archive's directory."""

    rows: int
    """How many channel-days, or pieces of blocks, it has."""

    bytes: int
    """Its size in bytes."""

    sha256: str
    """The SHA-256 of its bytes, in hex."""


class ArchivedShard(Model):
    """A part of a month that has left the database: some meters' channel-days and blocks."""

    month_on: date
    """The first day of the month."""

    shard: int
    """Its number within the month."""

    meter_from: UUID
    """The first meter id that belongs to it."""

    meter_to: UUID
    """The last one."""

    generation: int
    """How often it was written: anew when something of it was recalled and archived again."""

    archived_at: AwareDatetime
    """When that was."""

    events: int
    """How many events of readings its blocks are of."""

    energy: list[ArchivedEnergy]
    """What its channel-days come to, by flow."""

    files: list[ArchivedFile]
    """Its channel-days and its blocks."""


class Channel(Model):
    """A flow that a meter measures, its interval length and the most an interval can carry."""

    flow: (
        Literal["import", "export", "load", "generation", "reactive_import", "reactive_export"]
        | str
    )
    """What is measured."""

    minutes: Literal[5, 10, 15, 30, 60]
    """The length of an interval in minutes."""

    interval_wh_max: int
    """The most energy of one interval, in Wh (varh); a block with more is refused."""

    start_at: AwareDatetime | None = None
    """
    From when on the meter measures the flow, in UTC; null for ever since. Nothing is expected
    before, so that nothing is missing.
    """

    end_at: AwareDatetime | None = None
    """Until when the meter measures the flow, in UTC; null while it does."""


class ChannelCompleteness(Model):
    """A channel's local days, one entry per day in every list."""

    meter_id: UUID
    """The meter."""

    flow: (
        Literal["import", "export", "load", "generation", "reactive_import", "reactive_export"]
        | str
    )
    """What is measured."""

    minutes: int
    """The length of an interval in minutes."""

    zone: str
    """The meter's zone."""

    expected: list[int]
    """How many intervals each day should have; 0 where the channel did not measure."""

    present: list[int]
    """How many of them have a value."""

    estimated: list[int]
    """How many of these are estimated."""

    substituted: list[int]
    """How many of these are substituted."""

    flagged: list[int]
    """How many rules speak of the day."""


class ChannelSelection(Model):
    """Which channels, and which local days."""

    model_config = ConfigDict(
        extra="forbid",
    )
    meter_ids: list[UUID]
    """The meters, each once."""

    flows: list[
        Literal["import", "export", "load", "generation", "reactive_import", "reactive_export"]
    ]
    """The flows; a meter that does not measure one has no row for it."""

    start_on: date
    """The first local day, on each meter's own clock."""

    end_on: date
    """The local day after the last one."""


class ChannelSummary(Model):
    """What the file has of one channel."""

    name: str
    """What the file calls it."""

    flow: (
        Literal["import", "export", "load", "generation", "reactive_import", "reactive_export"]
        | str
        | None
    )
    """What it measures, where the file says; the mapping says it otherwise."""

    minutes: int
    """The length of an interval, in minutes."""

    start_at: AwareDatetime | None
    """When its first interval starts, UTC; null where it has none."""

    end_at: AwareDatetime | None
    """When its last interval ends, UTC."""

    values: int
    """How many intervals have a value."""

    missing: int
    """How many intervals between the first and the last have none."""

    energy_wh: int
    """The sum of all values, in Wh (varh)."""


class DayCompleteness(Model):
    """
    How many intervals of a channel's local day are there, of those in which it measures, and
    which rules speak of it.
    """

    day: date
    """Local day"""

    flow: (
        Literal["import", "export", "load", "generation", "reactive_import", "reactive_export"]
        | str
    )
    """What is measured: `import`, `export`, `load` or `generation`"""

    expected: int
    """Number of intervals that there should be"""

    present: int
    """Number of intervals that have a value"""

    estimated: int
    """Number of estimated intervals"""

    substituted: int
    """Number of substituted intervals"""

    version: int
    """Version of the resource, from 1; its ETag"""

    recorded_at: AwareDatetime | None
    """When it was recorded, UTC"""

    flags: list[
        Literal[
            "spike",
            "physical_limit",
            "zero_run",
            "flat_run",
            "gap",
            "overlap",
            "back_feed",
            "dark_energy",
            "exchange_jump",
            "multiplier",
            "wrong_sign",
            "clock_drift",
            "repeated_hour",
            "unusual_use",
            "tamper",
            "register_sum",
        ]
        | str
    ]
    """The rules that speak of the day"""


class DayVerdict(Model):
    """A rule speaks of a channel's local day: what it measured, against which limit."""

    day: date
    """The local day."""

    flow: (
        Literal["import", "export", "load", "generation", "reactive_import", "reactive_export"]
        | str
    )
    """What is measured."""

    minutes: int
    """The length of an interval in minutes."""

    rule: (
        Literal[
            "spike",
            "physical_limit",
            "zero_run",
            "flat_run",
            "gap",
            "overlap",
            "back_feed",
            "dark_energy",
            "exchange_jump",
            "multiplier",
            "wrong_sign",
            "clock_drift",
            "repeated_hour",
            "unusual_use",
            "tamper",
            "register_sum",
        ]
        | str
    )
    """The rule."""

    value: float
    """What was measured, in the rule's unit."""

    limit: float
    """The limit that counted."""

    slot: int
    """The first interval of the day that it is about, from 0."""

    intervals: int
    """How many intervals it is about."""


class DeadLetter(Model):
    """A message that a consumer could not understand or store."""

    id: UUID
    """The resource's id (UUID)"""

    tenant_id: str | None
    """The tenant that the message names; null where it names none."""

    consumer: str
    """The consumer that gave it up: its service and topic."""

    topic: str
    """The topic that the message is on."""

    partition: int
    """The topic's partition that it is in."""

    offset: int
    """Its offset in the partition."""

    reason: str
    """Why it was given up, for people."""

    value_bytes: int
    """The length of its value, in bytes."""

    dead_at: AwareDatetime
    """When it was given up, UTC."""

    status: Literal["open", "replayed", "discarded"] | str
    """`open` until it is `replayed` or `discarded`."""

    replays: int
    """How often it was replayed, with success or without."""

    refused_because: str | None
    """Why the last replay that failed did."""

    resolved_at: AwareDatetime | None
    """When it was replayed or discarded, UTC."""

    resolved_by: str | None
    """The API key that did so, or `operator`."""

    discarded_because: str | None
    """The reason that was given for discarding it."""


class DeadLetterCount(Model):
    """Letters of one topic."""

    tenant_id: str
    """The tenant that they name, `-` where they name none."""

    topic: str
    """The topic that the messages are on."""

    open: int
    """Letters that nobody has replayed or discarded yet."""

    bytes: int
    """The length of their values together."""

    dropped: int
    """Letters that were never stored, because the tenant's quota was full."""

    expired: int
    """Letters that were deleted unresolved, because they were too old."""


class DeadLetterCounts(Model):
    """Letters by topic, as far as there are any."""

    items: list[DeadLetterCount]
    """The page's items"""


class DeadLetterWithValue(Model):
    """The same with all that the message has; a letter that is resolved has no value any more."""

    id: UUID
    """The resource's id (UUID)"""

    tenant_id: str | None
    """The tenant that the message names; null where it names none."""

    consumer: str
    """The consumer that gave it up: its service and topic."""

    topic: str
    """The topic that the message is on."""

    partition: int
    """The topic's partition that it is in."""

    offset: int
    """Its offset in the partition."""

    reason: str
    """Why it was given up, for people."""

    value_bytes: int
    """The length of its value, in bytes."""

    dead_at: AwareDatetime
    """When it was given up, UTC."""

    status: Literal["open", "replayed", "discarded"] | str
    """`open` until it is `replayed` or `discarded`."""

    replays: int
    """How often it was replayed, with success or without."""

    refused_because: str | None
    """Why the last replay that failed did."""

    resolved_at: AwareDatetime | None
    """When it was replayed or discarded, UTC."""

    resolved_by: str | None
    """The API key that did so, or `operator`."""

    discarded_because: str | None
    """The reason that was given for discarding it."""

    key: str | None
    """The message's key, as text."""

    headers: list[list[Any]]
    """The names and contents of the message's headers, as text."""

    value: Decimal | None
    """The message's value as text; what is not UTF-8 in it is replaced."""

    value_base64: str | None
    """The message's value, byte for byte, in Base64."""


class DeviceEvent(Model):
    """What a meter noted of itself."""

    id: UUID
    """The event."""

    meter_id: UUID
    """The meter."""

    kind: (
        Literal[
            "meter_cover_opened",
            "meter_cover_closed",
            "terminal_cover_opened",
            "terminal_cover_closed",
            "magnetic_field_detected",
            "magnetic_field_ended",
            "reverse_run_detected",
            "reverse_run_ended",
            "current_bypass_detected",
            "access_refused",
            "replay_attack",
            "power_outage",
            "power_restored",
            "phase_missing",
            "undervoltage",
            "overvoltage",
            "clock_set",
            "clock_invalid",
            "battery_low",
            "battery_replaced",
            "memory_error",
            "measurement_error",
            "watchdog_reset",
            "firmware_changed",
            "parameters_changed",
            "disconnected",
            "reconnected",
        ]
        | str
    )
    """What it noted."""

    severity: Literal["tamper", "warning", "info"] | str
    """Whether somebody was at the meter, somebody should look, or it is good to know."""

    happened_at: AwareDatetime
    """When, by the meter's clock, UTC."""

    detail: str
    """The device's own code or words."""

    source: str
    """Who sent it."""

    recorded_at: AwareDatetime
    """When it was stored, UTC."""


class Discard(Model):
    """Giving a letter up."""

    model_config = ConfigDict(
        extra="forbid",
    )
    reason: str
    """Why it is given up, for whoever looks later."""


class Energy(Model):
    """Energy of one flow; open is what no closed period carries."""

    flow: str
    """What is measured: `import`, `export`, `load` or `generation`"""

    stored_wh: int
    """Energy that is stored, in Wh"""

    closed_wh: int
    """Energy in closed periods, in Wh"""

    open_wh: int
    """Energy that is in no closed period yet, in Wh"""


class EstimatedDay(Model):
    """What was estimated of a channel's local day; it stays when actual values replace it."""

    meter_id: UUID
    """The meter."""

    flow: (
        Literal["import", "export", "load", "generation", "reactive_import", "reactive_export"]
        | str
    )
    """What is measured."""

    minutes: int
    """The length of an interval in minutes."""

    day: date
    """The local day."""

    methods: str
    """
    A letter for each interval: `L` straight line, `W` same weekday of earlier weeks, `G` profile
    of its group, `-` not estimated.
    """

    values: list[int | None]
    """What was estimated, in Wh or varh; null where nothing was."""

    made_at: AwareDatetime
    """When it was last estimated, UTC."""

    replaced: int
    """How many of these intervals have an actual value by now."""

    off_wh: int
    """By how much the estimates of those were too high, together."""

    absolute_off_wh: int
    """The same without regard to direction: the sum of what each was off."""


class EstimationSettings(Model):
    """How a tenant estimates what the periods of agreements with the policy `estimate` lack."""

    version: int
    """The ETag."""

    line_hours_max: int
    """The longest gap between two values that is a straight line, in hours."""

    days_max: int
    """Of how many earlier days of the same weekday the mean is taken."""

    holidays: str | None
    """Whose holidays count as Sundays: a country, or a part of one (`DE`, `DE-BY`)."""


class EventCounts(Model):
    """Events of readings, by their outcome."""

    received: int
    """Number of events received"""

    stored: int
    """Number of events that brought values"""

    duplicates: int
    """Number of events that brought nothing new"""

    quarantined: int
    """Number of events that are in quarantine"""

    pending: int
    """Number of events that wait for their meter to be registered"""

    dropped: int
    """Number of events that were dropped: pending for too long, or beyond the quota"""


class GreenButtonLayout(Model):
    """An ESPI file: it says all itself, in UTC."""

    model_config = ConfigDict(
        extra="forbid",
    )
    kind: Literal["green_button"] = "green_button"
    """Green Button (ESPI XML)."""


class Identity(Model):
    """The key that a request shows, as this service knows it."""

    tenant_id: str
    """The tenant that it belongs to"""

    key_id: str
    """The middle part of the API key `gt_<id>_<secret>`"""

    scopes: list[str]
    """What the key may do: `<service>:read` or `<service>:write`"""

    customer_id: UUID | None
    """The customer whose rows alone this request sees; null for all rows"""


class ImportRefusal(Model):
    """A block of the file that was not published, and why."""

    channel: str
    """The channel of the file."""

    start_at: AwareDatetime
    """When the block's first interval starts, UTC."""

    values: int
    """How many values it has."""

    reason: str
    """Why it was refused, for programs."""

    detail: str
    """Why it was refused, for people."""


class ItemResult(Model):
    """What became of one item."""

    index: int
    """Position in the request, from 0"""

    status: Literal["accepted", "refused"] | str
    """HTTP status, or the state of what is shown"""

    event_id: UUID | None = None
    """The event that it came with"""

    reason: str | None = None
    """Why, for programs"""

    detail: str | None = None
    """The reason, for people"""


class Key(Model):
    """A key as answers have it: without its hash."""

    tenant_id: str
    """The tenant that it belongs to"""

    key_id: str
    """The middle part of the API key `gt_<id>_<secret>`"""

    scopes: list[str]
    """What the key may do: `<service>:read` or `<service>:write`"""

    name: str
    """Name, for people"""

    customer_id: UUID | None
    """The customer whose rows alone the key sees; null for all rows"""

    created_at: AwareDatetime
    """When it was recorded, UTC"""

    revoked_at: AwareDatetime | None
    """When the key was revoked, UTC; null while it works"""


class MappedChannel(Model):
    """The meter and the flow that a channel of the file is."""

    model_config = ConfigDict(
        extra="forbid",
    )
    meter_id: UUID
    """The meter."""

    flow: (
        Literal["import", "export", "load", "generation", "reactive_import", "reactive_export"]
        | None
    ) = None
    """What it measures; null for the flow that the file says."""


class Meter(Model):
    """A meter as ingest knows it: as it was registered, in its first zone."""

    meter_id: UUID
    """The meter"""

    meter_type: str
    """What the meter is for at its property"""

    zone: str
    """IANA time zone, which local days and hours are told in"""

    channels: list[Channel]
    """The flows that the meter measures in intervals"""


class MethodAccuracy(Model):
    """How far a method's estimates of a meter were off, where actual values came later."""

    meter_id: UUID
    """The meter."""

    method: Literal["straight_line", "same_weekday", "group_profile"] | str
    """The method."""

    intervals: int
    """How many estimates were replaced by actual values."""

    actual_wh: int
    """What these intervals really had."""

    off_wh: int
    """By how much the estimates were too high, together."""

    absolute_off_wh: int
    """The sum of what each was off."""

    score: float | None
    """1 where each was right, 0 where they were off by as much as there was."""


class Nem12Layout(Model):
    """A NEM12 file: it says all itself, in the market's time."""

    model_config = ConfigDict(
        extra="forbid",
    )
    kind: Literal["nem12"] = "nem12"
    """NEM12."""


class NewAlertRules(Model):
    """A tenant's rules for alerts from now on, instead of those before."""

    model_config = ConfigDict(
        extra="forbid",
    )
    settings: list[AlertSetting]
    """What is on, off and limited otherwise than usual."""


class NewArchiveSettings(Model):
    """How long readings stay in the database from now on."""

    model_config = ConfigDict(
        extra="forbid",
    )
    months: int | None
    """
    So many whole months before the current one stay, the older ones go to the archive; null to
    archive no more. What is archived stays there and is answered as before.
    """


class NewBlock(Model):
    """
    A block of consecutive interval readings.

    `event_id` names the block: sent again under the same id it changes nothing, however late. Other
    values under that id go to quarantine (`event_id_reused`). Without an id each block is taken for
    what it says: values that are in force already are a duplicate, all others are a correction,
    also one back to earlier values. Of two blocks for the same intervals the one that was read
    later (`read_at`) counts, and of those that were read at once the one that came later. So a
    sender that repeats blocks long after it sent them gives them ids. A field that is not known is
    refused here, though a gateway's event may have it.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    meter_id: UUID
    """The meter that was read."""

    flow: Literal["import", "export", "load", "generation", "reactive_import", "reactive_export"]
    """What was measured."""

    start_at: AwareDatetime
    """When the first interval starts, in UTC; every other one follows without a gap."""

    minutes: int
    """The length of every interval, in minutes: 5, 10, 15, 30 or 60."""

    unit: str = "Wh"
    """The unit of the values: `Wh`, or `varh` of reactive flows; or `kWh` and `kvarh`, of which each value is a whole number of Wh: a number, or a decimal string."""

    values: list[int | float | str | None]
    """The energy of each interval in `unit`, in order; null where the meter has no value."""

    quality: Literal["actual", "estimated", "substituted"] = "actual"
    """What all values rest on."""

    source: str = ""
    """Where the values come from, for people: a gateway, a file."""

    read_at: AwareDatetime | None = None
    """
    When the meter was read, in UTC; where it is missing, `ce_time` stands for it. Of two values
    of the same quality for an interval, the one that was read later counts.
    """

    event_id: UUID | None = None


class NewBlocks(Model):
    """Several blocks."""

    items: list[NewBlock]


class NewDeviceEvent(Model):
    """
    What a meter noted of itself.

    `event_id` names an event of its `source`: sent again under the same id it changes nothing.
    Without one it is known by its meter, kind and instant. A field that is not known is refused
    here, though a gateway's message may have it.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    meter_id: UUID
    """The meter that noted it."""

    kind: Literal[
        "meter_cover_opened",
        "meter_cover_closed",
        "terminal_cover_opened",
        "terminal_cover_closed",
        "magnetic_field_detected",
        "magnetic_field_ended",
        "reverse_run_detected",
        "reverse_run_ended",
        "current_bypass_detected",
        "access_refused",
        "replay_attack",
        "power_outage",
        "power_restored",
        "phase_missing",
        "undervoltage",
        "overvoltage",
        "clock_set",
        "clock_invalid",
        "battery_low",
        "battery_replaced",
        "memory_error",
        "measurement_error",
        "watchdog_reset",
        "firmware_changed",
        "parameters_changed",
        "disconnected",
        "reconnected",
    ]
    """What it noted."""

    happened_at: AwareDatetime
    """When, by the meter's clock, in UTC."""

    detail: str = ""
    """The device's own code or words, for people."""

    event_id: str | None = None
    """What the source calls the event, a UUID or any other name, where it has one."""

    source: str = ""
    """Who sends it: a gateway, a head-end. Ids that are no UUIDs are those of their source."""


class NewDeviceEvents(Model):
    """Several events."""

    items: list[NewDeviceEvent]


class NewEstimationSettings(Model):
    """How a tenant estimates from now on."""

    model_config = ConfigDict(
        extra="forbid",
    )
    line_hours_max: int = 2
    """The longest gap between two values that is a straight line, in hours; 0 for none."""

    days_max: int = 4
    """Of how many earlier days of the same weekday the mean is taken, of the last six weeks."""

    holidays: str | None = None
    """Whose holidays count as Sundays: a country, or a part of one (`DE`, `DE-BY`)."""


class NewKey(Model):
    """A key to register."""

    model_config = ConfigDict(
        extra="forbid",
    )
    tenant_id: str
    """The tenant that it belongs to"""

    key_id: str
    """The middle part of the API key `gt_<id>_<secret>`"""

    secret_sha256: str
    """SHA-256 of the key's secret, in hexadecimal"""

    scopes: list[str]
    """What the key may do: `<service>:read` or `<service>:write`"""

    name: str
    """Name, for people"""

    customer_id: UUID | None = None
    """The customer whose rows alone the key sees; null for all rows"""


class PageOfAlert(Model):
    items: list[Alert]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""


class PageOfArchivedShard(Model):
    items: list[ArchivedShard]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""


class PageOfDeadLetter(Model):
    items: list[DeadLetter]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""


class PageOfDeviceEvent(Model):
    items: list[DeviceEvent]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""


class PageOfEstimatedDay(Model):
    items: list[EstimatedDay]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""


class PageOfKey(Model):
    items: list[Key]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""


class PageOfMethodAccuracy(Model):
    items: list[MethodAccuracy]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""


class PendingMeter(Model):
    """A meter that is not known, how many blocks are pending for it, and since when."""

    meter_id: UUID
    """The meter"""

    blocks: int
    """Number of blocks"""

    oldest_at: AwareDatetime
    """The earliest of them, UTC"""


class Period(Model):
    """
    A billing period of an agreement; the fields after `revision` are of its newest close.

    Of an open period `expected` and `present` are the intervals that make it complete, and those
    that are there now; null where its meter is not known.
    """

    agreement_id: UUID
    """The agreement"""

    meter_id: UUID
    """The meter"""

    start_on: date
    """First local day"""

    end_on: date
    """First local day that no longer belongs to it; null for no end"""

    state: Literal["open", "closed", "cancelled"] | str
    """The state"""

    late_since: AwareDatetime | None
    """When an open period ended, UTC; null for one that has not, or is closed"""

    revision: int
    """Which revision of the period this is, from 1"""

    closed_by: Literal["complete", "grace", "forced"] | str | None
    """What closed the period: `complete`, `grace` or `forced`"""

    closed_at: AwareDatetime | None
    """When the period was closed, UTC"""

    expected: int | None
    """Number of intervals that there should be"""

    present: int | None
    """Number of intervals that have a value"""

    energy_wh: dict[str, int] | None
    """Energy, in Wh"""

    digest: str | None
    """SHA-256 of the content, in hexadecimal"""


class PortfolioCompleteness(Model):
    """Channels in the order of `meter_ids`, over the local days from `start_on` on."""

    start_on: date
    """The first local day."""

    end_on: date
    """The local day after the last one."""

    channels: list[ChannelCompleteness]
    """The channels of the meters, of the flows that were asked for."""


class ProblemError(Model):
    """One thing that is wrong with a request: where, and what is expected there."""

    detail: str
    """What is expected."""

    pointer: str | None = None
    """Where in the body: a JSON pointer in a URI fragment, `#/components/3/rate`."""

    parameter: str | None = None
    """Where outside the body: `query/limit`, `path/meter_id` or `header/If-Match`."""


class ReadingsReceived(Model):
    """
    A block of consecutive interval readings as a gateway publishes it.

    The natural key of each value is (meter, flow, interval start, interval length): the same value
    again is a duplicate, another one a correction. `ce_id` names the message: the same again is a
    redelivery and changes nothing, so a correction back to earlier values has an id of its own;
    other values under the same id go to quarantine (`event_id_reused`). What is well formed but
    wrong (unit, negative, misaligned, unknown meter) goes there too, not to the dead letters.
    """

    meter_id: UUID
    """The meter that was read."""

    flow: (
        Literal["import", "export", "load", "generation", "reactive_import", "reactive_export"]
        | str
    )
    """What was measured."""

    start_at: AwareDatetime
    """When the first interval starts, in UTC; every other one follows without a gap."""

    minutes: int
    """The length of every interval, in minutes: 5, 10, 15, 30 or 60."""

    unit: str = "Wh"
    """The unit of the values: `Wh`, or `varh` of reactive flows; others are refused."""

    values: list[int | None]
    """The energy of each interval in `unit`, in order; null where the meter has no value."""

    quality: Literal["actual", "estimated", "substituted"] | str = "actual"
    """What all values rest on."""

    source: str = ""
    """Where the values come from, for people: a gateway, a file."""

    read_at: AwareDatetime | None = None
    """
    When the meter was read, in UTC; where it is missing, `ce_time` stands for it. Of two values
    of the same quality for an interval, the one that was read later counts.
    """


class RegisterException(Model):
    """
    The time from one reading of a register to the next that makes no energy; the values are
    what the register showed, in kWh.

    `decrease`: too little for a rollover, so one of the readings is wrong. `register_mismatch`: the
    readings are not of the same register. `too_old`: the first was taken before anything that is
    stored.
    """

    meter_id: UUID
    """The meter"""

    flow: (
        Literal["import", "export", "load", "generation", "reactive_import", "reactive_export"]
        | str
    )
    """What is measured: `import`, `export`, `load` or `generation`"""

    start_at: AwareDatetime
    """Start, included, UTC"""

    end_at: AwareDatetime
    """End, not included, UTC"""

    reason: Literal["decrease", "register_mismatch", "too_old"] | str
    """Why, for programs"""

    start_value: Decimal
    """What the register showed at the start, in kWh before the multiplier"""

    end_value: Decimal
    """What the register showed at the end, in kWh before the multiplier"""


class RegisterSum(Model):
    """What a register counted from one reading to the next, and the intervals of that time."""

    start_at: AwareDatetime
    """When the register was read first, UTC."""

    end_at: AwareDatetime
    """When it was read next, UTC."""

    counted_wh: float
    """What the register counted, through its multiplier, in Wh (varh)."""

    intervals_wh: float
    """The sum of the measured intervals; of one that a reading divides, its part by time."""

    missing: int
    """How many intervals have no measured value."""

    tolerance_wh: float
    """What the register's last decimal, and intervals that a reading divides, leave open."""

    percent: float | None
    """How far the two are apart beyond that, of the greater one; null where none is judged."""

    outcome: Literal["agrees", "differs", "not_judged"] | str
    """
    `differs` from the limit on; `not_judged` where an interval is missing, or there is too
    little energy to say anything.
    """


class RegisterSums(Model):
    """A channel's intervals against its register."""

    meter_id: UUID
    """The meter."""

    flow: (
        Literal["import", "export", "load", "generation", "reactive_import", "reactive_export"]
        | str
    )
    """What is measured."""

    limit: float
    """From how many percent on the two differ: the tenant's limit, or the usual one."""

    least_wh: float
    """The energy below which nothing is judged."""

    sums: list[RegisterSum]
    """The time between readings of the register, in order."""


class ReplayedBlock(Model):
    """A block that has left quarantine."""

    id: UUID
    """The resource's id (UUID)"""

    replayed_at: AwareDatetime
    """When it left quarantine, UTC; null while it is there"""


class RuleSetting(Model):
    """
    What becomes of readings of which a rule speaks, and from which limit on it does.

    Of the settings of one rule the one counts that names most of a channel.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    rule: Literal[
        "spike",
        "physical_limit",
        "zero_run",
        "flat_run",
        "gap",
        "overlap",
        "back_feed",
        "dark_energy",
        "exchange_jump",
        "multiplier",
        "wrong_sign",
        "clock_drift",
        "repeated_hour",
        "unusual_use",
        "tamper",
        "register_sum",
    ]
    """The rule."""

    action: Literal["off", "flag", "quarantine"]
    """`off`; `flag`: stored, with a verdict; `quarantine`: its blocks go there."""

    limit: float | None = None
    """From where on it speaks, in the rule's unit; the usual limit where it is left out."""

    least: float | None = None
    """The energy in Wh (or varh) below which it does not look; the rule's own where left out."""

    meter_type: str | None = None
    """Only for meters of this type."""

    flow: (
        Literal["import", "export", "load", "generation", "reactive_import", "reactive_export"]
        | None
    ) = None
    """Only for this flow; without it, for those that the rule is meant for."""


class Series(Model):
    """
    Columns of equal length: a value is null where nothing is there.

    `missing` counts the native intervals that are missing in each; `quality` has one letter for
    each, the worst of its parts, or `N` where the meter did not measure the flow at all; `verdicts`
    is what rules say of the days, as they are now.
    """

    meter_id: UUID
    """The meter"""

    flow: (
        Literal["import", "export", "load", "generation", "reactive_import", "reactive_export"]
        | str
    )
    """What is measured: `import`, `export`, `load` or `generation`"""

    zone: str
    """IANA time zone, which local days and hours are told in"""

    minutes: int
    """Length of every interval, in minutes"""

    resolution: str
    """Length of the steps"""

    known_at: AwareDatetime | None
    """As it was known at this instant, UTC"""

    starts_at: list[AwareDatetime]
    """When each interval starts, UTC"""

    values_wh: list[int | None]
    """Energy of each interval, in Wh; null where it is missing"""

    missing: list[int]
    """Number of intervals without a value"""

    quality: str
    """What the value rests on: actual, estimated, substituted or missing"""

    verdicts: list[DayVerdict]
    """What rules say of the days"""


class SeriesQuery(Model):
    """Which channels, which local days and at which resolution."""

    model_config = ConfigDict(
        extra="forbid",
    )
    meter_ids: list[UUID]
    """The meters, each once."""

    flows: list[
        Literal["import", "export", "load", "generation", "reactive_import", "reactive_export"]
    ]
    """The flows; a meter that does not measure one has no row for it."""

    start_on: date
    """The first local day, on each meter's own clock."""

    end_on: date
    """The local day after the last one."""

    resolution: Literal["native", "15", "30", "60", "1440"] = "native"
    """
    The length of an interval in minutes: each channel's own, or exact sums over whole intervals
    of the local day. A sum is null where a part of it is missing.
    """

    as_known_at: AwareDatetime | None = None
    """
    Answer from what had been received by this instant; null for what is there now. Much slower,
    since each day is made again of its blocks.
    """


class SeriesRow(Model):
    """A channel's series: a line of NDJSON, or a row of an Arrow record batch."""

    meter_id: UUID
    """The meter."""

    flow: (
        Literal["import", "export", "load", "generation", "reactive_import", "reactive_export"]
        | str
    )
    """What was measured."""

    zone: str
    """The meter's zone, whose midnights the series begins and ends at."""

    minutes: int
    """The length of an interval in minutes; of `1440` a local day, however long it is."""

    start_on: date
    """The first local day."""

    end_on: date
    """The local day after the last one."""

    values: list[int | None]
    """The energy of each interval in Wh (varh), in order; null where there is none."""

    quality: str
    """
    A letter for each value, the worst of its parts: `A` actual, `S` substituted, `E` estimated,
    `-` missing, `N` not measured by the meter.
    """


class ValidationRule(Model):
    """A rule that there is."""

    rule: (
        Literal[
            "spike",
            "physical_limit",
            "zero_run",
            "flat_run",
            "gap",
            "overlap",
            "back_feed",
            "dark_energy",
            "exchange_jump",
            "multiplier",
            "wrong_sign",
            "clock_drift",
            "repeated_hour",
            "unusual_use",
            "tamper",
            "register_sum",
        ]
        | str
    )
    """The rule."""

    meaning: str
    """What it measures."""

    unit: str
    """What its limit is in."""

    limit: float
    """The usual limit: it speaks from there on."""

    least: float
    """The energy in Wh (or varh) below which it does not look."""

    flows: list[
        Literal["import", "export", "load", "generation", "reactive_import", "reactive_export"]
        | str
    ]
    """The flows that it is meant for."""


class ValidationRules(Model):
    """A tenant's rules."""

    version: int
    """The ETag: how often they were changed."""

    settings: list[RuleSetting]
    """What the tenant has said. A rule that is not named is off."""

    rules: list[ValidationRule]
    """All rules that there are."""


class ValidationVerdict(Model):
    """A verdict, with its meter and since when it holds."""

    day: date
    """The local day."""

    flow: (
        Literal["import", "export", "load", "generation", "reactive_import", "reactive_export"]
        | str
    )
    """What is measured."""

    minutes: int
    """The length of an interval in minutes."""

    rule: (
        Literal[
            "spike",
            "physical_limit",
            "zero_run",
            "flat_run",
            "gap",
            "overlap",
            "back_feed",
            "dark_energy",
            "exchange_jump",
            "multiplier",
            "wrong_sign",
            "clock_drift",
            "repeated_hour",
            "unusual_use",
            "tamper",
            "register_sum",
        ]
        | str
    )
    """The rule."""

    value: float
    """What was measured, in the rule's unit."""

    limit: float
    """The limit that counted."""

    slot: int
    """The first interval of the day that it is about, from 0."""

    intervals: int
    """How many intervals it is about."""

    meter_id: UUID
    """The meter."""

    judged_at: AwareDatetime
    """When the day was last judged so, UTC."""

    cleared_at: AwareDatetime | None
    """When it ceased to hold (a correction, or the rule was turned off); null while it holds."""


class ValueColumn(Model):
    """A column of values: its name, what it is in, and what it measures, if that is known."""

    model_config = ConfigDict(
        extra="forbid",
    )
    column: str
    """Its name in the header, or `#3` for the third column."""

    unit: Literal["Wh", "kWh", "MWh", "W", "kW", "MW", "varh", "kvarh", "var", "kvar"] = "kWh"
    """What its values are in; of kW, W and the like the average power of each interval."""

    flow: (
        Literal["import", "export", "load", "generation", "reactive_import", "reactive_export"]
        | None
    ) = None
    """What it measures; the mapping of the channel may say it instead."""


class ValueCounts(Model):
    """
    Values of stored events: those that filled a gap (less those that were voided), changed
    another, changed nothing.
    """

    new: int
    """Number of values that were not there before"""

    corrected: int
    """Number of values that replaced others"""

    unchanged: int
    """Number of values that were there already"""


class AlertRules(Model):
    """A tenant's rules for alerts."""

    version: int
    """The ETag: how often they were changed."""

    settings: list[AlertSetting]
    """What the tenant has said. A kind that is not named is off."""

    kinds: list[AlertKindDescription]
    """All kinds that there are."""


class Completeness(Model):
    """Per local day and flow."""

    meter_id: UUID
    """The meter"""

    zone: str
    """IANA time zone, which local days and hours are told in"""

    days: list[DayCompleteness]
    """The rows, by local day"""


class CsvLayout(Model):
    """A table with a row for each interval, or one for each day with a column for each interval."""

    model_config = ConfigDict(
        extra="forbid",
    )
    kind: Literal["csv"] = "csv"
    """CSV, whatever separates its columns."""

    encoding: Literal["utf-8", "utf-16", "windows-1252"] = "utf-8"
    """How its text is encoded; a byte order mark is passed over."""

    separator: Literal[",", ";", "\t", "|"] = ","
    """What stands between columns."""

    decimal_mark: Literal[".", ","] = "."
    """What stands before decimals."""

    thousands_mark: Literal["", ".", ",", " ", "'"] = ""
    """What stands between thousands, if anything."""

    header_row: int = 1
    """
    The row that names the columns, counted from 1; rows above it are passed over. With 0 there
    is none, and columns are called #1, #2, …
    """

    footer_rows: int = 0
    """How many rows at the end are no intervals: totals, notes."""

    stamp_columns: list[str]
    """The column of date and time; or two, of the date and of the time."""

    stamp_form: str = "YYYY-MM-DDTHH:mm"
    """
    How date and time are written, the texts of two columns with a space between:
    `DD.MM.YYYY HH:mm`, `MM/DD/YYYY hh:mm AM`, `YYYY-MM-DDTHH:mm:ssZ` (Z: with an offset), `epoch`
    (seconds since 1970), `epoch_ms`.
    """

    stamps: Literal["start", "end"] = "start"
    """Whether they say when an interval starts or when it ends."""

    clock: str
    """
    The clock that they are on: an IANA zone, with its changes, `UTC`, or `+10:00` of a clock
    that never changes. Those with an offset of their own need none, but say what a day is.
    """

    minutes: int
    """The length of an interval."""

    shape: Literal["rows", "days"] = "rows"
    """A row for each interval, or one for each day."""

    values: list[ValueColumn]
    """The columns of values. Of days: those of one day in their order, which are one channel."""

    meter_column: str | None = None
    """The column that names the meter, where rows are of several."""

    flow_column: str | None = None
    """The column that names what is measured, where rows are of several flows."""

    quality_column: str | None = None
    """The column that says what a value rests on."""

    estimated_texts: list[str] = ["E", "Estimated", "estimated"]
    """What stands in it where the value is estimated; all others are actual."""


class Declaration(Model):
    """How a file is read, confirmed by whoever sends it, and what its channels are."""

    model_config = ConfigDict(
        extra="forbid",
    )
    layout: Annotated[CsvLayout | Nem12Layout | GreenButtonLayout, Field(discriminator="kind")]
    """How the file is laid out: as it was proposed, or changed."""

    mapping: Annotated[dict[str, MappedChannel], Field(max_length=10000)]
    """The meter of each channel, by the file's name of it."""

    left_out: list[str] = []
    """Channels that are not imported."""


class Import(Model):
    """
    An import of a file, and how far it has come.

    `proposed`: the layout waits to be confirmed. `unreadable`: no layout is recognized, or the file
    contradicts it; `detail` says why, and one can be declared. `running`: blocks are published.
    `done`: all are, but those in `refusals`. `undoing`, `undone`: they are withdrawn.
    """

    id: UUID
    """The resource's id (UUID)"""

    name: str
    """The file's name, for people."""

    zone: str
    """The IANA zone that its times were taken to be in, where it does not say."""

    sha256: str
    """SHA-256 of the file: the same file is the same import."""

    size_bytes: int
    """The file's size in bytes."""

    status: Literal["proposed", "unreadable", "running", "done", "undoing", "undone"] | str
    """The state of the import."""

    layout: CsvLayout | Nem12Layout | GreenButtonLayout | None
    """How the file is read: as declared, else as proposed; null where nothing is recognized."""

    notes: list[str]
    """What was taken for granted, a sentence each."""

    channels: list[ChannelSummary]
    """The channels of the file, read by the proposed layout."""

    detail: str | None
    """Why the file could not be read by the proposed layout."""

    blocks: int
    """How many blocks of readings the file makes, once it runs."""

    done: int
    """How many of them are published or refused; of one that is undone, withdrawn."""

    accepted: int
    """How many of them the broker has acknowledged."""

    refusals: list[ImportRefusal]
    """The first blocks that were refused, at most 1 000."""

    created_at: AwareDatetime
    """When it was recorded, UTC"""

    updated_at: AwareDatetime
    """When it was last changed, UTC"""


class ImportCheck(Model):
    """What would become of the file, as declared."""

    blocks: int
    """How many blocks of readings it makes."""

    values: int
    """How many values these have."""

    refused: int
    """How many blocks would be refused."""

    refusals: list[ImportRefusal]
    """The first of those, at most 1 000."""


class IntakeResult(Model):
    """What became of all items, in their order."""

    accepted: int
    """Number of items accepted"""

    refused: int
    """Number of items refused"""

    items: list[ItemResult]
    """The page's items"""


class NewValidationRules(Model):
    """A tenant's rules from now on, instead of those before."""

    model_config = ConfigDict(
        extra="forbid",
    )
    settings: list[RuleSetting]
    """What is on, off and limited otherwise than usual."""


class PageOfImport(Model):
    items: list[Import]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""


class PageOfPendingMeter(Model):
    items: list[PendingMeter]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""


class PageOfPeriod(Model):
    items: list[Period]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""


class PageOfRegisterException(Model):
    items: list[RegisterException]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""


class PageOfValidationVerdict(Model):
    items: list[ValidationVerdict]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""


class Problem(Model):
    """The body of an `application/problem+json` answer; `code` is for programs."""

    type: str = "about:blank"
    """A reference to the explanation of the code."""

    title: str
    """What the code means, in short."""

    status: int
    """The HTTP status."""

    detail: str
    """What is wrong this time, for people."""

    code: str
    """The kind of problem, for programs."""

    correlation_id: str
    """The id under which logs speak of this request."""

    errors: list[ProblemError] | None = None
    """What is wrong with the parts of the request."""


class QuarantinedBlock(Model):
    """A refused block, why it was refused, and when it was replayed, if it was."""

    id: UUID
    """The resource's id (UUID)"""

    event_id: UUID
    """The event that it came with"""

    reason: str
    """Why, for programs"""

    detail: str
    """The reason, for people"""

    recorded_at: AwareDatetime
    """When it was recorded, UTC"""

    replayed_at: AwareDatetime | None
    """When it left quarantine, UTC; null while it is there"""

    reading: ReadingsReceived


class Reconciliation(Model):
    """`counted` was added up in each transaction; `found` is read from the tables now."""

    holds: bool
    """Whether it holds"""

    counted: EventCounts
    found: EventCounts
    values: ValueCounts
    values_found: int
    """Number of values found in the tables"""

    closed_periods: int
    """Number of closed periods, each revision once"""

    energy: list[Energy]
    """The energy, by flow"""


class PageOfQuarantinedBlock(Model):
    items: list[QuarantinedBlock]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""
