"""A customer tries a tariff in Chromium: by keyboard, without JavaScript; figures are the API's."""

from datetime import date, timedelta

import pytest

from browser.conftest import HOSTILE, PICTURES
from browser.looks import enter_portal, looked_at
from faults.polling import until


@pytest.fixture(scope="module")
async def tried(site):
    """A customer with an invoice; and a tariff of a hostile name, with other prices, that is
    offered."""
    async with site.running.installation.as_tenant() as api:
        invoice = (await api.get("billing", "/v1/invoices", state="issued", limit=1))["items"][0]
        path = f"/v1/customers/{invoice['customer_id']}/offers"
        [present] = (await api.get("billing", path))["present"]
        tariffs = [item async for item in api.items("tariff", "/v1/tariffs")]
        model = next(item for item in tariffs if item["id"] != present["tariff_id"])
        version = await api.get("tariff", f"/v1/tariffs/{model['id']}/versions/1")
        named = {"code": "hostile", "name": HOSTILE, "currency": "EUR", "zone": model["zone"]}
        tariff = await api.post("tariff", "/v1/tariffs", named)
        drafted = {"effective_from": "2025-06-01", "document": version["document"]}
        versions = f"/v1/tariffs/{tariff['id']}/versions"
        await api.post("tariff", versions, drafted)
        await api.post("tariff", f"{versions}/1/publish")
        seller = {"name": "City Power", "offered_tariffs": ["hostile"]}
        await api.call("billing", "PUT", "/v1/seller", json_body=seller)

        async def offered():
            return (await api.get("billing", path))["offered"]

        await until("the offer", offered)
        [other] = await offered()
    last = date.fromisoformat(invoice["end_on"]) - timedelta(days=1)
    return {
        "customer_id": invoice["customer_id"], "first": invoice["start_on"], "last": str(last),
        "present": present, "other": other,
    }  # fmt: skip


async def try_it(page, tried):
    """Fill in the form; the button stays to be pressed."""
    await page.get_by_role("link", name="Tariffs", exact=True).click()
    await page.get_by_label("Tariff", exact=True).select_option(label=tried["other"]["name"])
    await page.get_by_label("For the usage of").select_option("own")
    await page.get_by_label("First day").fill(tried["first"])
    await page.get_by_label("Last day").fill(tried["last"])


async def test_a_tariff_is_tried_by_keyboard_and_its_figures_are_the_apis(site, tried):
    """The wrong days are said at their fields, and what was typed stays; then the total and each
    component are what billing stored, beside those of the present tariff."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    async with site.visitor() as visitor, site.running.installation.as_tenant() as api:
        page, text = visitor.page, visitor.page.locator("main")
        await enter_portal(visitor, tried)
        await try_it(page, tried)
        visitor.refusal_is_fine = True
        await page.get_by_label("Last day").fill("2001-01-01")
        await page.keyboard.press("Enter")
        wrong = page.get_by_text("The last day must not lie before the first one.")
        await wrong.wait_for()
        assert await page.get_by_label("First day").input_value() == tried["first"]
        assert await page.get_by_label("Last day").get_attribute("aria-invalid") == "true"
        await page.screenshot(path=PICTURES / "portal-try-wrong-1280.png")
        await page.get_by_label("Last day").fill(tried["last"])
        await page.get_by_label("Last day").press("Enter")
        await page.wait_for_url("**/portal/try/*beside=*")
        shown = await text.inner_text()
        path = f"/v1/customers/{tried['customer_id']}/calculations"
        by_version = {
            item["tariff_version_id"]: item for item in (await api.get("billing", path))["items"]
        }
        made = [by_version[tried[name]["tariff_version_id"]] for name in ("other", "present")]
        for item in made:
            assert len(item["breakdown"]) > 1
            for amount in (item["total_cost"], *item["breakdown"].values()):
                assert f"{abs(float(amount)):,.2f}" in shown
        result = page.url.removeprefix(visitor.base)
        assert HOSTILE in shown
        visitor.refusal_is_fine = False
        found = await looked_at(visitor, result, {})
        found += await looked_at(visitor, "/portal/try", {})
        assert found == [], "\n".join(found)
        assert await page.locator("main table a").count() == 1
        visitor.missing_is_fine = True
        await visitor.open(f"/portal/try/{tried['customer_id']}", status=404)


async def test_a_tariff_is_tried_without_javascript_in_ones_own_language(site, tried):
    async with site.visitor(java_script_enabled=False) as visitor:
        page = visitor.page
        await enter_portal(visitor, tried)
        await try_it(page, tried)
        await page.get_by_role("button", name="Calculate").click()
        await page.wait_for_url("**/portal/try/*")
        await page.get_by_role("button", name="Svenska").click()
        await page.get_by_role("link", name="Tariffer", exact=True).click()
        assert await page.locator("h1").inner_text() == "Prova en tariff"
