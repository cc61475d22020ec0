"""Every page of the console in Chromium: it is whole, its figures are the APIs', all can use it."""

import re

import pytest

from browser.conftest import HOMES, HOSTILE, PICTURES
from browser.looks import enter_portal, looked_at
from faults.polling import until
from gridtally.console.pages import ROUTERS

NO_PAGES = {
    "/assets/{digest}/{name:path}", "/favicon.ico", "/sign-in", "/enter",
    "/meters/{meter_id}/curve", "/invoices/{invoice_id}/document",
    "/invoices/{invoice_id}/proof", "/credit-notes/{credit_note_id}/document",
    "/customers/{customer_id}/cost/export", "/drafts/{draft_id}", "/billing-runs/{run_id}",
    "/simulations/runs/{run_id}/house-bills.csv", "/simulations/runs/{run_id}/profiles.zip",
    "/simulations/runs/{run_id}/houses/{house_node_id}/profile.csv",
    "/simulations/comparisons/{comparison_id}/{table}.{format_}",
    "/portal/enter", "/portal/signed-out", "/portal/bills/{invoice_id}/document",
    "/portal/credits/{credit_note_id}/document", "/portal/data/costs", "/portal/data/statement",
    "/portal/data/bills", "/portal/try/{calculation_id}", "/documentation", "/documentation/",
    "/documentation/{name:path}", "/ledger/dunning/{notice_id}",
    "/ledger/dunning/{notice_id}/letter", "/ledger/direct-debits/{batch_id}",
    "/ledger/direct-debits/{batch_id}/file",
}  # fmt: skip
"""What is got but is no page of somebody signed in; or is a file, or what a page loads; or a draft
or a run of drafts, of which the demo has none; or what a test of its own makes first."""
RUNS, COMPARISONS = "/v1/simulation-runs", "/v1/simulation-comparisons"


@pytest.fixture(scope="module")
async def known(site):
    """Ids to put into addresses, and the items that they are of."""
    async with site.running.installation.as_tenant() as api:
        invoices = [item async for item in api.items("billing", "/v1/invoices")]
        invoice = next(item for item in invoices if item["revision"] == 2)
        meter = await api.get("ledger", f"/v1/meters/{invoice['meter_id']}")
        tariffs = [item async for item in api.items("tariff", "/v1/tariffs")]
        credited = await api.get("ledger", "/v1/transactions", kind="credit_note", limit=1)
        [run] = (await api.get("simulation", RUNS, status="COMPLETED"))["items"]
        [bill] = (await api.get("simulation", f"{RUNS}/{run['id']}/house-bills", limit=1))["items"]
        comparison = await compared(api, run)
        payee = (await api.get("ledger", "/v1/payees", limit=1))["items"][0]
        alert = await raised(api)
    tariff = next(item for item in tariffs if "time" in item["code"])
    return {
        "customer_id": invoice["customer_id"], "invoice_id": invoice["id"],
        "meter_id": meter["id"], "property_id": meter["property_id"], "tariff_id": tariff["id"],
        "payee_id": payee["id"], "number": "1", "transaction_id": credited["items"][0]["id"],
        "quarantine_id": "00000000-0000-4000-8000-000000000001", "invoice": invoice,
        "run_id": run["id"], "house_node_id": bill["house_node_id"], "run": run,
        "comparison_id": comparison["id"], "alert_id": alert["id"],
    }  # fmt: skip


async def raised(api):
    """An alert: the demo's meters were read in a month long ago."""
    settings = [{"kind": "missing_readings", "action": "raise"}]
    await api.call("ingest", "PUT", "/v1/alert-rules", json_body={"settings": settings})

    async def alerts():
        return (await api.get("ingest", "/v1/alerts", limit=1))["items"]

    await until("an alert", alerts)
    return (await alerts())[0]


async def compared(api, run):
    """A comparison over the houses of a run, once it is complete."""
    flat = {"type": "SIMPLE_NET", "retail_price_per_kwh": "0.30", "currency": "EUR"}
    dear = flat | {"retail_price_per_kwh": "0.35"}
    names = ("billing_cycle_month", "billing_cycle_year", "topology_root_node_id")
    scenarios = [{"label": "today", "policy": flat}, {"label": "draft", "policy": dear}]
    body = {name: run[name] for name in names} | {
        "name": "Lab",
        "months": 1,
        "scenarios": scenarios,
    }
    made = await api.post("simulation", COMPARISONS, body)
    path = f"{COMPARISONS}/{made['id']}"
    await api.post("simulation", f"{path}/start")

    async def over():
        return (await api.get("simulation", path))["status"] == "COMPLETED"

    await until("the comparison", over)
    return made


