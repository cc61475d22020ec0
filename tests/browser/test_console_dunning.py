"""Dunning notices, direct debits and alert rules in Chromium: figures, forms, hostile names."""

from datetime import UTC, datetime, timedelta

import pytest

from browser.conftest import HOSTILE, PICTURES
from browser.looks import looked_at
from faults.polling import until

TODAY = datetime.now(UTC).date()
IBAN = "DE02120300000000202051"


@pytest.fixture(scope="module")
async def overdue(site):
    """A notice to somebody whose invoice is overdue, and a batch that collects it, by a mandate of
    a hostile holder."""
    async with site.running.installation.as_tenant() as api:
        who = (await api.get("billing", "/v1/customers", limit=1))["items"][0]["id"]
        before = {
            "customer_id": who, "currency": "EUR", "amount": "80.00", "reference": "OLD-1",
            "occurred_at": "2025-01-01T00:00:00Z", "due_on": "2025-01-15",
        }  # fmt: skip
        await api.post("ledger", "/v1/opening-balances/batch", {"items": [before]})
        fees = [{"currency": "EUR", "amount": "5.00"}]
        level = {"name": HOSTILE, "after_days": 3, "days_to_pay": 4, "fees": fees}
        await api.call("ledger", "PUT", "/v1/dunning-rules", json_body={"levels": [level]})
        await api.post("ledger", "/v1/dunning-runs", {})

        async def noticed():
            return (await api.get("ledger", "/v1/dunning-notices"))["items"]

        await until("a notice", noticed)
        [notice] = await noticed()
        assert notice["customer_id"] == who
        creditor = {"creditor_id": "DE98ZZZ09999999999", "name": "Stadtwerke", "iban": IBAN}
        await api.call("ledger", "PUT", "/v1/direct-debit-settings", json_body=creditor)
        mandate = {"mandate_id": "M-1", "signed_on": str(TODAY), "iban": IBAN, "holder": HOSTILE}
        await api.call("ledger", "PUT", f"/v1/customers/{who}/mandate", json_body=mandate)
        days = {"due_through": str(TODAY), "collection_on": str(TODAY + timedelta(days=5))}
        batch = await api.post("ledger", "/v1/direct-debits", days)
    return {"notice": notice, "batch": batch, "customer_id": who}


async def test_a_notice_is_shown_as_the_api_has_it_and_withdrawn_by_keyboard(site, overdue):
    PICTURES.mkdir(parents=True, exist_ok=True)
    notice = overdue["notice"]
    async with site.visitor() as visitor, site.running.installation.as_tenant() as api:
        page, text = visitor.page, visitor.page.locator("main")
        found = await looked_at(visitor, "/ledger/dunning", {})
        await page.locator(f'a[href="/ledger/dunning/{notice["id"]}"]').press("Enter")
        await page.wait_for_url("**/ledger/dunning/*")
        found += await looked_at(visitor, f"/ledger/dunning/{notice['id']}", {})
        assert found == [], "\n".join(found)
        shown = await text.inner_text()
        assert HOSTILE in shown
        for amount in (notice["total"], notice["fee"], *(own["open"] for own in notice["items"])):
            assert f"{float(amount):,.2f}" in shown
        await page.get_by_label("Why").select_option("disputed")
        await page.get_by_role("button", name="Withdraw, with its fee").press("Enter")
        await page.get_by_text("the debt is disputed").wait_for()
        seen = await api.get("ledger", f"/v1/dunning-notices/{notice['id']}")
        assert (seen["state"], seen["withdraw_reason"]) == ("withdrawn", "disputed")
        visitor.missing_is_fine = True
        await visitor.open(f"/ledger/dunning/{overdue['customer_id']}", status=404)


async def test_a_batch_and_a_mandate_are_shown(site, overdue):
    batch = overdue["batch"]
    async with site.visitor() as visitor:
        text = visitor.page.locator("main")
        found = await looked_at(visitor, "/ledger/direct-debits", {})
        found += await looked_at(visitor, f"/ledger/direct-debits/{batch['id']}", {})
        assert found == [], "\n".join(found)
        shown = await text.inner_text()
        for debit in batch["debits"]:
            assert debit["number"] in shown
            assert f"{float(debit['amount']):,.2f}" in shown
        await visitor.open(f"/customers/{overdue['customer_id']}/account")
        assert HOSTILE in await text.inner_text()


async def test_alert_rules_are_saved_without_javascript(site):
    async with site.running.installation.as_tenant() as api:
        before = await api.get("ingest", "/v1/alert-rules")
        async with site.visitor(java_script_enabled=False) as visitor:
            page = visitor.page
            await visitor.open("/operations/alert-rules")
            await page.get_by_label("Dead meter", exact=True).select_option("raise")
            limit = page.get_by_label("Dead meter: limit in", exact=False)
            await limit.fill("0")
            visitor.refusal_is_fine = True
            await page.get_by_role("button", name="Save rules").click()
            assert await limit.get_attribute("aria-invalid") == "true"
            await limit.fill("96")
            await page.get_by_role("button", name="Save rules").click()
            await page.get_by_text("The rules are saved.").wait_for()
        after = await api.get("ingest", "/v1/alert-rules")
        [dead] = [own for own in after["settings"] if own["kind"] == "dead_meter"]
        assert (dead["action"], float(dead["limit"])) == ("raise", 96)
        kept = {"settings": before["settings"]}
        await api.call("ingest", "PUT", "/v1/alert-rules", json_body=kept)
