"""The portal: who gets in, what a customer sees, and what nobody bound to one is ever shown."""

import re
from datetime import timedelta

import pytest

from doubles.console import CUSTOMER_KEY, KEY, SERVICES, Service
from doubles.console.portal import HOSTILE, NOW, as_customer, link_for, portal, services
from gridtally.console.pages import ROUTERS

PAGES = (
    "/portal", "/portal/bills", "/portal/bills?replaced=yes", "/portal/bills/i3", "/portal/usage",
    "/portal/usage?per=month&show=money", "/portal/usage?per=year", "/portal/account",
    "/portal/account?all_=yes", "/portal/data", "/portal/readings",
)  # fmt: skip
FILES = (
    "/portal/bills/i3/document", "/portal/bills/i3/document?format=html",
    "/portal/credits/n1/document", "/portal/data/costs?year=2025&by=device",
    "/portal/data/statement?year=2025", "/portal/data/statement?year=2025&format=pdf",
    "/portal/data/bills?year=2025",
)  # fmt: skip
NOBODYS = {
    "/assets/{digest}/{name:path}", "/favicon.ico", "/sign-in", "/v1/tickets", "/enter",
    "/portal/enter", "/v1/portal-links", "/portal/sign-out", "/portal/signed-out",
    "/documentation", "/documentation/", "/documentation/{name:path}",
}  # fmt: skip
"""Routes that need no session: each has tests of its own here or beside."""
ROUTES = [
    (method, route.path)
    for router in ROUTERS
    for route in router.routes
    for method in sorted(route.methods)
    if route.path not in NOBODYS
]


@pytest.fixture
def own():
    return services()


def text_of(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))


def filled(path):
    return re.sub(r"\{[^}]+\}", "x1", path)


def count_asked(own):
    return sum(len(service.asked) for service in own.values())


async def test_a_customer_is_shown_no_page_of_staff(own):
    async with portal(own) as browser:
        await as_customer(browser)
        asked = count_asked(own)
        for method, path in ROUTES:
            if path.startswith("/portal"):
                continue
            answer = await browser.request(method, filled(path))
            if method == "GET":
                assert (answer.status_code, answer.headers["location"]) == (303, "/portal"), path
            else:
                assert answer.status_code == 404, path
        assert count_asked(own) == asked


async def test_staff_is_shown_no_page_of_a_customer(own):
    async with portal(own) as browser:
        await browser.post("/sign-in", data={"key": KEY})
        asked = count_asked(own)
        paths = [(method, path) for method, path in ROUTES if path.startswith("/portal")]
        assert len(paths) >= 12
        for method, path in paths:
            answer = await browser.request(method, filled(path))
            assert answer.status_code == 404, path
        assert count_asked(own) == asked


async def test_every_request_of_a_customer_is_bound_to_him(own):
    async with portal(own) as browser:
        await as_customer(browser)
        for service in own.values():
            service.asked.clear()
        for path in (*PAGES, *FILES):
            assert (await browser.get(path)).status_code == 200, path
    asked = [request for service in own.values() for request in service.asked]
    assert len(asked) > 40
    assert {request.headers.get("gridtally-customer") for request in asked} == {"c1"}
    assert {request.method for request in asked} == {"GET"}


async def test_the_statement_of_a_year_is_a_table_or_a_document(own):
    """What is neither of the two is the table."""
    async with portal(own) as browser:
        await as_customer(browser)
        page = (await browser.get("/portal/data")).text
        assert "/portal/data/statement?year=2025&amp;format=pdf" in page
        own["ledger"].asked.clear()
        for name in ("csv", "pdf", "html"):
            await browser.get(f"/portal/data/statement?year=2025&format={name}")
    asked = [request.url.params["format"] for request in own["ledger"].asked]
    assert asked == ["csv", "pdf", "csv"]


async def test_the_start_says_what_is_owed_and_why_the_bill_differs(own):
    async with portal(own) as browser:
        await as_customer(browser)
        text = text_of(await browser.get("/portal"))
    for said in (
        "To pay €84.00 by November 19, 2025", "October 2025 €84.00",
        "€15.00 more than for September 2025. It is for 31 days instead of 30.",
        "You used 50 kWh more +€15.00", "12.5 kWh of it are estimated",
        "So far €31.20", "probably between €76.00 and €85.50", "City Power",
    ):  # fmt: skip
        assert said in text, said


