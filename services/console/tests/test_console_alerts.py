"""Alerts in the console: which are asked for, and what is shown of them."""

import json

import pytest

from doubles.console import page, seen, those_that
from gridtally.console.pages.alerts import KINDS
from gridtally.contracts.alerts import AlertKind

ALERTS = "/v1/alerts"
OPEN = {
    "id": "a1", "kind": "stuck_meter", "meter_id": "m1", "meter_name": "Cellar <b>",
    "flow": "import", "number": 1, "since_at": "2025-03-03T23:00:00Z", "day": "2025-03-05",
    "value": "36.25", "worst_value": "1048", "limit": "24", "unit": "hours",
    "raised_at": "2025-03-05T00:00:00Z", "seen_at": "2025-03-06T00:00:00Z", "cleared_at": None,
    "reason": None, "acknowledged_at": "2025-03-05T09:00:00Z", "acknowledged_by": "key1",
    "note": "a truck <i>",
}  # fmt: skip
CLEARED = OPEN | {
    "kind": "dead_meter", "meter_id": "m2345678-gone", "meter_name": None, "flow": None,
    "value": "5.714285714285714", "worst_value": "6", "unit": "times",
    "cleared_at": "2025-03-07T00:00:00Z", "reason": "meter_removed", "acknowledged_at": None,
    "note": None,
}  # fmt: skip


async def shown(answers, path):
    """The answer, its text, and what ingest was asked for alerts with."""
    services = those_that(ingest={ALERTS: answers})
    answer, text = await seen(services, path)
    asked = [dict(own.url.params) for own in services["ingest"].asked if "alerts" in own.url.path]
    return answer, text, asked


def test_all_kinds_can_be_chosen():
    assert set(KINDS) == set(AlertKind.__args__)


async def test_open_alerts_with_meter_kind_since_value_and_limit():
    answer, text, [asked] = await shown(page(OPEN), "/operations/alerts")
    assert answer.status_code == 200
    assert (asked["state"], "kind" in asked) == ("open", False)
    for said in ("Cellar &lt;b&gt;", "import", "3 Mar 2025, 23:00 UTC", "36.25 hours",
                 "1,048 hours", "24 hours", "a truck &lt;i&gt;", "stuck meter"):  # fmt: skip
        assert said in text, said
    assert 'href="/meters/m1"' in answer.text


async def test_a_cleared_alert_says_why_and_a_long_value_keeps_its_digits():
    path = "/operations/alerts?state=cleared&kind=dead_meter"
    answer, text, [asked] = await shown(page(CLEARED) | {"next_cursor": "n"}, path)
    assert (asked["state"], asked["kind"]) == ("cleared", "dead_meter")
    for said in ("m2345678 ", "meter removed", "7 Mar 2025, 00:00 UTC", "5.71 times"):
        assert said in text, said
    assert "5.714285714285714" in answer.text
    assert "state=cleared&amp;kind=dead_meter&amp;cursor=n" in answer.text


@pytest.mark.parametrize(("answers", "said"), [(page(), "No such alert"), (None, "No such thing")])
async def test_without_alerts_or_an_answer_the_page_is_whole(answers, said):
    answer, text, _ = await shown(answers, "/operations/alerts")
    assert answer.status_code == 200
    assert said in text


NEW = OPEN | {"acknowledged_at": None, "acknowledged_by": None, "note": None}


async def test_an_alert_says_what_is_wrong_and_where_to_look():
    services = those_that(ingest={f"{ALERTS}/a1": NEW})
    answer, text = await seen(services, "/operations/alerts/a1")
    assert answer.status_code == 200
    for said in ("Alert: stuck meter", "the meter may have stopped", "Cellar &lt;b&gt;", "24 hours",
                 "open until it ends"):  # fmt: skip
        assert said in text, said


async def test_an_alert_that_was_acknowledged_says_by_whom_and_asks_no_more():
    services = those_that(ingest={f"{ALERTS}/a1": OPEN})
    answer, text = await seen(services, "/operations/alerts/a1")
    for said in ("a truck &lt;i&gt;", "key1", "5 Mar 2025, 09:00 UTC"):
        assert said in text, said
    assert "/acknowledge" not in answer.text


async def test_an_alert_is_acknowledged_with_a_note():
    path = f"{ALERTS}/a1/acknowledge"
    services = those_that(ingest={f"{ALERTS}/a1": NEW, path: {}})
    form = {"note": "somebody goes there"}
    answer, _ = await seen(services, "/operations/alerts/a1/acknowledge", form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/operations/alerts/a1")
    sent = [request for request in services["ingest"].asked if request.method == "POST"]
    assert [(own.url.path, json.loads(own.content)) for own in sent] == [(path, form)]


async def test_what_ingest_refuses_is_said_and_the_note_kept():
    services = those_that(ingest={f"{ALERTS}/a1": NEW})
    form = {"note": "somebody goes there"}
    answer, text = await seen(services, "/operations/alerts/a1/acknowledge", form)
    assert answer.status_code == 422
    assert "Not acknowledged." in text
    assert "somebody goes there" in answer.text


async def test_the_overview_counts_open_alerts_by_kind():
    items = page(OPEN, OPEN, OPEN | {"kind": "dead_meter"})
    answer, text, [asked] = await shown(items, "/")
    assert "state" not in asked
    assert "2 open alerts: stuck meter" in text
    assert "1 open alert: dead meter" in text
    assert 'href="/operations/alerts?kind=stuck_meter"' in answer.text
