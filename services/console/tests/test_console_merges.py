"""Merging a customer in the console: what is asked of billing, and what who was merged is shown."""

import json

import pytest

from doubles.console import KEY, page, seen, those_that
from doubles.console.portal import as_customer, portal
from doubles.console.portal import services as of_portal

ADA = {
    "id": "c1", "name": "Ada <b>", "currency": "EUR", "email": None, "number": "C-1",
    "merged_into": None,
}  # fmt: skip
BO = ADA | {"id": "c2", "name": "Bo", "number": "C-2"}
AGREEMENT = {"id": "a1", "meter_id": "m1", "start_on": "2025-03-01", "end_on": None}
PREVIEW = {
    "kind": "preview", "duplicate": ADA | {"merged_into": "c2"}, "survivor": BO,
    "agreements": [AGREEMENT],
    "balances": [
        {"customer_id": "c1", "currency": "EUR", "balance": "120.00", "arrears": "0.00"},
        {"customer_id": "c2", "currency": "EUR", "balance": "40.00", "arrears": "0.00"},
    ],
}  # fmt: skip
PATH = "/v1/customers/c1/merge"
FORM = {"into": "C-2", "reason": "the same person"}


@pytest.fixture
def services():
    billing = {
        "/v1/customers/c1": dict(ADA),
        "/v1/customers": lambda query: page(*([BO] if query.get("number") == "C-2" else [])),
        f"{PATH}/preview": PREVIEW,
        PATH: {"id": "x1", "survivor_id": "c2"},
    }
    return those_that(billing=billing)


def sent(services):
    return [
        (request.url.path, json.loads(request.content), request.headers.get("idempotency-key"))
        for request in services["billing"].asked
        if request.method == "POST"
    ]


async def test_what_a_merge_would_do_is_shown_before_it_is_done(services):
    answer, text = await seen(services, "/customers/c1/merge")
    assert (answer.status_code, "It cannot be undone" in text) == (200, True)
    answer, text = await seen(services, "/customers/c1/merge", FORM)
    assert answer.status_code == 200
    for words in ("will be Bo", "C-2", "120.00 EUR", "40.00 EUR"):
        assert words in text, words
    body = {"into": "c2", "reason": "the same person"}
    assert sent(services) == [(f"{PATH}/preview", body, None)]
    confirmed = FORM | {"into": "c2", "is_confirmed": "yes", "idempotency_key": "once"}
    answer, _ = await seen(services, "/customers/c1/merge", confirmed)
    assert (answer.status_code, answer.headers["location"]) == (303, "/customers/c2")
    assert sent(services)[-1] == (PATH, body, "once")


@pytest.mark.parametrize("form", [FORM, FORM | {"is_confirmed": "yes"}, {}])
async def test_what_billing_refuses_is_said_and_what_was_entered_stays(services, form):
    for path in (PATH, f"{PATH}/preview"):
        services["billing"].answers.pop(path)
    answer, text = await seen(services, "/customers/c1/merge", form or {"into": ""})
    assert (answer.status_code, "Not merged." in text) == (422, True)
    assert f'value="{form.get("into", "")}"' in answer.text


async def test_a_merged_customer_names_who_goes_on_on_every_tab(services):
    services["billing"].answers["/v1/customers/c1"] = ADA | {"merged_into": "c2"}
    for tab in ("", "/invoices", "/agreements", "/merge", "/portal-link"):
        answer, text = await seen(services, f"/customers/c1{tab}")
        assert answer.status_code == 200, tab
        assert "was there twice" in text, tab
        assert 'href="/customers/c2"' in answer.text, tab
    answer, _ = await seen(services, "/customers/c1/portal-link", {"x": "1"})
    assert answer.status_code == 409


async def test_the_portal_of_a_merged_customer_says_that_another_link_is_needed():
    own = of_portal()
    known = own["billing"].answers["/v1/customers/c1"]
    twin = "00000000-0000-4000-8000-000000000009"
    own["billing"].answers[f"/v1/customers/{twin}"] = known | {"id": twin, "merged_into": "c2"}
    async with portal(own) as browser:
        await as_customer(browser)
        assert "Your accounts are one now" not in (await browser.get("/portal")).text
        own["billing"].answers["/v1/customers/c1"] = known | {"merged_into": "c2"}
        shown = await browser.get("/portal")
        assert (shown.status_code, "Your accounts are one now" in shown.text) == (200, True)
        bearer = {"Authorization": f"Bearer {KEY}"}
        body = {"customer_id": twin}
        refused = await browser.post("/v1/portal-links", json=body, headers=bearer)
        assert (refused.status_code, "c2" in refused.json()["detail"]) == (409, True)