async def test_a_bill_has_its_lines_and_what_was_corrected(own):
    async with portal(own) as browser:
        await as_customer(browser)
        text = text_of(await browser.get("/portal/bills/i3"))
        void = text_of(await browser.get("/portal/bills/i2"))
        listed = text_of(await browser.get("/portal/bills"))
        every = text_of(await browser.get("/portal/bills?replaced=yes"))
    for said in (
        "Electricity · Evening peak 200 kWh 0.30 60.00", "Basic fee 1 month 9.00 9.00",
        "What was corrected", "As it was INV-i2 €99.00", "You used 50 kWh less -€15.00",
    ):  # fmt: skip
        assert said in text, said
    assert "This bill is no longer valid." in void
    assert "Go to INV-i3" in void
    assert "INV-i2" not in listed
    assert "With replaced bills" in listed
    assert "INV-i2 replaced €99.00" in every


async def test_usage_is_compared_over_as_many_days(own):
    async with portal(own) as browser:
        await as_customer(browser)
        days = text_of(await browser.get("/portal/usage"))
        october = await browser.get("/portal/usage?at=2025-10")
        months = text_of(await browser.get("/portal/usage?per=month&at=2025"))
        money = text_of(await browser.get("/portal/usage?show=money"))
    assert "Energy 125 kWh as much as Oct 1 – 12, 2025; 19 % more than" in days
    assert "Fixed charges are not included" in days
    assert october.text.count("<rect") == 31 * 2  # on a phone, and elsewhere
    assert "Evening peak 200 kWh 67 % €60.00" in text_of(october)
    assert "November 2025 ›" in text_of(october)
    assert "Oct 324.5 kWh €123.12" in months
    assert "EUR: €3.00" in money


@pytest.mark.parametrize(
    "query",
    ["per=week", "at=x", "at=9999-99", "at=2999", "per=month&at=1&show=x", "per=year&at=-1"],
)
async def test_an_odd_address_shows_what_is_usual(own, query):
    async with portal(own) as browser:
        await as_customer(browser)
        assert (await browser.get(f"/portal/usage?{query}")).status_code == 200


async def test_what_is_another_customers_is_not_here(own):
    gone = (
        "/portal/bills/i9", "/portal/bills/i9/document", "/portal/credits/n9/document",
        "/portal/bills/nothing", "/portal/nothing",
    )  # fmt: skip
    own["billing"].answers["/v1/credit-notes/n9"] = {"id": "n9", "customer_id": "c2"}
    async with portal(own) as browser:
        await as_customer(browser)
        for path in gone:
            answer = await browser.get(path)
            assert answer.status_code == 404, path
            assert "There is nothing here" in answer.text
            assert "1,234.00" not in answer.text
            assert "/customers" not in answer.text


async def test_a_service_that_forgets_the_binding_shows_nothing_of_others(own, monkeypatch):
    async with portal(own) as browser:
        await as_customer(browser)
        monkeypatch.setattr("doubles.console.own_part", lambda answer, *_: answer)
        assert (await browser.get("/portal/bills/i9")).status_code == 404
        listed = await browser.get("/portal/bills")
    assert "1,234.00" not in listed.text
    assert "INV-i9" not in listed.text


async def test_nobody_gets_in_where_services_do_not_bind(own, monkeypatch):
    async with portal(own) as browser:
        link = await link_for(browser)
        monkeypatch.setattr("doubles.console.own_part", lambda answer, *_: answer)
        answer = await browser.get(link)
        assert answer.status_code == 410
        assert "gt" not in browser.cookies


async def test_names_of_one_customer_are_not_kept_for_another(own):
    own["billing"].answers["/v1/seller"]["name"] = "Seller of the first"
    async with portal(own) as browser:
        await as_customer(browser)
        assert "Seller of the first" in (await browser.get("/portal")).text
        browser.cookies.clear()
        own["billing"].answers["/v1/seller"] = None
        await as_customer(browser, "c2")
        assert "Seller of the first" not in (await browser.get("/portal")).text


