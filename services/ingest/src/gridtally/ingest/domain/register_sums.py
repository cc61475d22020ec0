"""Sums of intervals against registers: which registers are looked at, and which days are flagged.

How the two are compared is `gridtally.metering.validation.register_sums`'. A span is flagged on the
local day on which it ends: the reading at its end is what shows it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from math import isnan
from typing import Literal

import numpy as np

from gridtally.ingest.domain.local_days import OLDEST_AT
from gridtally.ingest.domain.merge import ACTUAL, MISSING
from gridtally.ingest.domain.meters import Channel, Meter
from gridtally.ingest.domain.readings import DayKey
from gridtally.ingest.domain.registers import RegisterKey
from gridtally.ingest.domain.series import StoredDays
from gridtally.ingest.domain.validation_rules import ChannelRules
from gridtally.kernel.periods import ONE_DAY, local_date, midnight_utc, slots_in_day
from gridtally.metering.intervals import edges_around
from gridtally.metering.readings import RegisterReading
from gridtally.metering.validation.judge import Verdict
from gridtally.metering.validation.register_sums import (
    RegisterSpan,
    SumCheck,
    compare,
    register_spans,
)
from gridtally.metering.validation.rules import RULE_NAMES, RULES

Outcome = Literal["agrees", "differs", "not_judged"]
_COLUMN = RULE_NAMES.index("register_sum")
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class CheckedRegister:
    """A register of which something between two moments has changed: a reading, or an interval."""

    key: RegisterKey
    from_at: datetime
    to_at: datetime


def spans_of(readings: Sequence[RegisterReading]) -> list[RegisterSpan]:
    """What the register counted from each reading to the next."""
    return register_spans(readings, OLDEST_AT)


def days_of(zone: str, spans: Sequence[RegisterSpan]) -> tuple[date, date]:
    """The local days that spans, at least one, lie in, half-open."""
    last = local_date(zone, spans[-1].end_at - _MICROSECOND)
    return local_date(zone, spans[0].start_at), last + ONE_DAY


def ended_days(
    zone: str, checked: CheckedRegister, spans: Sequence[RegisterSpan]
) -> tuple[date, date]:
    """The local days, half-open, on which spans end that a change concerns; those of the change
    itself too, since spans may have ended with a reading that is withdrawn."""
    moments = [checked.from_at, checked.to_at, *(span.end_at for span in spans)]
    last = local_date(zone, max(moments) - _MICROSECOND)
    return local_date(zone, min(moments) - _MICROSECOND), last + ONE_DAY


def register_on(zone: str, checked: CheckedRegister, days: tuple[date, date]) -> CheckedRegister:
    """The same register between the moments at which the spans of these days may end: the first one
    after a midnight, and the last midnight itself."""
    start_at, end_at = (midnight_utc(zone, day) for day in days)
    return CheckedRegister(checked.key, start_at + _MICROSECOND, end_at)


def ended_between(checked: CheckedRegister, spans: Sequence[RegisterSpan]) -> list[RegisterSpan]:
    """The spans that end between two moments, both of them included."""
    return [span for span in spans if checked.from_at <= span.end_at <= checked.to_at]


def intervals_of(channel: Channel, spans: Sequence[RegisterSpan]) -> int:
    """About how many intervals of the channel spans, in their order, lie over."""
    if not spans:
        return 0
    return (spans[-1].end_at - spans[0].start_at) // timedelta(minutes=channel.minutes)


def checks(
    zone: str, channel: Channel, spans: Sequence[RegisterSpan], days: StoredDays
) -> list[SumCheck]:
    """Hold spans against the stored days of the channel, of which measured values count alone."""
    if not spans:
        return []
    first, end = days_of(zone, spans)
    values = []
    for ordinal in range(first.toordinal(), end.toordinal()):
        day = date.fromordinal(ordinal)
        stored = days.get(day)
        if stored is None:
            values.append(np.full(slots_in_day(zone, day, channel.minutes), MISSING, np.int64))
        else:
            values.append(np.where(stored[1] == ACTUAL, stored[0], MISSING).astype(np.int64))
    last_at = midnight_utc(zone, end) - _MICROSECOND
    edges = edges_around(zone, channel.minutes, midnight_utc(zone, first), last_at)
    return compare(spans, edges, np.concatenate(values))


def limit_of(rules: ChannelRules) -> float:
    """From how many percent on the rule speaks; not a number where it is off."""
    return rules.limits[_COLUMN]


def least_of(rules: ChannelRules) -> float:
    """The energy below which the rule does not look, in Wh (varh)."""
    return rules.least[_COLUMN]


def with_usual_limit(rules: ChannelRules) -> ChannelRules:
    """The same with the usual limit where the rule is off: what differs does so for everybody."""
    if not isnan(limit_of(rules)):
        return rules
    limits = (*rules.limits[:_COLUMN], RULES["register_sum"].limit, *rules.limits[_COLUMN + 1 :])
    return replace(rules, limits=limits)


def outcome_of(check: SumCheck, rules: ChannelRules) -> Outcome:
    """What is to be said of a span; nothing differs where the rule is off."""
    if check.percent is None:
        return "not_judged"
    if max(check.intervals_wh, check.span.counted_wh) < least_of(rules):
        return "not_judged"
    return "differs" if check.percent >= limit_of(rules) else "agrees"


def verdicts(
    key: RegisterKey,
    meter: Meter,
    channel: Channel,
    rules: ChannelRules,
    judged: Sequence[SumCheck],
) -> tuple[list[DayKey], list[Verdict]]:
    """What the rule says of the days on which spans end; of several on a day the worst."""
    limit = limit_of(rules)
    worst: dict[date, SumCheck] = {}
    for check in judged:
        if outcome_of(check, rules) != "differs" or check.percent is None:
            continue
        day = local_date(meter.zone, check.span.end_at - _MICROSECOND)
        known = worst.get(day)
        if known is None or known.percent is None or check.percent > known.percent:
            worst[day] = check
    keys: list[DayKey] = []
    said: list[Verdict] = []
    step = timedelta(minutes=channel.minutes)
    for day, check in sorted(worst.items(), key=lambda item: item[0]):
        begin_at = midnight_utc(meter.zone, day)
        first = max((check.span.start_at - begin_at) // step, 0)
        last = (check.span.end_at - _MICROSECOND - begin_at) // step
        assert check.percent is not None  # noqa: S101 - those without are left out above
        said.append(
            Verdict(len(keys), "register_sum", check.percent, limit, first, last - first + 1)
        )
        keys.append(DayKey(*key, channel.minutes, day))
    return keys, said