def pages(*, of_portal=False):
    """The address of every page, as its route has it: of the staff's, or of the portal's."""
    paths = [route.path for router in ROUTERS for route in router.routes if "GET" in route.methods]
    shown = [path for path in paths if path not in NO_PAGES]
    return [path for path in shown if path.startswith("/portal") == of_portal]


async def test_every_page_is_whole_and_accessible_in_every_look(site, known):
    """No error, no policy broken, no request elsewhere (the visitor sees to it); one heading; no
    page wider than a phone; axe finds nothing serious, light and dark, wide and narrow."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    found = []
    async with site.visitor() as visitor:
        for path in pages():
            found += await looked_at(visitor, path, known)
    assert found == [], "\n".join(found)


async def test_an_alert_is_acknowledged_by_whoever_has_seen_it(site, known):
    async with site.visitor() as visitor:
        page = visitor.page
        await visitor.open(f"/operations/alerts/{known['alert_id']}")
        await page.get_by_label("Note").fill(HOSTILE)
        async with page.expect_navigation():
            await page.get_by_role("button", name="Acknowledge").click()
        await visitor.open("/operations/alerts")
        assert HOSTILE in await page.locator("main").inner_text()


async def test_a_customer_sees_the_portal_whole_and_accessible_and_nothing_of_others(site, known):
    """From the staff's link to each page in each look; figures are the APIs'; another customer's
    bill and the staff's pages are not there."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    async with site.visitor() as visitor, site.running.installation.as_tenant() as api:
        invoices = [item async for item in api.items("billing", "/v1/invoices")]
        others = next(x for x in invoices if x["customer_id"] != known["customer_id"])
        bill = await api.get("billing", f"/v1/invoices/{known['invoice_id']}")
        await enter_portal(visitor, known)
        found, text = [], visitor.page.locator("main")
        for path in pages(of_portal=True):
            found += await looked_at(visitor, path, known)
            if "cannot be shown" in await text.inner_text():
                found.append(f"{path}: a part is refused")
        assert found == [], "\n".join(found)
        await visitor.open(f"/portal/bills/{bill['id']}")
        shown = await text.inner_text()
        for line in bill["lines"]:
            assert f"{float(line['amount']):,.2f}" in shown
        assert "What was corrected" in shown
        await visitor.open(f"/portal/usage?at={bill['start_on'][:7]}")
        assert await visitor.page.locator("svg.chart:visible").count() == 1
        await visitor.open("/customers")
        assert visitor.page.url.endswith("/portal")
        visitor.missing_is_fine = True
        await visitor.open(f"/portal/bills/{others['id']}", status=404)


async def test_the_portal_reads_without_javascript(site, known):
    async with site.visitor(java_script_enabled=False) as visitor:
        page = visitor.page
        await enter_portal(visitor, known)
        for name in ("Bills", "Usage", "Account", "My data"):
            await page.get_by_role("link", name=name, exact=True).click()
            assert await page.locator("h1").inner_text() == name
        await page.get_by_role("button", name="Svenska").click()
        await page.get_by_role("link", name="Fakturor", exact=True).click()
        await page.get_by_role("button", name="Logga ut").click()
        await page.wait_for_url("**/portal/signed-out")


async def test_figures_are_the_apis(site, known):
    async with site.visitor() as visitor, site.running.installation.as_tenant() as api:
        text = visitor.page.locator("main")
        billing = await api.get("billing", "/v1/reconciliation")
        balances = await api.get("ledger", "/v1/trial-balance")
        await visitor.open("/")
        shown = await text.inner_text()
        for item in billing["currencies"]:
            assert f"{float(item['live_total']):,.2f}" in shown
        for item in balances["currencies"]:
            assert f"difference {item['difference']}" in shown
        invoice = await api.get("billing", f"/v1/invoices/{known['invoice_id']}")
        await visitor.open(f"/invoices/{invoice['id']}")
        shown = await text.inner_text()
        for line in invoice["lines"]:
            assert f"{float(line['amount']):,.2f}".replace("-", "−") in shown
        assert f"{float(invoice['total']):,.2f}" in shown
        assert "the same to the last digit" in shown
        balance = await api.get("ledger", f"/v1/customers/{invoice['customer_id']}/balance")
        await visitor.open(f"/customers/{invoice['customer_id']}/account")
        assert f"{float(balance['currencies'][0]['balance']):,.2f}" in await text.inner_text()


