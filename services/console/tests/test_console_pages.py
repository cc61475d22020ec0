"""Pages over four small services: who gets in, what a dead service costs, what is never shown."""

import re

import pytest

from doubles.console import KEY, SERVICES, Service, console, page

HOSTILE = '<img src=x onerror="alert(1)">'
CUSTOMER = {"id": "c1", "name": HOSTILE, "currency": "EUR", "email": None}
BALANCE = {
    "currencies": [
        {
            "currency": "EUR", "balance": "64.44", "receivable": "64.44", "arrears": "0.00",
            "prepaid": "0.00", "export_payable": "0.00", "invoiced_total": "64.44",
        }
    ]
}  # fmt: skip


@pytest.fixture
def services():
    return {
        "ingest": Service({}),
        "tariff": Service({"/v1/tariffs": page()}),
        "billing": Service(
            {
                "/v1/customers": page(CUSTOMER),
                "/v1/customers/c1": CUSTOMER,
                "/v1/invoices": page(),
                "/v1/agreements": page(),
                "/v1/held-invoices": page(),
            }
        ),
        "ledger": Service(
            {
                "/v1/customers/c1/balance": BALANCE,
                "/v1/invoices": page(),
                "/v1/transactions": page(),
            }
        ),
    }


async def signed_in(browser):
    answer = await browser.post("/sign-in", data={"key": KEY})
    assert answer.status_code == 303
    return browser


async def test_a_page_needs_a_session_and_comes_back_to_it(services):
    async with console(services) as browser:
        answer = await browser.get("/customers?cursor=x")
        assert answer.headers["location"] == "/sign-in?next=/customers%3Fcursor%3Dx"
        answer = await browser.post("/sign-in", data={"key": KEY, "next": "/customers"})
        assert answer.headers["location"] == "/customers"


@pytest.mark.parametrize("asked_id", ["c1%3Flimit=1", "c1%23top", "c1%25", "%2e%2e", "%2e"])
async def test_an_id_stays_a_part_of_the_path_that_a_service_is_asked(services, asked_id):
    async with console(services) as browser:
        await signed_in(browser)
        for service in services.values():
            service.asked.clear()
        answer = await browser.get(f"/customers/{asked_id}")
        assert answer.status_code == 404
        asked = [request.url for service in services.values() for request in service.asked]
        assert {url.path for url in asked}.isdisjoint({"/v1/", "/v1/customers", "/v1/customers/c1"})
        assert all(b"limit" not in url.query for url in asked)


@pytest.mark.parametrize("going_to", ["//evil.example", "https://evil.example", "/\\evil.example"])
async def test_signing_in_leads_nowhere_else(services, going_to):
    async with console(services) as browser:
        answer = await browser.post("/sign-in", data={"key": KEY, "next": going_to})
        assert answer.headers["location"] == "/"


async def test_a_wrong_key_is_refused_and_five_a_minute_are_enough(services):
    async with console(services) as browser:
        for _ in range(5):
            answer = await browser.post("/sign-in", data={"key": "gt_wrong"})
            assert answer.status_code == 422
            assert "No service accepts this key" in answer.text
        answer = await browser.post("/sign-in", data={"key": KEY})
        assert answer.status_code == 429
        assert "gt" not in browser.cookies


async def test_the_cookie_is_for_this_origin_and_no_script(services):
    async with console(services) as browser:
        cookie = (await browser.post("/sign-in", data={"key": KEY})).headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert KEY not in cookie
    async with console(services, public_url="https://console.example") as browser:
        cookie = (await browser.post("/sign-in", data={"key": KEY})).headers["set-cookie"]
        assert cookie.startswith("__Host-gt=")
        assert "Secure" in cookie


async def test_a_link_signs_in_once(services):
    async with console(services) as browser:
        asked = await browser.post("/v1/tickets", headers={"Authorization": f"Bearer {KEY}"})
        path = asked.json()["path"]
        assert KEY not in path
        entered = await browser.get(path)
        assert entered.headers["location"] == "/"
        browser.cookies.clear()
        again = await browser.get(path)
        assert again.status_code == 410
        assert "used already" in again.text
        refused = await browser.post("/v1/tickets", headers={"Authorization": "Bearer gt_wrong"})
        assert refused.status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "", "Origin": "http://evil.example"},
    ],
)
async def test_a_form_of_another_site_changes_nothing(services, headers):
    async with console(services) as browser:
        await signed_in(browser)
        answer = await browser.post("/ledger/payments", data={"amount": "1"}, headers=headers)
        assert answer.status_code == 403
        assert [request for request in services["ledger"].asked if request.method == "POST"] == []


