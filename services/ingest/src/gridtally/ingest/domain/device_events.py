"""Events of devices: what meters noted of themselves, how grave it is, and which days it flags.

An event is known by its id, and by meter, kind and instant: the same again changes nothing. What is
refused is refused at once over HTTP, and is a dead letter from the broker.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from gridtally.ingest.domain.local_days import OLDEST_AT
from gridtally.ingest.domain.meters import Meter, MeterKey
from gridtally.ingest.domain.readings import DayKey
from gridtally.ingest.domain.validation import CLOCK_SKEW_MAX, Refusal
from gridtally.ingest.domain.validation_rules import RuleSet
from gridtally.kernel.device_events import SEVERITIES, DeviceEventKind, Severity
from gridtally.kernel.ids import derive_id
from gridtally.kernel.periods import ONE_DAY, local_date, midnight_utc
from gridtally.metering.validation.judge import Verdict
from gridtally.metering.validation.rules import RULE_NAMES

EVENT_ID_REUSED = Refusal(
    "event_id_reused",
    "another event of a device is stored under this id; an id names one event: send this one under "
    "an id of its own",
)
EVENTS_OF_DAY_MAX = 10_000
"""Events of a meter that are stored of a day (UTC); a meter that notes one each second for hours is
broken, and what it notes is counted and looked through again with each of its events."""
TOO_MANY_EVENTS = Refusal(
    "too_many_events",
    f"{EVENTS_OF_DAY_MAX} events of this meter are stored of that day (UTC), and no more are: look "
    "at the meter, or at what sends its events",
)
FLAGGED_DAYS = 31
"""Days before the registration of a meter, or of its channels, whose events flag them: for so long
may a meter be read before it is registered."""
_TAMPER = RULE_NAMES.index("tamper")


class NotedDay(NamedTuple):
    """A day, in UTC, of which a meter noted something."""

    tenant_id: str
    meter_id: UUID
    day: date


@dataclass(frozen=True, slots=True)
class DeviceEvent:
    """What a meter noted, as it is stored. `detail` is the device's own word for it."""

    tenant_id: str
    id: UUID
    meter_id: UUID
    kind: DeviceEventKind
    happened_at: datetime
    detail: str
    source: str
    correlation_id: str

    @property
    def severity(self) -> Severity:
        """How grave it is, which follows from its kind."""
        return SEVERITIES[self.kind]

    @property
    def content(self) -> tuple[UUID, DeviceEventKind, datetime]:
        """What makes it the same as another."""
        return self.meter_id, self.kind, self.happened_at

    @property
    def noted_day(self) -> NotedDay:
        """The day of its meter that it counts for."""
        return NotedDay(self.tenant_id, self.meter_id, self.happened_at.astimezone(UTC).date())

    @property
    def meter_key(self) -> MeterKey:
        """Whose it is."""
        return self.tenant_id, self.meter_id


class StoredEvent(NamedTuple):
    """What makes a stored event known: its id, and its content."""

    tenant_id: str
    id: UUID
    meter_id: UUID
    kind: DeviceEventKind
    happened_at: datetime


class FlaggedDay(NamedTuple):
    """A local day of a meter, between its midnights, on which it was tampered with."""

    tenant_id: str
    meter_id: UUID
    day: date
    start_at: datetime
    end_at: datetime


class Tampering(NamedTuple):
    """How often a meter was tampered with on a day, first when, and last when."""

    events: int
    first_at: datetime
    last_at: datetime


def content_id(tenant_id: str, meter_id: UUID, kind: DeviceEventKind, at: datetime) -> UUID:
    """The id of an event that came without one."""
    return derive_id("device_event", tenant_id, meter_id, kind, at.isoformat())


def check_instant(happened_at: datetime, now: datetime) -> Refusal | None:
    """Why an event of this instant is refused, if it is."""
    if happened_at > now + CLOCK_SKEW_MAX:
        return Refusal("future", f"it happened at {happened_at.isoformat()}, which is yet to come")
    if happened_at < OLDEST_AT:
        return Refusal("too_old", f"it happened at {happened_at.isoformat()}, before 2000")
    return None


def beyond_the_most(
    events: Sequence[DeviceEvent], stored: Mapping[NotedDay, int]
) -> set[DeviceEvent]:
    """Of new events those that are one too many of their meter and day; `stored` has how many there
    are already."""
    counts = dict(stored)
    beyond = set()
    for event in events:
        day = event.noted_day
        counts[day] = counts.get(day, 0) + 1
        if counts[day] > EVENTS_OF_DAY_MAX:
            beyond.add(event)
    return beyond


def needs_flags(meter: Meter, before: Meter | None) -> bool:
    """Whether a meter as it is registered has channels that its events have not flagged yet."""
    return before is None or (meter.meter_type, meter.channels) != (
        before.meter_type,
        before.channels,
    )


def recent_days(meters: Mapping[MeterKey, Meter], now: datetime) -> list[FlaggedDay]:
    """The last local days of meters, as they may have been tampered with."""
    days = []
    for key, meter in sorted(meters.items(), key=lambda item: item[0]):
        today = local_date(meter.zone, now)
        for number in range(FLAGGED_DAYS):
            day = today - number * ONE_DAY
            bounds = midnight_utc(meter.zone, day), midnight_utc(meter.zone, day + ONE_DAY)
            days.append(FlaggedDay(*key, day, *bounds))
    return days


def flagged_days(
    meters: Mapping[MeterKey, Meter], tampered: Collection[tuple[str, UUID, datetime]]
) -> list[FlaggedDay]:
    """The local days of known meters on which they were tampered with."""
    days = {
        (tenant_id, meter_id, local_date(meter.zone, at)): meter.zone
        for tenant_id, meter_id, at in tampered
        if (meter := meters.get((tenant_id, meter_id)))
    }
    return [
        FlaggedDay(*key, midnight_utc(zone, key[2]), midnight_utc(zone, key[2] + ONE_DAY))
        for key, zone in sorted(days.items(), key=lambda item: item[0])
    ]


def verdicts(
    meters: Mapping[MeterKey, Meter],
    rule_sets: Mapping[str, RuleSet],
    days: Sequence[FlaggedDay],
    tamperings: Mapping[int, Tampering],
) -> tuple[list[DayKey], list[Verdict]]:
    """What the rule `tamper` says of the channels' days: of the intervals from the first event of
    the day to the last. `tamperings` has the index of its day."""
    keys: list[DayKey] = []
    said: list[Verdict] = []
    for index, tampering in sorted(tamperings.items()):
        flagged = days[index]
        meter = meters[flagged.tenant_id, flagged.meter_id]
        rules = rule_sets.get(flagged.tenant_id)
        if rules is None:
            continue
        for channel in meter.channels:
            limit = rules.of_channel(meter.meter_type, channel.flow).limits[_TAMPER]
            if not tampering.events >= limit:  # which is not a number where the rule is off
                continue
            step = timedelta(minutes=channel.minutes)
            first = (tampering.first_at - flagged.start_at) // step
            last = (tampering.last_at - flagged.start_at) // step
            said.append(
                Verdict(len(keys), "tamper", tampering.events, limit, first, last - first + 1)
            )
            keys.append(DayKey(*flagged[:2], channel.flow, channel.minutes, flagged.day))
    return keys, said