async def test_a_curve_is_drawn_and_read_out_by_keys(site, known):
    async with site.visitor() as visitor:
        await visitor.open(f"/meters/{known['meter_id']}")
        curve = visitor.page.locator("gt-series")
        assert await curve.locator("canvas").count() == 1
        await curve.focus()
        await visitor.page.keyboard.press("ArrowRight")
        assert re.search(r"2025, 00:15: [\d.]+ kWh", await curve.inner_text())


async def test_the_keyboard_alone_finds_an_invoice(site, known):
    number = known["invoice"]["number"]
    async with site.visitor() as visitor:
        page = visitor.page
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.textContent") == "Skip to the content"
        await page.keyboard.press("/")
        await page.keyboard.type(number)
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/search?q=*")
        while await page.evaluate("document.activeElement.textContent") != number:
            await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"**/invoices/{known['invoice_id']}")


async def test_a_filter_changes_the_list_in_place_and_stands_in_the_address(site):
    async with site.visitor() as visitor:
        page = visitor.page
        await visitor.open("/invoices")
        rows = page.locator("#invoices tbody tr")
        before = await rows.count()
        await page.get_by_label("State").select_option("void")
        await page.wait_for_url("**/invoices?*state=void*")
        assert 0 < await rows.count() < before
        assert (
            await page.locator("header.top").count() == 1
        )  # a part was changed, not a page put in


async def test_without_javascript_pages_read_and_forms_work(site, known):
    async with site.visitor(java_script_enabled=False) as visitor:
        page = visitor.page
        await visitor.open("/invoices")
        await page.get_by_label("State").select_option("void")
        await page.get_by_role("button", name="Filter").click()
        await page.wait_for_url("**/invoices?*state=void*")
        assert await page.locator("#invoices tbody tr").count() > 0
        await visitor.open(f"/meters/{known['meter_id']}")
        assert await page.locator("svg.chart").count() >= 2
        await page.get_by_role("button", name="Sign out").click()
        await page.wait_for_url("**/sign-in")


async def test_a_simulation_runs_to_its_end_without_a_reload(site, known):
    """Houses of the tree, two periods after one was added and two removed; bills as the API has
    them, and each with all its parts."""
    async with site.visitor() as visitor, site.running.installation.as_tenant() as api:
        page = visitor.page
        await visitor.open(
            f"/simulations/new?policy=TOU_RATE&node={known['run']['topology_root_node_id']}"
        )
        rows = page.get_by_label(re.compile(r"^Period \d+: label$"))
        await page.get_by_label("Name", exact=True).fill("By the evening")
        await page.get_by_label("Month").fill("2025-10")
        for row, values in enumerate((("peak", "17:00", "21:00", "0.40", "0.05"),
                                      ("rest", "21:00", "17:00", "0.20", "0.05")), 1):  # fmt: skip
            for label, value in zip(("label", "from", "to", "import rate", "export rate"), values,
                                    strict=True):  # fmt: skip
                await page.get_by_label(f"Period {row}: {label}").fill(value)
        await page.get_by_role("button", name="Add a period").click()
        await page.wait_for_load_state("networkidle")
        assert await rows.count() == 4
        for _ in range(2):
            await page.get_by_role("button", name="Remove period 3").click()
            await page.wait_for_load_state("networkidle")
        assert await rows.count() == 2
        await page.get_by_role("button", name="Start the run").click()
        await page.wait_for_url("**/simulations/runs/*")
        run_id = page.url.rpartition("/")[2]
        await page.get_by_text("All pay").wait_for(timeout=60_000)
        assert await page.locator("#live table tbody tr").count() == HOMES
        bills = await api.get("simulation", f"{RUNS}/{run_id}/house-bills", limit=500)
        total = sum(float(bill["calculated_bill_amount"]) for bill in bills["items"])
        assert f"{total:,.2f}" in await page.locator("main").inner_text()
        await page.locator("#live table tbody a").first.click()
        await page.wait_for_url(f"**/simulations/runs/{run_id}/houses/*")
        house_id = page.url.rpartition("/")[2]
        bill = await api.get("simulation", f"{RUNS}/{run_id}/house-bills/{house_id}")
        shown = await page.locator("main").inner_text()
        assert len(bill["bill_details"]["lines"]) >= 2
        for line in bill["bill_details"]["lines"]:
            assert f"{float(line['amount']):,.2f}".replace("-", "−") in shown


