"""Billing runs in the console: what is asked of billing, and what is shown of a run."""

import json

import pytest

from doubles.console import page, seen, those_that

RUNS = "/v1/billing-runs"
RUN = {
    "id": "r1", "name": "March <2025>", "start_on": "2025-03-01", "end_on": "2025-04-01",
    "customer_ids": [], "shock_percent": 50, "state": "proposed", "created_by": "keyacme0000",
    "created_at": "2025-04-02T08:00:00Z", "decided_by": None, "decided_at": None, "version": 1,
}  # fmt: skip
TOTALS = {
    "currency": "EUR", "bills": 3, "net": "300.00", "tax": "60.00", "total": "360.00",
    "compared_bills": 2, "compared_total": "240.00", "last_total": "200.00", "bill_shocks": 1,
    "without_use": 0, "estimated": 1,
}  # fmt: skip
REPORT = RUN | {
    "digest": "a" * 64, "totals": [TOTALS],
    "progress": {"pending": 3, "approved": 0, "issued": 0, "held": 1},
}  # fmt: skip
SHOCK = {
    "kinds": ["bill_shock", "estimated"], "agreement_id": "a1", "customer_id": "c1",
    "meter_id": "m1", "start_on": "2025-03-01", "end_on": "2025-04-01", "draft_id": "d1",
    "currency": "EUR", "total": "200.00", "last_total": "100.00", "reason": None,
}  # fmt: skip
HELD = SHOCK | {
    "kinds": ["held"], "draft_id": None, "currency": None, "total": None, "last_total": None,
    "reason": "prices_missing",
}  # fmt: skip


@pytest.fixture
def billing():
    return {
        RUNS: page(RUN, RUN | {"id": "r2", "customer_ids": ["c1", "c2"], "state": "issued"}),
        f"{RUNS}/r1": dict(REPORT),
        f"{RUNS}/r1/findings": page(SHOCK, HELD),
        f"{RUNS}/r1/approve": REPORT | {"state": "approved"},
        f"{RUNS}/r1/cancel": REPORT | {"state": "cancelled"},
        "/v1/customers/c1": {"name": "Ada <b>"},
    }


async def shown(billing, path, form=None):
    """The answer, its text, and what billing was asked."""
    services = those_that(billing=billing)
    answer, text = await seen(services, path, form)
    return answer, text, services["billing"].asked


def sent(asked):
    return [
        (request.url.path, json.loads(request.content or b"null"))
        for request in asked
        if request.method == "POST"
    ]


async def test_all_runs_and_the_way_to_a_new_one(billing):
    answer, text, _ = await shown(billing, "/billing-runs")
    assert answer.status_code == 200
    assert "March &lt;2025&gt; Mar 2025 proposed all customers" in text
    assert "issued 2 customers" in text
    assert "nothing is issued before somebody approves it" in text


async def test_what_a_run_comes_to_and_what_stands_out(billing):
    answer, text, _ = await shown(billing, "/billing-runs/r1")
    assert answer.status_code == 200
    assert "360.00 EUR" in text
    assert "+20.0 %" in text
    assert "2 bills that have one, 200.00 EUR then" in text
    assert "Ada &lt;b&gt; bill shock, estimated" in text
    assert "held prices missing" in text
    assert 'href="/drafts/d1"' in answer.text
    assert "Issue 3 bills" in text


async def test_only_findings_of_a_kind_are_asked_for(billing):
    _, _, asked = await shown(billing, "/billing-runs/r1?kind=held")
    [findings] = [request for request in asked if request.url.path.endswith("/findings")]
    assert findings.url.params["kind"] == "held"


async def test_a_run_is_made_of_its_first_and_last_day(billing):
    form = {
        "id": "r1", "name": "March", "start_on": "2025-03-01", "last_on": "2025-03-31",
        "shock_percent": "30",
    }  # fmt: skip
    billing[RUNS] = REPORT
    answer, _, asked = await shown(billing, "/billing-runs", form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/billing-runs/r1")
    wanted = {"id": "r1", "name": "March", "start_on": "2025-03-01", "end_on": "2025-04-01",
              "shock_percent": 30}  # fmt: skip
    assert sent(asked) == [(RUNS, wanted)]


@pytest.mark.parametrize("last_on", ["", "soon", "9999-12-31"])
async def test_what_billing_refuses_is_said_and_what_was_entered_stays(billing, last_on):
    del billing[RUNS]
    form = {"name": "March", "start_on": "2025-03-01", "last_on": last_on}
    answer, text, asked = await shown(billing, "/billing-runs", form)
    assert answer.status_code == 422
    assert "Not made." in text
    assert 'value="March"' in answer.text
    assert sent(asked)[0][1]["end_on"] == last_on


async def test_the_bills_that_were_seen_are_approved(billing):
    answer, _, asked = await shown(billing, "/billing-runs/r1/approve", {"digest": "a" * 64})
    assert (answer.status_code, answer.headers["location"]) == (303, "/billing-runs/r1")
    assert sent(asked) == [(f"{RUNS}/r1/approve", {"digest": "a" * 64})]
    answer, _, asked = await shown(billing, "/billing-runs/r1/cancel", {"x": ""})
    assert sent(asked) == [(f"{RUNS}/r1/cancel", None)]


async def test_a_decision_that_is_refused_is_said(billing):
    del billing[f"{RUNS}/r1/approve"]
    answer, text, _ = await shown(billing, "/billing-runs/r1/approve", {"digest": "b" * 64})
    assert answer.status_code == 422
    assert "Not decided." in text


async def test_a_run_that_was_decided_moves_by_itself_and_has_no_buttons(billing):
    billing[f"{RUNS}/r1"] |= {
        "state": "approved", "decided_by": "keyboss00000", "decided_at": "2025-04-02T09:00:00Z",
    }  # fmt: skip
    answer, text, _ = await shown(billing, "/billing-runs/r1")
    assert "keyboss00000" in text
    assert "Cancel the run" not in text
    assert "every 2s" in answer.text