async def test_a_link_is_shown_once_and_works_again_until_its_time_is_over(own):
    async with portal(own, portal_link_limit_s=3600) as browser:
        link = await link_for(browser)
        assert KEY not in link
        await browser.post("/sign-in", data={"key": KEY})
        assert "/portal/enter" not in (await browser.get("/customers/c1/portal-link")).text
        for _ in range(2):
            browser.cookies.clear()
            entered = await browser.get(link)
            assert entered.headers["location"] == "/portal"
            assert "HttpOnly" in entered.headers["set-cookie"]
        await browser.post("/sign-in", data={"key": KEY})
        made = await browser.post("/customers/c1/portal-link")
        shown = text_of(await browser.get(made.headers["location"]))
        assert "It works for 1 hour, and is shown only now." in shown
    later = NOW + timedelta(seconds=3600)
    async with portal(own, portal_link_limit_s=3600, clock=lambda: later) as browser:
        browser.cookies.clear()
        assert (await browser.get(link)).status_code == 410


async def test_a_program_orders_a_link_for_a_customer_whom_its_key_sees(own):
    known, unknown = (
        "0" * 8 + "-0000-4000-8000-" + "0" * 12,
        "1" * 8 + "-0000-4000-8000-" + "0" * 12,
    )
    own["billing"].answers[f"/v1/customers/{known}"] = {"id": known, "language": "de"}
    bearer = {"Authorization": f"Bearer {KEY}"}
    async with portal(own) as browser:
        made = await browser.post("/v1/portal-links", json={"customer_id": known}, headers=bearer)
        assert made.status_code == 201
        assert made.json()["expires_at"] == "2025-11-19T09:00:00Z"
        entered = await browser.get(made.json()["path"])
        assert entered.headers["location"] == "/portal"
        browser.cookies.clear()
        for body, headers, status in (
            ({"customer_id": unknown}, bearer, 404),
            ({"customer_id": "c1"}, bearer, 422),
            ({"customer_id": known, "more": 1}, bearer, 422),
            ({"customer_id": known}, {"Authorization": "Bearer gt_wrong"}, 401),
            ({"customer_id": known}, {"Authorization": f"Bearer {CUSTOMER_KEY}"}, 404),
        ):
            answer = await browser.post("/v1/portal-links", json=body, headers=headers)
            assert answer.status_code == status, body
        own["billing"].is_away = True
        away = await browser.post("/v1/portal-links", json={"customer_id": known}, headers=bearer)
        assert away.status_code == 503


async def test_a_key_of_a_customer_signs_in_to_the_portal_alone(own):
    async with portal(own) as browser:
        form = {"key": CUSTOMER_KEY, "next": "/customers"}
        signed_in = await browser.post("/sign-in", data=form)
        assert signed_in.headers["location"] == "/portal"
        assert (await browser.get("/portal/bills/i3")).status_code == 200
        assert (await browser.get("/customers")).headers["location"] == "/portal"
        assert (await browser.get("/sign-in")).headers["location"] == "/portal"
        ticket = await browser.post(
            "/v1/tickets", headers={"Authorization": f"Bearer {CUSTOMER_KEY}"}
        )
        assert (await browser.get(ticket.json()["path"])).headers["location"] == "/portal"


async def test_who_has_no_session_is_asked_for_the_link_and_not_for_a_key(own):
    async with portal(own) as browser:
        for path in (*PAGES, *FILES):
            answer = await browser.get(path)
            assert answer.status_code == 401, path
            assert "Please open your link again" in answer.text
        assert all(not service.asked for service in own.values())


async def test_signing_out_ends_the_session_for_the_old_cookie_too(own):
    async with portal(own) as browser:
        await as_customer(browser)
        old = browser.cookies["gt"]
        answer = await browser.post("/portal/sign-out")
        assert answer.headers["location"] == "/portal/signed-out"
        assert "You are signed out" in (await browser.get("/portal/signed-out")).text
        browser.cookies.set("gt", old)
        assert (await browser.get("/portal")).status_code == 401


async def test_no_page_holds_the_key_a_script_or_a_hostile_name(own):
    async with portal(own) as browser:
        await as_customer(browser)
        for path in PAGES:
            text = (await browser.get(path)).text
            assert KEY not in text
            assert "<script" not in text
            assert HOSTILE not in text
            assert "City Power &lt;b&gt;" in text
        assert "&lt;img" in (await browser.get("/portal")).text


