"""Sums of intervals against registers: what is judged, and which day is flagged."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from math import isnan
from uuid import UUID

import numpy as np
import pytest

from gridtally.ingest.domain.merge import ACTUAL, MISSING
from gridtally.ingest.domain.meters import Channel, Meter
from gridtally.ingest.domain.register_sums import (
    CheckedRegister,
    checks,
    days_of,
    ended_between,
    ended_days,
    intervals_of,
    limit_of,
    outcome_of,
    register_on,
    spans_of,
    verdicts,
    with_usual_limit,
)
from gridtally.ingest.domain.validation_rules import RuleSet, RuleSetting, flaws
from gridtally.kernel.periods import midnight_utc, slots_in_day
from gridtally.metering.readings import RegisterReading

ZONE = "Europe/Berlin"
KEY = ("acme", UUID(int=7), "import")
CHANNEL = Channel("import", 60, 100_000)
METER = Meter(UUID(int=7), "total", ZONE, (CHANNEL,))
SUNDAY = date(2025, 3, 30)  # of 23 hours
HOUR = timedelta(hours=1)


def rules(*settings):
    return RuleSet(settings, 1).of_channel("total", "import")


ON = rules(RuleSetting("register_sum", "flag"))


def read(at, value, decimals=3):
    return RegisterReading(at, at, "reading", Decimal(value), 6, Decimal(1), decimals=decimals)


def days(count, wh=100, *, gap=None, estimated=None):
    """Whole days of one value, from Saturday on; one hour missing or estimated."""
    stored = {}
    for number in range(count):
        day = SUNDAY + timedelta(days=number - 1)
        slots = slots_in_day(ZONE, day, 60)
        values = np.full(slots, wh, np.int32)
        quality = np.full(slots, ACTUAL, np.uint8)
        if gap == number:
            values[5], quality[5] = MISSING, ord("-")
        if estimated == number:
            quality[5] = ord("E")
        stored[day] = (values, quality)
    return stored


SATURDAY_AT = midnight_utc(ZONE, SUNDAY - timedelta(days=1))
MONDAY_AT = midnight_utc(ZONE, SUNDAY + timedelta(days=1))


@pytest.mark.parametrize(
    ("kwh", "stored", "outcome"),
    [
        ("4.7", days(2), "agrees"),  # 24 and 23 hours
        ("4.73", days(2), "agrees"),  # 0.6 percent
        ("4.8", days(2), "differs"),
        ("4.7", days(2, gap=1), "not_judged"),
        ("4.7", days(2, estimated=0), "not_judged"),
        ("4.7", days(1), "not_judged"),  # nothing is stored of the second day
        ("4.7", {}, "not_judged"),
        ("0.3", days(2, wh=10), "not_judged"),  # too little energy
    ],
)
def test_measured_intervals_are_held_against_the_register(kwh, stored, outcome):
    spans = spans_of([read(SATURDAY_AT, 10), read(MONDAY_AT, Decimal(kwh) + 10)])
    assert days_of(ZONE, spans) == (SUNDAY - timedelta(days=1), SUNDAY + timedelta(days=1))
    [check] = checks(ZONE, CHANNEL, spans, stored)
    assert outcome_of(check, ON) == outcome
    keys, said = verdicts(KEY, METER, CHANNEL, ON, [check])
    if outcome != "differs":
        assert (keys, said) == ([], [])
        return
    [key], [verdict] = keys, said
    assert (*key,) == (*KEY, 60, SUNDAY)
    assert (verdict.rule, verdict.limit, verdict.slot, verdict.count) == ("register_sum", 1, 0, 23)
    assert verdict.value == pytest.approx(100 * 99 / 4800, abs=1e-3)


def test_of_the_spans_of_a_day_the_worst_one_flags_its_own_intervals():
    at = midnight_utc(ZONE, SUNDAY)
    shown = [
        read(at, 0),
        read(at + 6 * HOUR, "0.7"),
        read(at + 12 * HOUR, 2),
        read(MONDAY_AT, "3.1"),
    ]
    compared = checks(ZONE, CHANNEL, spans_of(shown), days(2))
    assert [outcome_of(check, ON) for check in compared] == ["differs", "differs", "agrees"]
    [key], [verdict] = verdicts(KEY, METER, CHANNEL, ON, compared)
    assert (key.day, verdict.slot, verdict.count) == (SUNDAY, 6, 6)


def test_nothing_differs_where_the_rule_is_off_unless_the_usual_limit_is_asked_for():
    off = rules()
    spans = spans_of([read(SATURDAY_AT, 10), read(MONDAY_AT, 20)])
    [check] = checks(ZONE, CHANNEL, spans, days(2))
    assert isnan(limit_of(off))
    assert (outcome_of(check, off), outcome_of(check, with_usual_limit(off))) == (
        "agrees", "differs"
    )  # fmt: skip
    own = rules(RuleSetting("register_sum", "flag", 80))
    assert with_usual_limit(own) is own
    assert outcome_of(check, own) == "agrees"
    assert checks(ZONE, CHANNEL, [], {}) == []
    assert flaws([RuleSetting("register_sum", "quarantine")])


def test_a_decimal_of_the_register_is_not_held_against_it():
    coarse = [read(SATURDAY_AT, 10, 0), read(MONDAY_AT, 14, 0)]
    [check] = checks(ZONE, CHANNEL, spans_of(coarse), days(2))
    assert (check.tolerance_wh, check.percent) == (1000, 0)
    assert datetime(2025, 3, 28, 23, tzinfo=UTC) == SATURDAY_AT


@pytest.mark.parametrize(
    ("zone", "change", "reads", "days", "ends"),
    [
        # The day before the reading at a midnight, and the days of the next one and of none before.
        (ZONE, (MONDAY_AT, MONDAY_AT), (SATURDAY_AT, MONDAY_AT, MONDAY_AT + 30 * HOUR),
         (SUNDAY, date(2025, 4, 2)), (MONDAY_AT, MONDAY_AT + 30 * HOUR)),
        # Two on one day: what has not changed of the day is compared as well.
        (ZONE, (MONDAY_AT + 8 * HOUR, MONDAY_AT + 8 * HOUR),
         (MONDAY_AT, MONDAY_AT + 5 * HOUR, MONDAY_AT + 8 * HOUR),
         (date(2025, 3, 31), date(2025, 4, 1)), (MONDAY_AT + 5 * HOUR, MONDAY_AT + 8 * HOUR)),
        # A changed day of which no reading is later.
        (ZONE, (SATURDAY_AT, SATURDAY_AT + 24 * HOUR), (SATURDAY_AT,),
         (date(2025, 3, 28), SUNDAY), ()),
    ],
)  # fmt: skip
def test_all_spans_that_end_on_the_days_of_a_change_are_compared(zone, change, reads, days, ends):
    changed = CheckedRegister(KEY, *change)
    spans = spans_of([read(at, number) for number, at in enumerate(reads)])
    near = [span for span in spans if span.start_at >= changed.from_at - HOUR]
    assert ended_days(zone, changed, near) == days
    whole = register_on(zone, changed, days)
    assert whole.to_at == midnight_utc(zone, days[1])
    assert intervals_of(CHANNEL, spans) == (reads[-1] - reads[0]) // HOUR
    assert tuple(span.end_at for span in ended_between(whole, spans)) == ends
