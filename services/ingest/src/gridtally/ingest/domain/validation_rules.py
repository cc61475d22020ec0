"""A tenant's rules for readings: which are on for which channels, and the batch that they judge.

Owns how settings are chosen and how merged channel-days become the columns that
`gridtally.metering.validation` judges. What a rule measures is that package's.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Literal, Self
from uuid import UUID

import numpy as np

from gridtally.ingest.domain.merge import ACTUAL, MISSING, Days, Index
from gridtally.ingest.domain.meters import Meter, MeterKey
from gridtally.ingest.domain.readings import ChannelKey, DayKey, DayPieces
from gridtally.ingest.domain.validation import Refusal
from gridtally.kernel.periods import ONE_DAY, midnight_utc, zone_named
from gridtally.metering.validation.batch import ChannelDays
from gridtally.metering.validation.history import Histories
from gridtally.metering.validation.judge import Limits, Verdict
from gridtally.metering.validation.rules import JUDGED_ELSEWHERE, RULE_NAMES, RULES, RuleName

Action = Literal["off", "flag", "quarantine"]
"""What becomes of readings of which a rule speaks: nothing, a verdict, or a verdict and quarantine
for the blocks of the batch that brought them."""
OPPOSITES = {"import": "export", "export": "import", "load": "generation", "generation": "load"}
HistoryKey = tuple[str, UUID, str, int]
"""Tenant, meter, flow and minutes."""


@dataclass(frozen=True, slots=True)
class RuleSetting:
    """What a tenant says of a rule: for all channels that the rule is for, or for those of a type
    of meters, of a flow, or of both. Without `limit` and `least` the rule's own count."""

    rule: RuleName
    action: Action
    limit: float | None = None
    least: float | None = None
    meter_type: str | None = None
    flow: str | None = None

    @classmethod
    def of_decimal(
        cls,
        rule: RuleName,
        action: Action,
        limit: Decimal,
        meter_type: str | None,
        flow: str | None,
    ) -> Self:
        """A setting whose limit is a decimal, as those of alerts are."""
        return cls(rule, action, float(limit), None, meter_type, flow)

    @property
    def precedence(self) -> int:
        """The higher one counts: what names more of a channel, and a flow before a type."""
        return 2 * (self.flow is not None) + (self.meter_type is not None)

    def is_for(self, meter_type: str, flow: str) -> bool:
        """Whether it is about such a channel."""
        flows = (self.flow,) if self.flow else RULES[self.rule].flows
        return flow in flows and self.meter_type in (None, meter_type)


@dataclass(frozen=True, slots=True)
class ChannelRules:
    """What counts for one kind of channel; one entry per rule, NaN as the limit of one that is off.

    `quarantines` are the rules whose blocks go to quarantine.
    """

    limits: tuple[float, ...]
    least: tuple[float, ...]
    quarantines: frozenset[RuleName]


@dataclass(frozen=True, slots=True)
class RuleSet:
    """A tenant's settings, in the version that they have.

    `of_alerts` are those that its rules for alerts need; whatever it says itself counts for more.
    """

    settings: tuple[RuleSetting, ...]
    version: int
    of_alerts: tuple[RuleSetting, ...] = ()
    kinds: dict[tuple[str, str], ChannelRules] = field(default_factory=dict, compare=False)

    @property
    def is_off(self) -> bool:
        """Whether no rule is on for any channel."""
        return not self.names_on

    @property
    def names_on(self) -> frozenset[RuleName]:
        """The rules that are on for some channels."""
        of_all = {own.rule for own in self.settings if own.meter_type is None and own.flow is None}
        counting = (*self.settings, *(own for own in self.of_alerts if own.rule not in of_all))
        return frozenset(setting.rule for setting in counting if setting.action != "off")

    def of_channel(self, meter_type: str, flow: str) -> ChannelRules:
        """What counts for channels of this flow of such meters."""
        known = self.kinds.get((meter_type, flow))
        if known is None:
            known = self.kinds[meter_type, flow] = self._channel_rules(meter_type, flow)
        return known

    def _channel_rules(self, meter_type: str, flow: str) -> ChannelRules:
        chosen: dict[RuleName, RuleSetting] = {}
        for settings in (self.of_alerts, self.settings):
            for setting in sorted(settings, key=lambda setting: setting.precedence):
                if setting.is_for(meter_type, flow):
                    chosen[setting.rule] = setting
        return _channel_rules(chosen)


