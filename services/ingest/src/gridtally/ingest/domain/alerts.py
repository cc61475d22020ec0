"""Alerts: what is wrong with a meter now, and what becomes of its alerts by that.

What holds is a function of what is stored of the meter (its newest days, the verdicts on these,
its last readings) and of the instant, never of the messages that brought it. So neither their order
nor their repetition matters, and a check that is done twice changes nothing the second time.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Literal
from uuid import UUID

from gridtally.ingest.domain.alert_rules import KINDS, AlertKind, AlertRules
from gridtally.ingest.domain.meters import Channel, Meter, MeterKey
from gridtally.kernel.ids import derive_id
from gridtally.kernel.periods import local_date, midnight_utc

AlertKey = tuple[AlertKind, str]
"""The kind, and the flow of the channel; no flow for all channels of the meter together."""
Clearing = Literal["ended", "rule_off", "meter_removed"]
WHOLE_METER = ""
TAMPERED: AlertKey = ("tamper", WHOLE_METER)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OF_DAYS: tuple[AlertKind, ...] = tuple(kind.name for kind in KINDS.values() if kind.is_of_days)
TAMPERED_FOR = timedelta(days=7)
"""For how long an event of tampering is looked at: somebody has been there by then."""


@dataclass(frozen=True, slots=True)
class ObservedDay:
    """A stored day of a channel: whether all of its intervals are there, its energy in Wh, the
    verdicts that hold by their rules (what was measured), and the rules whose verdicts were
    cleared."""

    day: date
    is_whole: bool
    energy_wh: int = 0
    verdicts: Mapping[str, Decimal] = field(default_factory=dict)
    cleared: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ObservedChannel:
    """What is stored of a channel: its newest days (two at most, newest first), and until when it
    has actual readings. `is_read_by_register`: its energy is known from a register."""

    days: tuple[ObservedDay, ...] = ()
    read_until: datetime | None = None
    is_read_by_register: bool = False


@dataclass(frozen=True, slots=True)
class ObservedTampering:
    """Events of tampering that are stored of a meter: how many of the last days, when the first and
    the last of these happened, and how many there are of those that its open alert speaks of: of
    the last days when that was seen last, and since."""

    events: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None
    of_alert: int = 0


@dataclass(frozen=True, slots=True)
class ObservedMeter:
    """A meter as it is registered, None where it is no more, with its channels by flow; readings
    are waited for from `watched_from` on. `tampering` is None where nothing is stored of any."""

    meter: Meter | None
    channels: Mapping[str, ObservedChannel]
    watched_from: datetime
    tampering: ObservedTampering | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that is wrong now: since when, what was measured, against which limit, and on which
    local day, None where readings do not come."""

    since_at: datetime
    value: Decimal
    limit: Decimal
    day: date | None = None


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert as it is stored; it is open until `cleared_at`. `flow` is empty where it is about
    all channels of the meter; `number` counts those of its meter, kind and flow."""

    tenant_id: str
    id: UUID
    meter_id: UUID
    kind: AlertKind
    flow: str
    number: int
    since_at: datetime
    day: date | None
    value: Decimal
    worst_value: Decimal
    limit: Decimal
    raised_at: datetime
    seen_at: datetime
    correlation_id: str
    cleared_at: datetime | None = None
    reason: Clearing | None = None

    @property
    def key(self) -> AlertKey:
        """Which of its meter's it is."""
        return self.kind, self.flow


@dataclass(frozen=True, slots=True)
class Changes:
    """What becomes of alerts: new ones, those that go on, and those that end."""

    raised: tuple[Alert, ...] = ()
    touched: tuple[Alert, ...] = ()
    cleared: tuple[Alert, ...] = ()


@dataclass(frozen=True, slots=True)
class Findings:
    """What is wrong with a meter, of what nothing can be said (alerts of these go on), and when it
    is to be looked at again though nothing comes; None where no time matters."""

    conditions: Mapping[AlertKey, Condition]
    unknown: frozenset[AlertKey]
    look_at: datetime | None