@pytest.mark.parametrize("away", SERVICES)
async def test_a_dead_service_costs_its_panels_only(own, away):
    async with portal(own) as browser:
        await as_customer(browser)
        await browser.get("/portal")
        own[away].is_away = True
        start = await browser.get("/portal")
        bill = await browser.get("/portal/bills/i3")
        account = await browser.get("/portal/account")
    assert start.status_code == 200
    assert ("cannot be shown just now" in start.text) == (away in {"billing", "ledger"})
    assert "What you owe" in start.text
    assert "This period so far" in start.text
    assert bill.status_code == (502 if away == "billing" else 200)
    assert account.status_code == (502 if away == "billing" else 200)
    assert "does not answer" not in start.text + bill.text + account.text


async def test_a_link_opens_with_billing_away_and_not_with_all_away(own):
    own["simulation"] = Service({})
    async with portal(own) as browser:
        link = await link_for(browser)
        own["billing"].is_away = True
        assert (await browser.get(link)).headers["location"] == "/portal"
        browser.cookies.clear()
        for service in own.values():
            service.is_away = True
        answer = await browser.get(link)
        assert answer.status_code == 503
        assert "Please try again in a moment" in answer.text


@pytest.mark.parametrize(
    ("stored", "accepts", "said", "lang"),
    [
        ("de", "sv", "Was Sie schulden", "de"),
        ("de-AT", "", "€ 84,00", "de-AT"),
        ("sv", "", "Vad ni är skyldig", "sv"),
        (None, "fr-CA;q=0.9, en;q=0.2", "Ce que vous devez", "fr-CA"),
        (None, "xx, *", "What you owe", "en"),
        ("it", "", "What you owe", "en"),
    ],
)
async def test_the_portal_speaks_the_customers_language(own, stored, accepts, said, lang):
    own["billing"].answers["/v1/customers/c1"] = {
        **own["billing"].answers["/v1/customers/c1"], "language": stored,
    }  # fmt: skip
    async with portal(own) as browser:
        await as_customer(browser)
        answer = await browser.get("/portal", headers={"Accept-Language": accepts})
    assert said in answer.text.replace("\u00a0", " ")
    assert f'<html lang="{lang}">' in answer.text


async def test_a_customer_chooses_a_language_for_the_session(own):
    async with portal(own) as browser:
        await as_customer(browser)
        answer = await browser.post("/portal/language", data={"language": "sv"})
        assert answer.headers["location"] == "/portal"
        assert "Vad ni är skyldig" in (await browser.get("/portal")).text
        await browser.post("/portal/language", data={"language": "<b>"})
        assert "Hittades inte" in (await browser.get("/portal/bills/i9")).text


async def test_a_customer_without_bills_learns_when_they_come(own):
    own["billing"].answers["/v1/invoices"] = {"items": [], "next_cursor": None}
    own["ledger"].answers["/v1/customers/c1/balance"] = {"customer_id": "c1", "currencies": []}
    async with portal(own) as browser:
        await as_customer(browser)
        start = text_of(await browser.get("/portal"))
        bills = text_of(await browser.get("/portal/bills"))
        usage = text_of(await browser.get("/portal/usage?at=2023-01"))
    assert "Nothing to pay" in start
    assert "It comes when its period is over" in start
    assert "Your first bill comes here" in bills
    assert "Nothing was measured" in usage


@pytest.mark.parametrize(
    ("balance", "arrears", "said"),
    [
        ("0.00", "0.00", "To pay €0.00 All is paid."),
        ("-5.00", "0.00", "In your favour €5.00"),
        ("84.00", "20.00", "€20.00 of it is overdue"),
    ],
)
async def test_what_is_owed_in_each_state(own, balance, arrears, said):
    item = own["ledger"].answers["/v1/customers/c1/balance"]["currencies"][0]
    own["ledger"].answers["/v1/customers/c1/balance"] = {
        "customer_id": "c1", "currencies": [item | {"balance": balance, "arrears": arrears}],
    }  # fmt: skip
    async with portal(own) as browser:
        await as_customer(browser)
        assert said in text_of(await browser.get("/portal"))
