"""Alerts: what is wrong with a meter by each kind, and what becomes of its alerts."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtally.contracts.alerts import AlertKind as PublishedKind
from gridtally.contracts.alerts import AlertUnit as PublishedUnit
from gridtally.ingest.domain import alert_rules
from gridtally.ingest.domain.alert_rules import (
    KINDS,
    SILENCE_MAX,
    AlertRules,
    AlertSetting,
    flaws,
)
from gridtally.ingest.domain.alerts import (
    Condition,
    ObservedChannel,
    ObservedDay,
    ObservedMeter,
    ObservedTampering,
    changes,
    findings,
    newest_of,
    spoken_of_from,
)
from gridtally.ingest.domain.meters import Channel, Meter
from gridtally.ingest.domain.validation_rules import RuleSet, RuleSetting
from gridtally.ingest.events.alerts import alert_cleared, alert_raised
from gridtally.metering.validation.rules import RULE_NAMES

ID = UUID(int=7)
KEY = ("acme", ID)
MONDAY = date(2025, 3, 3)
NOON = datetime(2025, 3, 5, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
IMPORT = Channel("import", 15, 10_000)
EXPORT = Channel("export", 15, 10_000)


def rules(*settings):
    return AlertRules(tuple(settings), 1)


def on(kind, limit=None, **more):
    return AlertSetting(kind, "raise", limit if limit is None else Decimal(limit), **more)


def meter(*channels, kind="total"):
    return Meter(ID, kind, "UTC", channels)


def seen(number, *, is_whole=True, energy_wh=0, cleared=(), **verdicts):
    """A day, so many after the Monday, and its verdicts."""
    return ObservedDay(
        MONDAY + timedelta(days=number),
        is_whole,
        energy_wh,
        {rule: Decimal(value) for rule, value in verdicts.items()},
        frozenset(cleared),
    )


def observed(*days, of=None, flow="import", read_until=None, register=False, watched=NOON):
    of = of or meter(IMPORT, EXPORT)
    channel = ObservedChannel(days, read_until, register)
    return ObservedMeter(of, {flow: channel}, watched)


STUCK = rules(on("stuck_meter", 24))
DERIVED = meter(IMPORT, EXPORT, kind="unmetered")
CASES = [
    # kind and limit, newest days of a channel first, and what is measured of it
    ("stuck_meter", 24, [seen(1, zero_run=24)], 24),
    ("stuck_meter", 24, [seen(1, zero_run=30, flat_run=26)], 30),
    ("stuck_meter", 25, [seen(1, zero_run=24)], None),
    ("stuck_meter", 24, [seen(1), seen(0, zero_run=24)], None),  # a good day since
    ("stuck_meter", 24, [seen(1, is_whole=False), seen(0, zero_run=24)], 24),  # it may go on
    ("stuck_meter", 24, [seen(1, is_whole=False, zero_run=28), seen(0)], 28),
    ("stuck_meter", 24, [seen(1, is_whole=False), seen(0)], None),
    ("stuck_meter", 24, [], None),
    ("unusual_use", 5, [seen(1, unusual_use="5.2")], "5.2"),
    ("unusual_use", 6, [seen(1, unusual_use="5.2")], None),
    ("clock_drift", "0.1", [seen(1, clock_drift="0.12")], "0.12"),
    ("clock_drift", "0.1", [seen(1, clock_drift="0.07")], None),
    ("stuck_meter", 24, [seen(1, unusual_use=50, clock_drift=50)], None),  # other kinds'
]


@pytest.mark.parametrize(("kind", "limit", "days", "expected"), CASES)
def test_a_kind_follows_from_the_newest_day_that_counts(kind, limit, days, expected):
    said = findings(observed(*days), rules(on(kind, limit)), {}, NOON)
    assert [condition.value for condition in said.conditions.values()] == [
        Decimal(value) for value in [expected] if value is not None
    ]
    assert said.look_at is None


def test_back_feed_is_of_exports_and_conservation_of_derived_meters():
    of_meter = observed(seen(1, energy_wh=2_000, back_feed=2_000), flow="export")
    both = rules(on("back_feed"), on("conservation", 1_500))
    assert set(findings(of_meter, both, {}, NOON).conditions) == {("back_feed", "export")}
    of_sum = observed(seen(1, energy_wh=2_000), flow="export", of=DERIVED)
    [(key, condition)] = findings(of_sum, both, {}, NOON).conditions.items()
    assert (key, condition.value) == (("conservation", "export"), 2_000)
    less = observed(seen(1, energy_wh=1_499), flow="export", of=DERIVED)
    assert findings(less, both, {}, NOON).conditions == {}


@pytest.mark.parametrize(("hours", "expected"), [(35, None), (36, 36), (100, 100)])
def test_a_channel_is_missed_from_its_hours_on(hours, expected):
    read_until = NOON - hours * HOUR
    said = findings(
        observed(of=meter(IMPORT), read_until=read_until), rules(on("missing_readings")), {}, NOON
    )
    if expected is None:
        assert (said.conditions, said.look_at) == ({}, read_until + 36 * HOUR)
    else:
        assert said.conditions == {
            ("missing_readings", "import"): Condition(read_until, Decimal(expected), Decimal(36))
        }
        assert said.look_at == NOON + 36 * HOUR


def silence(channels, of, watched=NOON - 1_000 * HOUR):
    both = rules(on("missing_readings"), on("dead_meter", 2))
    return set(findings(ObservedMeter(of, channels, watched), both, {}, NOON).conditions)


def test_a_meter_is_dead_when_all_of_its_channels_are():
    of = meter(IMPORT, EXPORT)
    old = ObservedChannel(read_until=NOON - 72 * HOUR)
    fresh = ObservedChannel(read_until=NOON - HOUR)
    missed = {("missing_readings", flow) for flow in ("import", "export")}
    assert silence({"import": old, "export": old}, of) == missed | {("dead_meter", "")}
    assert silence({"import": old, "export": fresh}, of) == {("missing_readings", "import")}
    never = {"import": old, "export": ObservedChannel()}
    assert silence(never, of, watched=NOON - HOUR) == {
        ("missing_readings", "import"), ("dead_meter", "")
    }  # fmt: skip


def test_nothing_is_waited_for_of_what_is_not_read():
    ended = replace(IMPORT, end_at=NOON - HOUR)
    future = replace(IMPORT, start_at=NOON - HOUR)
    old = ObservedChannel(read_until=NOON - 100 * HOUR)
    assert silence({"import": old}, meter(ended)) == set()
    assert silence({}, meter(future)) == set()
    assert silence({"import": ObservedChannel(is_read_by_register=True)}, meter(IMPORT)) == set()
    assert silence({"import": old}, replace(DERIVED, channels=(IMPORT,))) == set()
    assert silence({"import": replace(old, is_read_by_register=True)}, meter(IMPORT)) != set()


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ([], None),
        ([on("stuck_meter")], 48),
        ([on("stuck_meter", 24)], 24),
        ([on("stuck_meter", 24), on("stuck_meter", 30, meter_type="total")], 30),
        ([on("stuck_meter", 24, flow="import"), on("stuck_meter", 30, meter_type="total")], 24),
        ([on("stuck_meter", 24), on("stuck_meter", 30, meter_type="solar")], 24),
        ([on("stuck_meter"), AlertSetting("stuck_meter", "off", flow="import")], None),
        ([on("stuck_meter", 24), on("stuck_meter", 30)], 30),  # the last of two
        ([on("back_feed")], None),
    ],
)
def test_the_most_specific_setting_counts(settings, expected):
    assert rules(*settings).limit("stuck_meter", "total", "import") == expected
    assert rules(on("back_feed")).limit("back_feed", "total", "import") is None


def test_what_a_tenant_says_of_a_rule_counts_for_more_than_its_alerts():
    of_alerts = rules(
        on("stuck_meter", 24, flow="import"),
        AlertSetting("clock_drift", "off"),
        on("stuck_meter", 30, flow="generation"),
    ).rule_settings()
    assert {(own.rule, own.action, own.limit, own.flow) for own in of_alerts} == {
        ("zero_run", "flag", 24.0, "import"), ("flat_run", "flag", 24.0, "import"),
        ("clock_drift", "off", 0.1, None), ("flat_run", "flag", 30.0, "generation"),
    }  # fmt: skip
    own = RuleSet((RuleSetting("zero_run", "flag", 6.0),), 1, of_alerts)
    limits = dict(zip(RULE_NAMES, own.of_channel("total", "import").limits, strict=True))
    assert (limits["zero_run"], limits["flat_run"]) == (6.0, 24.0)
    assert own.names_on == {"zero_run", "flat_run"}
    assert RuleSet((RuleSetting("flat_run", "off"),), 1, of_alerts).names_on == {"zero_run"}
    assert RuleSet((), 0, rules(AlertSetting("back_feed", "off")).rule_settings()).is_off


def test_settings_that_make_no_sense():
    assert flaws([on("dead_meter"), on("dead_meter", 1), on("clock_drift", "0.01")]) == []
    assert len(flaws([on("dead_meter", flow="import"), on("back_feed", flow="import"),
                      on("missing_readings", "0.9"), on("dead_meter", 10_001)])) == 4  # fmt: skip


@pytest.mark.parametrize("limit", [1, SILENCE_MAX])
def test_a_limit_that_is_taken_can_be_waited_for(limit):
    both = rules(on("missing_readings", limit), on("dead_meter", limit))
    for hours in (0, 30 * SILENCE_MAX):
        of = observed(of=meter(IMPORT), read_until=NOON - hours * HOUR)
        said = findings(of, both, {}, NOON)
        assert len(said.conditions) == (2 if hours else 0)
        assert said.look_at > NOON


def test_kinds_and_units_are_those_of_the_events():
    assert set(KINDS) == set(PublishedKind.__args__)
    assert alert_rules.AlertKind == PublishedKind
    assert alert_rules.AlertUnit == PublishedUnit


def step(latest, now, of, by=STUCK, cause="c"):
    """One look at the meter; the alerts as they are by then, and what was said."""
    results = findings(of, by, latest, now)
    own = changes(KEY, of.meter, by, latest, results, now, cause)
    said = [("raised", alert) for alert in own.raised]
    said += [("cleared", alert) for alert in own.cleared]
    every = [*latest.values(), *own.raised, *own.touched, *own.cleared]
    by_id = {alert.id: alert for alert in every}
    return newest_of(by_id.values()).get(KEY, {}), said


def test_an_alert_is_touched_and_remembers_the_worst():
    latest, [(_, raised)] = step({}, NOON, observed(seen(0, zero_run=24)))
    assert alert_raised(raised).envelope.correlation_id == "c"
    latest, said = step(latest, NOON + HOUR, observed(seen(1, zero_run=48)))
    latest, said_again = step(latest, NOON + 2 * HOUR, observed(seen(1, zero_run=30)))
    assert (said, said_again) == ([], [])
    [alert] = latest.values()
    assert (alert.value, alert.worst_value, alert.day) == (30, 48, MONDAY + timedelta(days=1))
    assert (alert.raised_at, alert.seen_at) == (NOON, NOON + 2 * HOUR)
    latest, [(what, cleared)] = step(latest, NOON + 3 * HOUR, observed(seen(2)))
    assert (what, cleared.reason, cleared.id) == ("cleared", "ended", raised.id)
    assert alert_cleared(cleared).envelope.occurred_at == NOON + 3 * HOUR
    assert step(latest, NOON + 4 * HOUR, observed(seen(2)))[1] == []


def test_why_an_alert_is_cleared():
    latest, _ = step({}, NOON, observed(seen(0, zero_run=24)))
    gone = ObservedMeter(None, {}, NOON)
    for of, by, reason in (
        (gone, STUCK, "meter_removed"),
        (observed(seen(0, zero_run=24), of=meter(EXPORT)), STUCK, "meter_removed"),
        (observed(seen(0, zero_run=24)), rules(), "rule_off"),
        (observed(seen(0, zero_run=24)), rules(on("stuck_meter", 25)), "ended"),
    ):
        [(what, alert)] = step(latest, NOON, of, by)[1]
        assert (what, alert.reason) == ("cleared", reason)


def test_an_alert_goes_on_while_no_verdict_is_stored_of_its_day():
    """After a restore, of an alert that was read from its topic."""
    latest, _ = step({}, NOON, observed(seen(0, zero_run=24)))
    for of in (observed(), observed(seen(0)), observed(seen(0, is_whole=False), seen(-1))):
        assert step(latest, NOON, of)[1] == []
    for of in (observed(seen(1)), observed(seen(0, cleared=["zero_run"]))):
        assert [what for what, _ in step(latest, NOON, of)[1]] == ["cleared"]


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from([0, 24, 30]), st.booleans()),
                max_size=30))  # fmt: skip
def test_raised_and_cleared_alternate_whatever_comes_in_which_order(arrivals):
    """Days come in any order, again and otherwise; what is open is what holds, and no alert is
    raised while one is open. Looking again says nothing."""
    days, latest, said = {}, {}, []
    for number, (day, hours, is_whole) in enumerate(arrivals):
        verdicts = {"zero_run": hours} if hours else {}
        days[day] = seen(day, is_whole=is_whole, cleared=[] if hours else ["zero_run"], **verdicts)
        newest = [days[key] for key in sorted(days, reverse=True)][:2]
        of = observed(*newest)
        latest, new = step(latest, NOON + number * HOUR, of)
        said += new
        assert step(latest, NOON + number * HOUR, of)[1] == []
        is_open = any(alert.cleared_at is None for alert in latest.values())
        shown = newest[:1] if newest[0].is_whole or newest[0].verdicts else newest
        assert is_open == any(own.verdicts for own in shown)
    assert [what for what, _ in said] == (["raised", "cleared"] * len(said))[: len(said)]
    numbers = [alert.number for what, alert in said if what == "raised"]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len({alert.id for _, alert in said}) == len(numbers)


DAY = timedelta(days=1)
TAMPER = ("tamper", "")


def tampered(*, ago, events=1, last_ago=None, of_alert=0):
    """A meter whose events of the last days began, and ended, so long ago."""
    first_at, last_at = NOON - ago, NOON - (last_ago or ago)
    seen_ = ObservedTampering(events, first_at, last_at, of_alert)
    return replace(observed(), tampering=seen_)


@pytest.mark.parametrize(
    ("limit", "of", "value"),
    [
        (1, tampered(ago=DAY), 1),
        (2, tampered(ago=DAY), None),
        (2, tampered(ago=3 * DAY, events=2, last_ago=DAY), 2),
        (1, observed(), None),
    ],
)
def test_a_meter_is_tampered_with_by_its_own_events_of_the_last_days(limit, of, value):
    results = findings(of, rules(on("tamper", limit)), {}, NOON)
    assert not results.unknown
    if value is None:
        assert (TAMPER in results.conditions, results.look_at) == (False, None)
        return
    condition = results.conditions[TAMPER]
    assert (condition.value, condition.limit) == (value, limit)
    assert condition.since_at == of.tampering.first_at
    assert condition.day == of.tampering.last_at.date()
    assert results.look_at == of.tampering.first_at + 7 * DAY


def test_tampering_is_raised_once_and_ends_when_it_is_long_ago():
    on_ = rules(on("tamper"))
    [alert] = changed(tampered(ago=DAY), on_).raised
    assert (alert.kind, alert.flow, alert.number) == ("tamper", "", 1)
    known = {TAMPER: alert}
    assert changed(tampered(ago=DAY, events=2), on_, known).touched
    past = replace(observed(), tampering=ObservedTampering(of_alert=1))
    [cleared] = changed(past, on_, known, now=NOON + 7 * DAY).cleared
    assert cleared.reason == "ended"
    [off] = changed(tampered(ago=DAY), rules(on("tamper", meter_type="main")), known).cleared
    assert off.reason == "rule_off"


def test_after_a_restore_tampering_goes_on_until_its_events_are_read_again():
    on_ = rules(on("tamper"))
    [alert] = changed(tampered(ago=DAY), on_).raised
    known = {TAMPER: alert}
    earlier = replace(observed(), tampering=ObservedTampering())
    for of in (observed(), earlier):
        results = findings(of, on_, known, NOON + HOUR)
        assert (results.unknown, results.look_at) == ({TAMPER}, alert.seen_at + 7 * DAY)
        assert changed(of, on_, known, now=NOON + HOUR) == changed(observed(), rules())
        assert changed(of, on_, known, now=NOON + 7 * DAY).cleared


def test_after_a_restore_an_alert_of_two_events_waits_for_both_of_them():
    on_ = rules(on("tamper", 2))
    [alert] = changed(tampered(ago=3 * DAY, events=2, last_ago=DAY), on_).raised
    known, later = {TAMPER: alert}, NOON + HOUR
    read_again = tampered(ago=3 * DAY, of_alert=1)
    results = findings(read_again, on_, known, later)
    assert (results.unknown, results.look_at) == ({TAMPER}, alert.seen_at + 7 * DAY)
    assert changed(read_again, on_, known, now=later) == changed(observed(), rules())
    both = tampered(ago=3 * DAY, events=2, last_ago=DAY, of_alert=2)
    assert changed(both, on_, known, now=later).touched
    # One of both is long ago: the alert ends at once, though one alone is in the window.
    [cleared] = changed(tampered(ago=DAY, of_alert=2), on_, known, now=later).cleared
    assert cleared.reason == "ended"
    assert spoken_of_from(known) == NOON - 7 * DAY
    assert spoken_of_from({TAMPER: cleared}) is None
    assert spoken_of_from({}) is None


def changed(of, by, known=None, *, now=NOON):
    known = known or {}
    return changes(KEY, of.meter, by, known, findings(of, by, known, now), now, "c-1")