def _channel_rules(chosen: Mapping[RuleName, RuleSetting]) -> ChannelRules:
    limits, least = [], []
    for name in RULE_NAMES:
        rule, setting = RULES[name], chosen.get(name, RuleSetting(name, "off"))
        limit = rule.limit if setting.limit is None else setting.limit
        limits.append(float("nan") if setting.action == "off" else limit)
        least.append(rule.least if setting.least is None else setting.least)
    quarantines = {name for name, setting in chosen.items() if setting.action == "quarantine"}
    return ChannelRules(tuple(limits), tuple(least), frozenset(quarantines))


@dataclass(frozen=True, slots=True)
class MergedBatch:
    """A batch of blocks as it was merged: the days before and after, and which of them changed."""

    pieces: DayPieces
    before: Days
    after: Days
    changed: Index


@dataclass(frozen=True, slots=True)
class JudgedDays:
    """The channel-days that are judged, in the order of their channels and days.

    `indexes` are theirs in the batch; `history_keys` the channels' and then those of opposite
    flows, whose histories some rules look at; `rules` one entry per day.
    """

    keys: list[DayKey]
    indexes: Index
    history_keys: list[HistoryKey]
    channels: Index
    opposites: Index
    rules: list[ChannelRules]
    meters: list[Meter]


def flaws(settings: Sequence[RuleSetting]) -> list[str]:
    """What makes no sense in settings, for people."""
    return [
        f"settings/{number}: {setting.rule} speaks of readings that are stored, which stay what "
        "they are: flag them"
        for number, setting in enumerate(settings)
        if setting.rule in JUDGED_ELSEWHERE and setting.action == "quarantine"
    ]


def choose_days(
    batch: MergedBatch, meters: Mapping[MeterKey, Meter], rule_sets: Mapping[str, RuleSet]
) -> JudgedDays | None:
    """The changed days of tenants that have rules; None where there are none."""
    keys = batch.pieces.keys
    indexes = sorted(
        (index for index in batch.changed.tolist() if keys[index].tenant_id in rule_sets),
        key=lambda index: (keys[index].tenant_id, keys[index].meter_id.int, *keys[index][2:]),
    )
    if not indexes:
        return None
    channels: dict[HistoryKey, int] = {}
    of_days = [channels.setdefault(keys[index][:4], len(channels)) for index in indexes]
    own = list(channels)
    for tenant_id, meter_id, flow, minutes in own:
        if flow in OPPOSITES:
            channels.setdefault((tenant_id, meter_id, OPPOSITES[flow], minutes), len(channels))
    opposites = [
        channels[(key[0], key[1], OPPOSITES[key[2]], key[3])] if key[2] in OPPOSITES else -1
        for key in own
    ]
    chosen = [keys[index] for index in indexes]
    of_meters = [meters[key.tenant_id, key.meter_id] for key in chosen]
    rules = [
        rule_sets[key.tenant_id].of_channel(meter.meter_type, key.flow)
        for key, meter in zip(chosen, of_meters, strict=True)
    ]
    channel_of_days = np.array(of_days, np.int64)
    return JudgedDays(
        chosen,
        np.array(indexes, np.int64),
        list(channels),
        channel_of_days,
        np.array(opposites, np.int64)[channel_of_days],
        rules,
        of_meters,
    )


def columns(
    judged: JudgedDays, batch: MergedBatch, exchanged: Mapping[ChannelKey, date]
) -> tuple[ChannelDays, Limits]:
    """The days in columns, and the limits of their kinds. Only actual values are judged: what was
    estimated shows nothing of the meter."""
    kinds: dict[int, int] = {}
    of_days = [kinds.setdefault(id(rules), len(kinds)) for rules in judged.rules]
    by_kind = {id(rules): rules for rules in judged.rules}
    slots = batch.after.slots[judged.indexes]
    begins = np.cumsum(slots) - slots
    inside = np.repeat(batch.after.begins[judged.indexes] - begins, slots) + np.arange(slots.sum())
    values = np.where(
        batch.after.quality[inside] == ACTUAL, batch.after.values[inside], MISSING
    ).astype(np.int32)
    keys = judged.keys
    days = ChannelDays(
        channels=judged.channels,
        ordinals=_index(key.day.toordinal() for key in keys),
        minutes=_index(key.minutes for key in keys),
        slots=slots,
        begins=begins,
        values=values,
        kinds=_index(of_days),
        is_rest=np.array([key.day.weekday() > 4 for key in keys], np.bool_),
        maxima=np.array(
            [_maximum(meter, key) for meter, key in zip(judged.meters, keys, strict=True)]
        ),
        repeated=_index(
            repeated_slot(meter.zone, key.minutes, key.day)
            for meter, key in zip(judged.meters, keys, strict=True)
        ),
        overlaps=overlaps(batch)[judged.indexes],
        exchanged=_index(
            day.toordinal() if (day := exchanged.get((key[0], key[1], key[2]))) else 0
            for key in keys
        ),
        has_generation=np.array(
            [meter.channel("generation") is not None for meter in judged.meters], np.bool_
        ),
        opposites=judged.opposites,
    )
    rows = [by_kind[kind] for kind in kinds]
    return days, Limits(
        np.array([rules.limits for rules in rows]), np.array([rules.least for rules in rows])
    )


