"""Events of devices: what they say, what is refused, and which days they flag."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import get_args
from uuid import UUID

import pytest

from gridtally.contracts.device_events import DeviceEventReceived
from gridtally.contracts.envelope import event_id_of
from gridtally.ingest.domain.device_events import (
    EVENTS_OF_DAY_MAX,
    FLAGGED_DAYS,
    DeviceEvent,
    NotedDay,
    Tampering,
    beyond_the_most,
    check_instant,
    content_id,
    flagged_days,
    needs_flags,
    recent_days,
    verdicts,
)
from gridtally.ingest.domain.meters import Channel, Meter
from gridtally.ingest.domain.validation_rules import RuleSet, RuleSetting, flaws
from gridtally.ingest.events.device_events import (
    device_event_received,
    read_item,
    received_event,
)
from gridtally.ingest.events.submissions import Sender
from gridtally.kernel.device_events import SEVERITIES, DeviceEventKind
from gridtally.kernel.errors import Poison
from gridtally.messaging import ReceivedMessage

ID = UUID(int=7)
KEY = ("acme", ID)
AT = datetime(2025, 3, 30, 10, 7, tzinfo=UTC)
NOW = AT + timedelta(hours=1)
SENDER = Sender("acme", "c-1")
METER = Meter(
    ID, "total", "Europe/Berlin", (Channel("import", 15, 10_000), Channel("export", 60, 10_000))
)
ITEM = {"meter_id": str(ID), "kind": "reverse_run_detected", "happened_at": AT.isoformat()}


def test_each_kind_has_a_severity():
    assert set(SEVERITIES) == set(get_args(DeviceEventKind))
    assert set(SEVERITIES.values()) == {"tamper", "warning", "info"}


def test_an_item_is_read_published_and_read_back_the_same():
    event = read_item(ITEM | {"event_id": "1:40", "source": "urn:hes", "detail": "code 91"}, SENDER)
    assert (event.severity, event.id) == ("tamper", event_id_of("urn:hes", "1:40"))
    message = device_event_received(event, NOW)
    read = DeviceEventReceived.model_validate_json(message.value)
    received = ReceivedMessage(read, message.envelope, message.topic, 0, 0, message.key, b"")
    assert received_event(received) == event
    with pytest.raises(Poison, match="no tombstones"):
        received_event(ReceivedMessage(None, message.envelope, message.topic, 0, 0, "k", None))


def test_without_an_id_the_same_kind_of_a_meter_at_an_instant_is_the_same_event():
    event = read_item(ITEM, SENDER)
    assert event.id == content_id("acme", ID, "reverse_run_detected", AT)
    assert read_item(ITEM | {"happened_at": "2025-03-30T12:07:00+02:00"}, SENDER) == event
    assert read_item(ITEM | {"kind": "clock_set"}, SENDER).id != event.id


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"kind": "coffee_spilled"}, "kind"),
        ({"kind": None}, "kind"),
        ({"happened_at": "2025-03-30T10:07:00"}, "happened_at"),
        ({"meter_id": 7}, "meter_id"),
        ({"detail": "x" * 201}, "detail"),
        ({"event_id": "two words"}, "event_id"),
        ({"source": "a source"}, "source"),
        ({"color": "red"}, "color"),
    ],
)
def test_what_is_wrong_in_an_item_is_named(wrong, said):
    refusal = read_item(ITEM | wrong, SENDER)
    assert (refusal.reason, said in refusal.detail) == ("malformed", True)


@pytest.mark.parametrize(
    ("at", "reason"),
    [
        (NOW + timedelta(minutes=5), None),
        (NOW + timedelta(minutes=6), "future"),
        (datetime(2000, 1, 2, tzinfo=UTC), None),
        (datetime(1999, 12, 31, 23, tzinfo=UTC), "too_old"),
    ],
)
def test_an_event_is_of_the_past_and_of_this_century(at, reason):
    refusal = check_instant(at, NOW)
    assert (refusal and refusal.reason) == reason


def rule_set(*settings):
    return {"acme": RuleSet(settings, 1)}


def said(rules, *, events, first_at, last_at):
    days = flagged_days({KEY: METER}, [(*KEY, first_at), ("acme", UUID(int=8), first_at)])
    [day] = days  # that of the meter which is known
    assert (day.day, day.end_at - day.start_at) == (date(2025, 3, 30), timedelta(hours=23))
    keys, spoken = verdicts({KEY: METER}, rules, days, {0: Tampering(events, first_at, last_at)})
    return [
        (keys[own.day].flow, keys[own.day].minutes, own.value, own.limit, own.slot, own.count)
        for own in spoken
    ]


def test_the_channels_of_the_day_are_flagged_from_the_first_event_to_the_last():
    later = AT + timedelta(hours=2)
    flagged = said(rule_set(RuleSetting("tamper", "flag")), events=3, first_at=AT, last_at=later)
    # Midnight was at 23:00 UTC: 11 hours and 7 minutes have passed.
    assert flagged == [("import", 15, 3, 1, 44, 9), ("export", 60, 3, 1, 11, 3)]


@pytest.mark.parametrize(
    ("rules", "flows"),
    [
        ({}, []),
        (rule_set(RuleSetting("gap", "flag")), []),
        (rule_set(RuleSetting("tamper", "flag", 4)), []),
        (rule_set(RuleSetting("tamper", "flag", flow="export")), ["export"]),
        (rule_set(RuleSetting("tamper", "flag"), RuleSetting("tamper", "off", flow="export")),
         ["import"]),
        (rule_set(RuleSetting("tamper", "flag", meter_type="main")), []),
    ],
)  # fmt: skip
def test_only_channels_for_which_the_rule_is_on_are_flagged(rules, flows):
    flagged = said(rules, events=3, first_at=AT, last_at=AT)
    assert [own[0] for own in flagged] == flows


def test_a_meter_that_was_tampered_with_keeps_its_readings():
    assert flaws([RuleSetting("tamper", "flag"), RuleSetting("gap", "quarantine")]) == []
    [said_] = flaws([RuleSetting("gap", "off"), RuleSetting("tamper", "quarantine")])
    assert said_.startswith("settings/1: tamper")


def test_of_a_meter_and_day_no_more_are_stored_than_the_most():
    midnight = datetime(2025, 3, 31, tzinfo=UTC)
    at = (AT, AT + timedelta(seconds=1), AT + timedelta(seconds=2), midnight)
    events = [
        DeviceEvent("acme", UUID(int=index), ID, "power_outage", moment, "", "urn:hes", "c")
        for index, moment in enumerate(at)
    ]
    day = NotedDay("acme", ID, AT.date())
    assert beyond_the_most(events, {}) == set()
    assert beyond_the_most(events, {day: EVENTS_OF_DAY_MAX - 2}) == {events[2]}
    full = {day: EVENTS_OF_DAY_MAX, NotedDay("acme", UUID(int=8), midnight.date()): 10**6}
    assert beyond_the_most(events, full) == set(events[:3])


def test_a_meter_is_flagged_where_it_is_new_or_has_other_channels():
    assert needs_flags(METER, None)
    assert not needs_flags(METER, METER)
    assert needs_flags(METER, replace(METER, meter_type="main"))
    assert needs_flags(METER, replace(METER, channels=METER.channels[:1]))
    days = recent_days({KEY: METER}, NOW)
    assert [day.day for day in (days[0], days[-1])] == [date(2025, 3, 30), date(2025, 2, 28)]
    assert (len(days), days[0].end_at - days[0].start_at) == (FLAGGED_DAYS, timedelta(hours=23))