@pytest.mark.parametrize("has_script", [True, False])
async def test_a_comparison_is_made_in_its_form(site, known, has_script):
    """A scenario is added and removed again, a share that is none is refused at its field, and the
    figures are the API's; with JavaScript and without."""
    async with (
        site.visitor(java_script_enabled=has_script) as visitor,
        site.running.installation.as_tenant() as api,
    ):
        page = visitor.page
        await visitor.open("/simulations")
        await page.get_by_role("link", name="New comparison").first.click()
        await page.wait_for_url("**/simulations/compare")
        await page.get_by_role("link", name="a share of use moves").click()
        await page.wait_for_url("**/simulations/compare?shift=fixed_share")
        node_id = known["run"]["topology_root_node_id"]
        await page.get_by_label("Houses at or below").select_option(node_id)
        for label, value in (
            ("Name", f"Lab {has_script}"), ("First month, as 2025-10", "2025-10"), ("Months", "1"),
            ("Scenario 1: name", "today"), ("Scenario 1: import price per kWh", "0.30"),
            ("Scenario 2: name", "draft"), ("Scenario 2: import price per kWh", "0.35"),
            ("Share of use that moves, 0.1 is a tenth", "2"),
            ("Moves away from", "17:00"), ("Moves away until", "21:00"),
            ("Moves to times from", "00:00"), ("Moves to times until", "04:00"),
        ):  # fmt: skip
            await page.get_by_label(label, exact=True).fill(value)
        for number in (1, 2):
            billed_by = page.get_by_label(f"Scenario {number}: billed by")
            await billed_by.select_option("SIMPLE_NET")
        names = page.get_by_label(re.compile(r"^Scenario \d+: name$"))
        for button, count in (("Add a scenario", 3), ("Remove scenario 3", 2)):
            await page.get_by_role("button", name=button).click()
            await page.wait_for_load_state("networkidle")
            assert await names.count() == count
        visitor.refusal_is_fine = True
        await page.get_by_role("button", name="Compare").click()
        wrong = page.locator(".field.wrong")
        await wrong.wait_for()
        assert await wrong.locator("input").get_attribute("name") == "share"
        await page.get_by_label("Share of use that moves").fill("0.1")
        await page.get_by_role("button", name="Compare").click()
        await page.wait_for_url("**/simulations/comparisons/*")
        path = f"{COMPARISONS}/{page.url.rpartition('/')[2]}"

        async def over():
            return (await api.get("simulation", path))["status"] == "COMPLETED"

        await until("the comparison", over)
        if not has_script:  # with it the page moves by itself
            await page.reload()
        await page.get_by_text("draft: winners and losers").wait_for(timeout=30_000)
        results = await api.get("simulation", f"{path}/results")
        shown = await page.locator("main").inner_text()
        for scenario in results["scenarios"]:
            assert f"{float(scenario['revenue']):,.2f}" in shown
        assert results["scenarios"][1]["houses"] == HOMES


async def test_another_tenant_sees_nothing_of_it_and_hostile_names_stay_text(site, known):
    async with site.visitor(key=site.other.api_key) as visitor:
        await visitor.open("/customers")
        link = visitor.page.get_by_role("link", name=HOSTILE)
        assert await link.inner_text() == HOSTILE
        await link.click()
        await visitor.page.wait_for_url("**/customers/*")
        assert await visitor.page.locator("h1").inner_text() == HOSTILE
        assert await visitor.page.locator("main img").count() == 0
        visitor.missing_is_fine = True
        for path in pages():
            if "{" in path and "quarantine" not in path:
                await visitor.open(path.format(**known), status=404)


async def test_a_dead_service_costs_its_panels_only(site, known):
    """The last test: it kills the ledger, and brings it back."""
    ledger = site.running.stack.services["ledger"]
    ledger.kill()
    try:
        async with site.visitor() as visitor:
            await visitor.open("/")
            shown = await visitor.page.locator("main").inner_text()
            assert "ledger does not answer" in shown
            assert "Periods invoiced" in shown
            await visitor.open(f"/customers/{known['customer_id']}")
            shown = await visitor.page.locator("main").inner_text()
            assert "Ledger does not answer" in shown
            assert known["invoice"]["number"] in shown
    finally:
        ledger.start()
