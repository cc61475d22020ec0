"""Collective invoices as documents and proofs, credited, carried forward, and in any order."""

import asyncio
import json
import random
import re
from datetime import timedelta
from decimal import Decimal

import pytest

from doubles.billing.collective import REDUCED, collective_homes, issued, ok, the_invoice
from gridtally.billing.handlers.collective_invoices import issue_collective_invoices
from gridtally.kernel.chain import Tampered
from gridtally.rating.proof.collective import verify


@pytest.fixture
async def api(clients, world):
    return await clients(world.tenant, "billing:read", "billing:write")


async def test_a_collective_invoice_is_proven_by_its_sections(api, world, make):
    one, other = await collective_homes(world, make, documents=[make.FLAT, REDUCED])
    await world.close(make.closed(one), make.closed(other))
    await world.issue_collective()
    await world.close(make.closed(other, revision=2, wh=90))
    await world.issue_collective()
    for state in ("void", "issued"):
        invoice = await the_invoice(api, state)
        proof = (await api.get(f"/v1/invoices/{invoice['id']}/proof")).json()
        proven = verify(proof, invoice["proof_root"])
        assert (proven.id, proven.number) == (invoice["id"], invoice["number"])
        assert (proven.total, proven.lines) == (invoice["total"], len(invoice["lines"]))
        for section in invoice["sections"]:
            own = (await api.get(f"/v1/invoices/{section['section_id']}/proof")).json()
            assert verify(own, section["proof_root"]).total == section["total"]
        tampered = json.loads(json.dumps(proof))
        tampered["sections"][1]["lines"][0]["amount"] = "0.01"
        with pytest.raises(Tampered, match="/sections/1: /lines/0 was changed"):
            verify(tampered)
        for fewer in (proof["sections"][:1], proof["sections"][::-1]):
            with pytest.raises(Tampered, match="/root"):
                verify({**proof, "sections": fewer})


async def test_documents_show_the_sections_with_their_own_taxes(api, world, make):
    seller = {
        "name": "Elbe Strom", "address": {"street": "Kai 1", "city": "Hamburg", "country": "DE"},
        "tax_id": "DE123456789", "language": "en",
    }  # fmt: skip
    assert (await api.put("/v1/seller", json=seller)).status_code == 200
    one, other = await collective_homes(world, make, documents=[make.FLAT, REDUCED])
    await world.close(make.closed(one), make.closed(other))
    await world.issue_collective()
    first = await the_invoice(api)
    await world.close(make.closed(other, revision=2, wh=90))
    await world.issue_collective()
    invoice = await the_invoice(api)
    path = f"/v1/invoices/{invoice['id']}/document"
    page = (await api.get(path, params={"format": "html"})).text
    for text in ("1. Meter Meter", "2. Meter Meter", "Together", "INV-2025-000001", "corrected"):
        assert text in page, text
    assert (await api.get(path, params={"format": "pdf"})).content[:5] == b"%PDF-"
    ubl = (await api.get(path, params={"format": "ubl"})).text
    percents = re.findall(r"<cac:TaxSubtotal>.*?<cbc:Percent>([0-9.]+)<", ubl, re.DOTALL)
    assert sorted(percents) == ["19", "7"]
    # 267.48 kWh at 0.20 are 53.50 (53.496), with 7 % of it 3.74 (3.745, to even): 57.24.
    assert invoice["total"] == "178.22"
    assert "178.22" in ubl
    cii = (await api.get(path, params={"format": "cii"})).text
    assert "<ram:GrandTotalAmount>178.22<" in cii
    (note,) = (await api.get("/v1/credit-notes")).json()["items"]
    text = (await api.get(f"/v1/credit-notes/{note['id']}/document?format=html")).text
    assert first["number"] in text
    assert "2. Meter Meter" in text
    refused = await api.get(f"/v1/invoices/{invoice['sections'][0]['section_id']}/document")
    assert refused.json()["code"] == "section_of_invoice"
    archive = await api.get("/v1/invoice-documents", params={"format": "html"})
    assert archive.status_code == 200


async def test_a_part_is_credited_within_its_section(api, world, make):
    """10.00 of the energy line of the first section, and 19 % of it, but nothing of the second."""
    homes = await collective_homes(world, make)
    await world.close(*map(make.closed, homes))
    await world.issue_collective()
    invoice = await the_invoice(api)
    body = {"reason": "goodwill", "lines": [{"position": 2, "amount": "10"}]}
    body["repeat_on_correction"] = False
    path = f"/v1/invoices/{invoice['id']}/credit-notes"
    answer = await api.post(path, json=body, headers={"Idempotency-Key": "a"})
    assert answer.status_code == 201, answer.text
    note = answer.json()
    assert (note["net"], note["tax"], note["total"]) == ("10.00", "1.90", "11.90")
    section = invoice["sections"][0]["section_id"]
    refused = await api.post(
        f"/v1/invoices/{section}/credit-notes", json=body, headers={"Idempotency-Key": "b"}
    )
    assert (refused.status_code, refused.json()["code"]) == (409, "section_of_invoice")
    # A correction credits the rest.
    await world.close(make.closed(homes[1], revision=2, wh=90))
    await world.issue_collective()
    notes = (await api.get("/v1/credit-notes")).json()["items"]
    assert sorted((own["extent"], own["total"]) for own in notes) == [
        ("part", "11.90"), ("rest", "230.06"),
    ]  # fmt: skip
    assert (await the_invoice(api))["total"] == "231.34"
    assert await ok(api)