def findings(
    observed: ObservedMeter, rules: AlertRules, latest: Mapping[AlertKey, Alert], now: datetime
) -> Findings:
    """What is wrong with a meter, by the rules of its tenant; `latest` are the newest alerts."""
    meter = observed.meter
    if meter is None or rules.is_off:
        return Findings({}, frozenset(), None)
    conditions: dict[AlertKey, Condition] = {}
    unknown: set[AlertKey] = set()
    for channel in meter.channels:
        days = observed.channels.get(channel.flow, ObservedChannel()).days
        for kind in OF_DAYS:
            limit = rules.limit(kind, meter.meter_type, channel.flow)
            if limit is None or (kind == "conservation" and not meter.is_derived):
                continue
            key = kind, channel.flow
            alert = latest.get(key)
            known_on = alert.day if alert is not None and alert.cleared_at is None else None
            condition = _of_days(meter.zone, kind, limit, days)
            if condition is not None:
                conditions[key] = condition
            elif _is_unjudged(kind, days, known_on):
                unknown.add(key)
    silences, look_at = _silences(observed, meter, rules, now)
    tampering, look_again_at = _tampering(observed, meter, rules, latest, now)
    if tampering is not None:
        conditions[TAMPERED] = tampering
    elif look_again_at is not None:
        unknown.add(TAMPERED)
    looks = [at for at in (look_at, look_again_at) if at is not None]
    return Findings(conditions | silences, frozenset(unknown), min(looks, default=None))


def _of_days(
    zone: str, kind: AlertKind, limit: Decimal, days: Sequence[ObservedDay]
) -> Condition | None:
    """What holds on the newest day, or on the one before it while the newest is not whole yet: that
    one shows what is wrong with it, and not yet that nothing is."""
    for observed in days:
        value = _measured(kind, observed)
        if value is not None and value >= limit:
            return Condition(midnight_utc(zone, observed.day), value, limit, observed.day)
        if observed.is_whole:
            return None
    return None


def _measured(kind: AlertKind, observed: ObservedDay) -> Decimal | None:
    if kind == "conservation":
        return Decimal(observed.energy_wh)
    values = [observed.verdicts[rule] for rule in KINDS[kind].rules if rule in observed.verdicts]
    return max(values, default=None)


def _is_unjudged(kind: AlertKind, days: Sequence[ObservedDay], known_on: date | None) -> bool:
    """Whether an open alert speaks of a day that is the newest still, and of which no verdict is
    stored: after a restore the alert is known from its topic, and the verdict from nowhere."""
    rules = set(KINDS[kind].rules)
    if known_on is None or not rules:
        return False
    if not days:
        return True
    return days[0].day <= known_on and not any(
        rules & (observed.verdicts.keys() | observed.cleared) for observed in days
    )