async def test_every_answer_says_what_a_browser_may_do(services):
    async with console(services) as browser:
        for path in ("/sign-in", "/nothing", "/assets/x/console.css"):
            headers = (await browser.get(path)).headers
            policy = headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert headers["x-content-type-options"] == "nosniff"
        assert "no-store" in (await browser.get("/sign-in")).headers["cache-control"]


async def test_hostile_names_stay_text_and_figures_are_whole(services):
    async with console(services) as browser:
        await signed_in(browser)
        for path in ("/customers", "/customers/c1"):
            text = (await browser.get(path)).text
            assert HOSTILE not in text
            assert "&lt;img" in text
            assert "64.44" in text


@pytest.mark.parametrize(
    ("customer_id", "kinds"),
    [
        ("c1", ["invoice"]),
        ("c1", ["charge"]),  # an opening balance, or what else is no invoice of billing
        (None, []),  # the settlement of a payee
    ],
)
async def test_a_transaction_shows_what_it_paid(services, customer_id, kinds):
    part = {"invoice_id": "i1", "number": "INV-1", "source_id": "t1", "amount": "9.00"}
    allocations = [part | {"kind": kind} for kind in kinds]
    postings = [{"account_code": "cash", "amount": "9.00"}]
    services["ledger"].answers["/v1/transactions/t1"] = {
        "id": "t1", "kind": "payment", "customer_id": customer_id, "currency": "EUR",
        "reference": "R-1", "memo": "", "reverses_id": None, "correlation_id": "c",
        "occurred_at": "2025-03-01T00:00:00Z", "recorded_at": "2025-03-01T00:00:00Z",
        "postings": postings, "allocations": allocations,
    }  # fmt: skip
    async with console(services) as browser:
        await signed_in(browser)
        answer = await browser.get("/ledger/transactions/t1")
    assert answer.status_code == 200
    assert ("INV-1" in answer.text) == bool(kinds)
    assert ('href="/invoices/i1"' in answer.text) == (kinds == ["invoice"])


async def test_an_id_that_is_not_ours_is_not_here(services):
    async with console(services) as browser:
        await signed_in(browser)
        answer = await browser.get("/customers/c2")
        assert answer.status_code == 404
        assert "There is nothing here" in answer.text


@pytest.mark.parametrize("away", SERVICES)
async def test_a_dead_service_costs_its_panels_only(services, away):
    async with console(services) as browser:
        await signed_in(browser)
        services[away].is_away = True
        answer = await browser.get("/")
        assert answer.status_code == 200
        assert f"{away} does not answer" in answer.text
        if away == "ledger":
            customer = await browser.get("/customers/c1")
            assert customer.status_code == 200
            assert "Ledger does not answer" in customer.text
            assert "Latest invoices" in customer.text


async def test_a_revoked_key_leads_to_the_sign_in(services):
    async with console(services) as browser:
        await signed_in(browser)
        services["billing"].answers["/v1/customers"] = None
        for service in services.values():
            service._problem = lambda *_, own=service: Service._problem(
                own, 401, {"code": "unauthorized", "detail": "revoked"}
            )
        answer = await browser.get("/customers")
        assert answer.headers["location"].startswith("/sign-in")


async def test_nobody_signed_out_comes_back_with_the_old_cookie(services):
    async with console(services) as browser:
        await signed_in(browser)
        old = browser.cookies["gt"]
        await browser.post("/sign-out")
        browser.cookies.set("gt", old)
        assert (await browser.get("/customers")).status_code == 303


async def test_no_page_holds_the_key_and_every_list_teaches(services):
    async with console(services) as browser:
        await signed_in(browser)
        for path in ("/", "/customers", "/invoices", "/held", "/tariffs", "/developers"):
            text = (await browser.get(path)).text
            assert KEY not in text
            assert re.search(r"<h1>[^<]+", text)
        assert "Every period that has closed is billed" in (await browser.get("/held")).text
