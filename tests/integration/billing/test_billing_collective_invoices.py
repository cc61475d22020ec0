"""Collective invoices: agreements of a customer share one, with a section for each period."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from doubles.billing.collective import REDUCED, collective_homes, issued, ok, pending, the_invoice
from gridtally.kernel.periods import Period

MONTH_START, MONTH_END = date(2025, 3, 1), date(2025, 4, 1)


@pytest.fixture
async def api(clients, world):
    return await clients(world.tenant, "billing:read", "billing:write")


async def test_two_meters_share_one_invoice(api, world, make):
    """March of 743 hours at 100 Wh a quarter of an hour: 297.2 kWh at 0.30 is 89.16; with 12.50
    101.66, and 19 % of it 19.32: 120.98 for each, 241.96 for both."""
    one, other = await collective_homes(world, make)
    await world.close(make.closed(one))
    await world.issue_collective()
    assert await issued(world) == []
    (held,) = await world.held()
    assert held["reason"] == "collective_pending"

    await world.close(make.closed(other))
    await world.issue_collective()
    assert await issued(world) == [("INV-2025-000001", "241.96", 2, None)]
    assert await world.held() == []
    assert (await api.get("/v1/reconciliation")).json()["breaches"] == []
    assert [topic for topic, _ in await world.emitted()] == ["invoice.issued.v1"]


async def test_each_section_has_its_lines_and_taxes(api, world, make):
    """120.98 with 19 % and 63.60 with 7 %: 184.58, of which 19.32 + 4.16 = 23.48 are taxes."""
    homes = await collective_homes(world, make, documents=[make.FLAT, REDUCED])
    await world.close(*map(make.closed, homes))
    await world.issue_collective()
    invoice = await the_invoice(api)
    assert (invoice["net"], invoice["tax"], invoice["total"]) == ("161.10", "23.48", "184.58")
    assert (invoice["start_on"], invoice["end_on"]) == ("2025-03-01", "2025-04-01")
    assert invoice["agreement_id"] == invoice["customer_id"]
    by_agreement = {section["agreement_id"]: section for section in invoice["sections"]}
    assert [by_agreement[str(home.id)]["total"] for home in homes] == ["120.98", "63.60"]
    counts = [section["line_count"] for section in invoice["sections"]]
    assert sum(counts) == len(invoice["lines"]) == 5
    assert sum(Decimal(line["amount"]) for line in invoice["lines"]) == Decimal("184.58")
    # Each section is found by its own id, and by agreement and meter its invoice is.
    for section in invoice["sections"]:
        own = (await api.get(f"/v1/invoices/{section['section_id']}")).json()
        assert own["collective_id"] == invoice["id"]
        assert own["number"].startswith("INV-2025-000001/")
        assert own["evidence"]["expected_intervals"] == 2972
        recalculated = (await api.get(f"/v1/invoices/{own['id']}/recalculation")).json()
        assert recalculated["agrees"]
        for name in ("agreement_id", "meter_id"):
            listed = (await api.get("/v1/invoices", params={name: own[name]})).json()["items"]
            assert [item["id"] for item in listed] == [invoice["id"]]
    for path in ("recalculation", "explanation", "evidence"):
        refused = await api.get(f"/v1/invoices/{invoice['id']}/{path}")
        assert refused.json()["code"] == "invoice_collective"
    assert await ok(api)


async def test_a_plan_switch_makes_two_sections_of_one_invoice(api, world, make):
    """A meter on FLAT until the 16th, then on twice the price: 15 and 16 of March's 31 days.

    15 days of 96 quarters at 100 Wh: 144 kWh at 0.30 are 43.20; 12.50 × 15/31 = 6.05 (6.0484).
    16 days, one of 23 hours: 153.2 kWh at 0.60 are 91.92; 25 × 16/31 = 12.90 (12.9032).
    Taxes: 19 % of 49.25 are 9.36 (9.3575), of 104.82 19.92 (19.9158).
    """
    double = {
        **make.FLAT,
        "components": [
            {"kind": "fixed", "id": "base", "rate": "25", "per": "month"},
            {"kind": "energy", "id": "energy", "rate": "0.60"},
            {"kind": "tax", "id": "vat", "rate": "0.19", "component_ids": ["base", "energy"]},
        ],
    }
    tariffs = [uuid4(), uuid4()]
    meter_id = uuid4()
    for tariff_id, document in zip(tariffs, (make.FLAT, double), strict=True):
        await world.publish(make.published(tariff_id, document))
    await world.register(make.registered(meter_id))
    switched_on = date(2025, 3, 16)
    before = make.agreement(tariff_id=tariffs[0], meter_id=meter_id, end_on=switched_on)
    after = make.agreement(tariff_id=tariffs[1], meter_id=meter_id, start_on=switched_on)
    after = replace(after, customer_id=before.customer_id)
    for agreement in (before, after):
        await world.agree_on(agreement, invoicing="collective")
    await world.close(make.closed(before, period=Period(MONTH_START, switched_on)))
    await world.issue_collective()
    (waits,) = await pending(api)
    assert (waits["start_on"], waits["end_on"]) == ("2025-03-01", "2025-04-01")
    assert waits["missing"] == [
        {
            "agreement_id": str(after.id), "start_on": "2025-03-16", "end_on": "2025-04-01",
            "reason": "not_closed",
        }
    ]  # fmt: skip
    await world.close(make.closed(after, period=Period(switched_on, MONTH_END)))
    await world.issue_collective()
    invoice = await the_invoice(api)
    first, second = invoice["sections"]
    assert (first["start_on"], first["end_on"]) == ("2025-03-01", "2025-03-16")
    assert (first["net"], first["tax"]) == ("49.25", "9.36")
    assert (second["net"], second["tax"]) == ("104.82", "19.92")
    assert invoice["total"] == "183.35"
    versions = {line["tariff_version_id"] for line in invoice["lines"]}
    assert len(versions) == 2
    assert await pending(api) == []
    assert await ok(api)


async def test_a_correction_of_one_meter_credits_and_reissues_the_whole(api, world, make):
    """At 90 Wh a quarter 267.48 kWh are 80.24: 92.74 and 17.62 taxes, 110.36 instead of 120.98."""
    one, other = await collective_homes(world, make)
    await world.close(make.closed(one), make.closed(other))
    await world.issue_collective()
    first = await the_invoice(api)
    await world.close(make.closed(other, revision=2, wh=90))
    await world.issue_collective()
    assert await issued(world) == [
        ("INV-2025-000001", "241.96", 2, "CN-2025-000001"),
        ("INV-2025-000002", "231.34", 2, None),
    ]
    invoice = await the_invoice(api)
    changes = {section["agreement_id"]: section["change"] for section in invoice["sections"]}
    assert changes == {str(one.id): None, str(other.id): "revision"}
    restated = {section["agreement_id"]: section["restatement"] for section in invoice["sections"]}
    assert restated == {str(one.id): 1, str(other.id): 0}
    position = [s["agreement_id"] for s in first["sections"]].index(str(other.id)) + 1
    (note,) = (await api.get("/v1/credit-notes")).json()["items"]
    assert note["total"] == "241.96"
    assert note["reason"] == (
        f"section {position} (from 2025-03-01 to 2025-04-01) is replaced by revision 2 of its "
        "period; the other sections stay as they were"
    )
    revisions = [(r["number"], r["state"]) for r in invoice["revisions"]]
    assert revisions == [("INV-2025-000001", "void"), ("INV-2025-000002", "issued")]
    for section in invoice["sections"]:
        recalculated = await api.get(f"/v1/invoices/{section['section_id']}/recalculation")
        assert recalculated.json()["agrees"]
    for section in first["sections"]:
        old = (await api.get(f"/v1/invoices/{section['section_id']}")).json()
        assert (old["state"], old["left"]) == ("void", "0.00")
    assert (await world.value("SELECT total FROM issued_total")) == Decimal("231.34")
    assert await ok(api)
    # Both at once, and a repeated message: one credit note, one invoice.
    messages = [make.closed(home, revision=3, wh=80) for home in (one, other)]
    await world.close(*messages)
    await world.close(*messages)
    await world.issue_collective()
    await world.retry_all()
    assert [row[3] for row in await issued(world)] == ["CN-2025-000001", "CN-2025-000002", None]
    assert await ok(api)


async def test_what_is_missing_is_waited_for_until_the_grace_time_is_over(api, world, make):
    one, other = await collective_homes(world, make, collective_grace_hours=24)
    await world.close(make.closed(one))
    (waits,) = await pending(api)
    assert waits["present"] == [
        {"agreement_id": str(one.id), "start_on": "2025-03-01", "end_on": "2025-04-01"}
    ]
    assert [missing["agreement_id"] for missing in waits["missing"]] == [str(other.id)]
    await world.issue_collective(make.NOW + timedelta(hours=23))
    assert await issued(world) == []
    await world.issue_collective(make.NOW + timedelta(hours=24))
    assert await issued(world) == [("INV-2025-000001", "120.98", 1, None)]
    # What comes late follows on an invoice of its own, at once.
    await world.close(make.closed(other))
    await world.issue_collective()
    assert [row[:3] for row in await issued(world)] == [
        ("INV-2025-000001", "120.98", 1), ("INV-2025-000002", "120.98", 1),
    ]  # fmt: skip
    assert await ok(api)


async def test_a_held_member_is_named_and_the_invoice_released_by_hand(api, world, make):
    one, other = await collective_homes(world, make)
    values = [None] + [100] * 2971
    await world.close(make.closed(one), make.closed(other, values=values))
    await world.issue_collective()
    (waits,) = await pending(api, customer_id=str(one.customer_id))
    assert [missing["reason"] for missing in waits["missing"]] == ["values_missing"]
    assert await pending(api, customer_id=str(uuid4())) == []
    body = {"customer_id": str(one.customer_id), "start_on": "2025-03-01"}
    path = "/v1/pending-collective-invoices/release"
    for _ in range(2):
        assert (await api.post(path, json=body)).json() == {"released": 1}
    (waits,) = await pending(api)
    assert waits["released_by"] is not None
    await world.issue_collective()
    assert [row[:3] for row in await issued(world)] == [("INV-2025-000001", "120.98", 1)]
    refused = await api.post(path, json=body)
    assert (refused.status_code, refused.json()["code"]) == (404, "collective_unknown")
    await world.close(make.closed(other, revision=2))
    await world.issue_collective()
    assert len(await issued(world)) == 2
    assert await ok(api)