def _index(numbers: Iterable[int]) -> Index:
    return np.fromiter(numbers, np.int64)


def _maximum(meter: Meter, key: DayKey) -> float:
    channel = meter.channel(key.flow)
    return float(channel.interval_wh_max) if channel else float("inf")


@lru_cache(maxsize=65_536)
def repeated_slot(zone: str, minutes: int, day: date) -> int:
    """The slot with which the clocks begin to show a part of the local day for the second time; -1
    on days that have no such part."""
    begin_at, end_at = midnight_utc(zone, day), midnight_utc(zone, day + ONE_DAY)
    if end_at - begin_at <= ONE_DAY:
        return -1
    local, step = zone_named(zone), timedelta(minutes=minutes)
    shown = [
        (begin_at + index * step).astimezone(local).replace(tzinfo=None)
        for index in range((end_at - begin_at) // step)
    ]
    backward = [index for index in range(1, len(shown)) if shown[index] <= shown[index - 1]]
    return backward[0] if backward else -1


def overlaps(batch: MergedBatch) -> Index:
    """For each day of the batch in how many intervals its new pieces differ from what was there,
    of those pieces that also fill intervals: others are corrections, which cover what they mean."""
    pieces, before = batch.pieces.pieces, batch.before
    counts = np.zeros(before.slots.size, np.int64)
    if not (before.values != MISSING).any():
        return counts
    owner = np.repeat(np.arange(pieces.counts.size), pieces.counts)
    within = np.arange(pieces.values.size) - pieces.begins[owner]
    was = before.values[(before.begins[pieces.days] + pieces.slots)[owner] + within]
    has = pieces.values != MISSING
    size = pieces.counts.size
    fills = np.bincount(owner[has & (was == MISSING)], minlength=size)
    differs = np.bincount(owner[has & (was != MISSING) & (was != pieces.values)], minlength=size)
    np.add.at(counts, pieces.days, np.where(fills > 0, differs, 0))
    return counts


@dataclass(frozen=True, slots=True)
class JudgedBatch:
    """What the rules say of a batch: the days that were judged, the verdicts on them (whose `day`
    is an index of `days.keys`), and what is remembered of the first channels of `history_keys`."""

    days: JudgedDays | None = None
    verdicts: list[Verdict] = field(default_factory=list)
    histories: Histories | None = None

    def refused(self, pieces: DayPieces) -> dict[int, Refusal]:
        """The blocks of the batch that are quarantined: those with a part in the intervals of a
        verdict whose rule wants it so."""
        if self.days is None:
            return {}
        refused: dict[int, Refusal] = {}
        for verdict in self.verdicts:
            if verdict.rule not in self.days.rules[verdict.day].quarantines:
                continue
            day = int(self.days.indexes[verdict.day])
            columns_ = pieces.pieces
            ends = columns_.slots + columns_.counts
            touches = (columns_.days == day) & (columns_.slots < verdict.slot + verdict.count)
            touches &= ends > verdict.slot
            for piece in np.flatnonzero(touches).tolist():
                refused.setdefault(
                    pieces.blocks[piece], refusal(verdict, self.days.keys[verdict.day])
                )
        return refused


def refusal(verdict: Verdict, key: DayKey) -> Refusal:
    """Why a block was quarantined, with what was measured and the limit."""
    rule = RULES[verdict.rule]
    return Refusal(
        verdict.rule,
        f"{key.day.isoformat()}: {verdict.value:g} {rule.unit}, and the limit is "
        f"{verdict.limit:g} ({rule.meaning}); replay the block if it is right",
    )