async def test_arrears_are_named_once_and_balances_brought_forward(api, world, make):
    homes = await collective_homes(world, make)
    await world.owe(make.balance_changed(homes[0].customer_id, "50.00", "20.00", invoiced="0"))
    await world.close(*map(make.closed, homes))
    await world.issue_collective()
    invoice = await the_invoice(api)
    assert (invoice["brought_forward"], invoice["arrears"]) == ("50.00", "20.00")
    assert invoice["amount_due"] == "291.96"
    for section in invoice["sections"]:
        own = (await api.get(f"/v1/invoices/{section['section_id']}")).json()
        assert Decimal(own["brought_forward"]) == Decimal(own["arrears"]) == 0


async def test_state_goes_on_from_section_to_section(api, world, make):
    """500 kWh a year at 0.10, then 0.30: January's 297.6 and February's 268.8 kWh pass them."""
    homes = await collective_homes(world, make, documents=[make.TIERED, make.FLAT])
    for period in (make.FEBRUARY, make.JANUARY):
        await world.close(*(make.closed(home, period=period) for home in homes))
        await world.issue_collective()
    await world.retry_all()
    await world.issue_collective()
    tiered = [
        str(total)
        for total in await column(
            world, "SELECT total FROM invoice WHERE agreement_id = $1 ORDER BY start_on, revision",
            homes[0].id,
        )
    ]  # fmt: skip
    # 29.76; then 202.4 kWh at 0.10 and 66.4 at 0.30: 20.24 + 19.92
    assert tiered == ["29.76", "40.16"]
    await world.close(make.closed(homes[0], period=make.JANUARY, revision=2, wh=50))
    for _ in range(2):
        await world.issue_collective()
        await world.retry_all()
    live = await column(
        world,
        "SELECT i.total FROM invoice i WHERE agreement_id = $1 AND NOT EXISTS (SELECT FROM "
        "credit_note c WHERE c.invoice_id = i.collective_id) ORDER BY start_on",
        homes[0].id,
    )
    # 148.8 kWh are 14.88; then all of 268.8 kWh at 0.10: 26.88
    assert [str(total) for total in live] == ["14.88", "26.88"]
    assert await ok(api)


async def column(world, sql, *arguments):
    return [next(iter(row.values())) for row in await world.rows(sql, *arguments)]


@pytest.mark.parametrize("seed", range(6))
async def test_the_order_of_messages_changes_nothing(api, world, make, seed):
    """Months of up to four meters in two revisions, in any order, twice, in batches of any size,
    with the loop in between, and workers beside one another: the live sections are the invoices
    of the newest revisions, and the invoices are their sums."""
    chance = random.Random(seed)
    homes = await collective_homes(
        world, make, chance.randint(2, 4), documents=[make.FLAT, REDUCED, make.FLAT, REDUCED]
    )
    alone = world.another()
    documents = [make.FLAT, REDUCED, make.FLAT, REDUCED][: len(homes)]
    singles = [await alone.home(document=document) for document in documents]
    periods = [make.FEBRUARY, make.MARCH]
    usage = {
        (index, period, revision): chance.randint(0, 300)
        for index in range(len(homes))
        for period in periods
        for revision in (1, 2)
    }
    messages = [*usage, *usage]
    chance.shuffle(messages)
    while messages:
        size = chance.randint(1, 5)
        batch, messages = messages[:size], messages[size:]
        closed = [
            make.closed(homes[index], period=period, revision=revision, wh=usage[key])
            for key in batch
            for index, period, revision in [key]
        ]
        half = len(closed) // 2
        await asyncio.gather(
            world.close(*closed[:half]), world.close(*closed[half:]), world.issue_collective()
        )
    await world.issue_collective(make.NOW + timedelta(days=6))
    await alone.close(
        *(
            make.closed(single, period=period, revision=2, wh=usage[index, period, 2])
            for index, single in enumerate(singles)
            for period in periods
        )
    )
    live = await world.rows(
        "SELECT i.start_on, i.total, i.tax, "
        "(SELECT sum(l.amount) FROM invoice_line l WHERE l.invoice_id = i.id) AS lines, "
        "(SELECT sum(s.total) FROM invoice s WHERE s.collective_id = i.id) AS sections, "
        "(SELECT count(*) FROM invoice s WHERE s.collective_id = i.id) AS number "
        "FROM invoice i WHERE i.is_collective AND NOT EXISTS "
        "(SELECT FROM credit_note c WHERE c.invoice_id = i.id) ORDER BY start_on"
    )
    apart = await alone.rows(
        "SELECT start_on, sum(total) AS total, sum(tax) AS tax, count(*) AS number "
        "FROM invoice GROUP BY start_on ORDER BY start_on"
    )
    assert [(row["start_on"], row["total"], row["tax"], row["number"]) for row in live] == [
        (row["start_on"], row["total"], row["tax"], row["number"]) for row in apart
    ]
    for row in live:
        assert row["total"] == row["lines"] == row["sections"]
    assert await world.held() == []
    assert await ok(api)
    assert await world.value("SELECT total FROM issued_total") == sum(r["total"] for r in live)


async def test_nothing_is_issued_by_a_transaction_that_ends(api, world, make):
    homes = await collective_homes(world, make)
    await world.close(*map(make.closed, homes))
    with pytest.raises(RuntimeError):
        async with world.transaction() as tx:
            assert await issue_collective_invoices(tx, make.NOW) > 0
            raise RuntimeError
    assert await issued(world) == []
    assert [topic for topic, _ in await world.emitted()] == []
    await world.issue_collective()
    assert await issued(world) == [("INV-2025-000001", "241.96", 2, None)]
    assert await ok(api)
