"""Drafts in the console: what waits, and what is asked of billing when somebody decides."""

import json

import pytest

from doubles.console import page, seen, those_that

LINE = {
    "component_id": "energy", "kind": "energy", "band": None, "flow": "import", "quantity": "1",
    "unit": "kWh", "rate": "10", "amount_exact": "10", "amount": "10.00", "payee": None,
    "start_on": "2025-03-01", "end_on": "2025-04-01",
}  # fmt: skip
DRAFT = {
    "id": "d1", "customer_id": "c1", "agreement_id": "a1", "start_on": "2025-03-01",
    "end_on": "2025-04-01", "revision": 2, "currency": "EUR", "total": "10.00", "state": "pending",
    "replaces_id": "i1", "decided_by": None, "reason": None, "version": 4,
    "drafted_at": "2025-04-02T08:00:00Z",
}  # fmt: skip
DRAFTS = "/v1/invoice-drafts"


@pytest.fixture
def billing():
    return {
        DRAFTS: page(dict(DRAFT)),
        f"{DRAFTS}/d1": DRAFT | {"lines": [LINE]},
        f"{DRAFTS}/approve": {"approved": 12, "is_all": False},
        f"{DRAFTS}/d1/approve": DRAFT,
        f"{DRAFTS}/d1/reject": DRAFT,
    }


async def shown(billing, path, form=None):
    """The answer, its text, and what was posted to billing with which version."""
    services = those_that(billing=billing)
    answer, text = await seen(services, path, form)
    sent = [
        (request.url.path, json.loads(request.content or b"null"), request.headers.get("if-match"))
        for request in services["billing"].asked
        if request.method == "POST"
    ]
    return answer, text, sent


async def test_what_waits_and_one_with_its_lines(billing):
    _, text, _ = await shown(billing, "/drafts")
    assert "pending" in text
    assert "10.00 EUR" in text
    answer, text, _ = await shown(billing, "/drafts/d1")
    assert answer.status_code == 200
    assert "Approve" in text
    assert "a live invoice" in text


async def test_many_are_approved_and_what_is_left_is_said(billing):
    form = {"from": "2025-03-01", "to": "", "total_max": "500"}
    _, text, sent = await shown(billing, "/drafts", form)
    assert sent == [(f"{DRAFTS}/approve", {"from": "2025-03-01", "total_max": "500"}, None)]
    assert "12 approved." in text
    assert "approve again" in text


@pytest.mark.parametrize(
    ("decision", "form", "body"),
    [("approve", {}, None), ("reject", {"reason": "wrong"}, {"reason": "wrong"})],
)
async def test_a_decision_is_of_the_version_that_was_shown(billing, decision, form, body):
    answer, _, sent = await shown(billing, f"/drafts/d1/{decision}", form | {"version": "4"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/drafts")
    assert sent == [(f"{DRAFTS}/d1/{decision}", body, '"4"')]


async def test_what_billing_refuses_is_said(billing):
    del billing[f"{DRAFTS}/d1/approve"]
    answer, text, _ = await shown(billing, "/drafts/d1/approve", {"version": "3"})
    assert answer.status_code == 422
    assert "Not decided." in text
