"""A customer sends readings in Chromium: by keyboard, without JavaScript, into the ledger."""

from datetime import UTC, datetime, timedelta

import pytest

from browser.conftest import HOSTILE, PICTURES
from browser.looks import enter_portal, looked_at

PATH = "/portal/readings"


@pytest.fixture(scope="module")
async def reader(site):
    """A customer whose property, of a hostile name, has registers: one was read twice."""
    async with site.running.installation.as_tenant() as api:
        customer = await api.post("billing", "/v1/customers", {"name": "Ada", "currency": "EUR"})
        home = {"name": HOSTILE, "zone": "UTC", "customer_id": customer["id"]}
        made = await api.post("ledger", "/v1/properties", home)
        [meter] = [item for item in made["meters"] if item["meter_type"] == "total"]
        for value, days_ago in (("900", 120), ("1000", 20)):
            read_at = (datetime.now(UTC) - timedelta(days=days_ago)).isoformat()
            reading = {"value": value, "read_at": read_at}
            await api.post("ledger", f"/v1/meters/{meter['id']}/readings", reading)
    return {"customer_id": customer["id"], "meter_id": meter["id"], "name": meter["name"]}


async def readings_of(site, reader):
    async with site.running.installation.as_tenant() as api:
        listed = await api.get("ledger", "/v1/readings", meter_id=reader["meter_id"])
    return [(item["value"], item["note"]) for item in listed["items"]]


async def test_a_reading_is_sent_by_keyboard_and_what_is_wrong_is_said_at_its_field(site, reader):
    PICTURES.mkdir(parents=True, exist_ok=True)
    async with site.visitor() as visitor:
        page, text = visitor.page, visitor.page.locator("main")
        await enter_portal(visitor, reader)
        await page.get_by_role("link", name="Usage", exact=True).click()
        await page.get_by_role("link", name="Send a reading").click()
        await page.wait_for_url(f"**{PATH}")
        found = await looked_at(visitor, PATH, {})
        field = page.get_by_label(reader["name"], exact=True)
        assert "1,000" in await text.inner_text()
        visitor.refusal_is_fine = True
        for typed, said in (
            (HOSTILE, "Enter the number that the meter shows."),
            ("999", "This is lower than the last reading, 1,000."),
        ):
            await field.fill(typed)
            async with page.expect_navigation():
                await field.press("Enter")
            assert said in await text.inner_text()
            assert await field.input_value() == typed
            assert await field.get_attribute("aria-invalid") == "true"
        for width in (1280, 390):
            await page.set_viewport_size({"width": width, "height": 800})
            await page.screenshot(path=PICTURES / f"portal-readings-asked-{width}.png")
        visitor.refusal_is_fine = False
        await field.fill("1010")
        await field.press("Enter")
        await page.get_by_text("Thank you.").wait_for()
        assert "1,010" in await text.inner_text()
        found += await looked_at(visitor, PATH, {})
        assert found == [], "\n".join(found)
    assert (await readings_of(site, reader))[-1] == ("1010", "read by the customer")


async def test_a_doubtful_reading_is_confirmed_without_javascript(site, reader):
    async with site.visitor(java_script_enabled=False) as visitor:
        page = visitor.page
        await enter_portal(visitor, reader)
        await page.get_by_role("button", name="Svenska").click()
        visitor.refusal_is_fine = True
        await visitor.open(PATH)
        await page.get_by_label(reader["name"], exact=True).fill("998,5")
        await page.get_by_role("button", name="Skicka").click()
        await page.get_by_role("button", name="Det stämmer: skicka").click()
        await page.get_by_text("Tack.").wait_for()
    assert ("998.5", "read by the customer") in await readings_of(site, reader)