def _silences(
    observed: ObservedMeter, meter: Meter, rules: AlertRules, now: datetime
) -> tuple[dict[AlertKey, Condition], datetime | None]:
    """Channels, and the meter, from which nothing comes; and when to look again. A derived meter is
    not read, and of a channel that a register feeds nothing is waited for."""
    waited = {
        channel.flow: _waited_from(observed, channel)
        for channel in meter.channels
        if _is_waited_for(observed, channel, now) and not meter.is_derived
    }
    conditions: dict[AlertKey, Condition] = {}
    looks: list[datetime] = []

    def hold(kind: AlertKind, flow: str, since_at: datetime, unit: timedelta) -> None:
        limit = rules.limit(kind, meter.meter_type, flow or None)
        if limit is None:
            return
        value = Decimal((now - since_at) // unit)
        span = timedelta(seconds=int(limit * (unit // timedelta(seconds=1))))
        if now - since_at >= span:
            conditions[kind, flow] = Condition(since_at, max(value, limit), limit)
            looks.append(now + span)
        else:
            looks.append(since_at + span)

    for flow, since_at in waited.items():
        hold("missing_readings", flow, since_at, HOUR)
    if waited:
        read = [at for stored in observed.channels.values() if (at := stored.read_until)]
        hold("dead_meter", WHOLE_METER, max(read or waited.values()), DAY)
    return conditions, min(looks, default=None)


def _tampering(
    observed: ObservedMeter,
    meter: Meter,
    rules: AlertRules,
    latest: Mapping[AlertKey, Alert],
    now: datetime,
) -> tuple[Condition | None, datetime | None]:
    """Whether the meter was tampered with lately, and when the first event is no longer looked at.

    An instant without a condition says that nothing can be said until then: after a restore an open
    alert is known from its topic, and its events only once they are read again from theirs.
    """
    limit = rules.limit("tamper", meter.meter_type, None)
    if limit is None:
        return None, None
    seen = observed.tampering
    if seen is not None and seen.first_at and seen.last_at and seen.events >= limit:
        day = local_date(meter.zone, seen.last_at)
        condition = Condition(seen.first_at, Decimal(seen.events), limit, day)
        return condition, seen.first_at + TAMPERED_FOR
    alert = latest.get(TAMPERED)
    if alert is None or alert.cleared_at is not None:
        return None, None
    is_stored = seen is not None and seen.of_alert >= alert.value
    known_until = alert.seen_at + TAMPERED_FOR
    return None, known_until if not is_stored and now < known_until else None


def _is_waited_for(observed: ObservedMeter, channel: Channel, now: datetime) -> bool:
    if channel.end_at is not None and channel.end_at <= now:
        return False
    stored = observed.channels.get(channel.flow, ObservedChannel())
    return stored.read_until is not None or not stored.is_read_by_register


def _waited_from(observed: ObservedMeter, channel: Channel) -> datetime:
    stored = observed.channels.get(channel.flow, ObservedChannel())
    if stored.read_until is not None:
        return stored.read_until
    return max(filter(None, (observed.watched_from, channel.start_at)))


def changes(
    key: MeterKey,
    meter: Meter | None,
    rules: AlertRules,
    latest: Mapping[AlertKey, Alert],
    results: Findings,
    now: datetime,
    cause: str | None,
) -> Changes:
    """What becomes of a meter's alerts: `latest` has the newest of each kind and flow, open or not.

    `cause` is the correlation id of what made the meter be looked at; time has none.
    """
    raised, touched, cleared = [], [], []
    for alert_key, condition in results.conditions.items():
        alert = latest.get(alert_key)
        if alert is None or alert.cleared_at is not None:
            raised.append(_raise(key, alert_key, alert, condition, now, cause))
        else:
            touched.append(_touch(alert, condition, now))
    for alert_key, alert in latest.items():
        is_over = alert_key not in results.conditions and alert_key not in results.unknown
        if alert.cleared_at is None and is_over:
            reason = _clearing(meter, rules, alert)
            cleared.append(replace(alert, cleared_at=now, reason=reason))
    return Changes(tuple(raised), tuple(touched), tuple(cleared))


def _raise(
    key: MeterKey,
    alert_key: AlertKey,
    before: Alert | None,
    condition: Condition,
    now: datetime,
    cause: str | None,
) -> Alert:
    number = 1 if before is None else before.number + 1
    alert_id = derive_id("alert", *key, *alert_key, number)
    return Alert(
        tenant_id=key[0],
        id=alert_id,
        meter_id=key[1],
        kind=alert_key[0],
        flow=alert_key[1],
        number=number,
        since_at=condition.since_at,
        day=condition.day,
        value=condition.value,
        worst_value=condition.value,
        limit=condition.limit,
        raised_at=now,
        seen_at=now,
        correlation_id=cause or str(alert_id),
    )


def _touch(alert: Alert, condition: Condition, now: datetime) -> Alert:
    return replace(
        alert,
        day=condition.day,
        value=condition.value,
        worst_value=max(alert.worst_value, condition.value),
        limit=condition.limit,
        seen_at=now,
    )


def _clearing(meter: Meter | None, rules: AlertRules, alert: Alert) -> Clearing:
    if meter is None or (alert.flow and meter.channel(alert.flow) is None):
        return "meter_removed"
    if rules.limit(alert.kind, meter.meter_type, alert.flow or None) is None:
        return "rule_off"
    return "ended"


def spoken_of_from(latest: Mapping[AlertKey, Alert]) -> datetime | None:
    """From when on the events happened that an open alert of tampering speaks of."""
    alert = latest.get(TAMPERED)
    return alert.seen_at - TAMPERED_FOR if alert is not None and not alert.cleared_at else None


def newest_of(alerts: Iterable[Alert]) -> dict[MeterKey, dict[AlertKey, Alert]]:
    """Alerts by their meters, kinds and flows; of each the one with the highest number."""
    newest: dict[MeterKey, dict[AlertKey, Alert]] = {}
    for alert in sorted(alerts, key=lambda alert: alert.number):
        newest.setdefault((alert.tenant_id, alert.meter_id), {})[alert.key] = alert
    return newest
