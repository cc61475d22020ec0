"""Parts of invoices credited by hand, through the API: what follows of later corrections."""

import asyncio
import json
from datetime import timedelta
from decimal import Decimal

import pytest

from gridtally.database import ALL_TENANTS

SELLER = {
    "name": "Stadtwerke",
    "address": {"street": "Weg 12", "postcode": "20095", "city": "Hamburg", "country": "DE"},
    "language": "en",
    "tax_id": "DE123456789",
}
WHY = {"reason": "The display was <broken> for a week"}


@pytest.fixture
async def api(clients, world):
    return await clients(world.tenant, "billing:read", "billing:write")


async def live_invoice(api):
    """The one live invoice, in detail."""
    (live,) = (await api.get("/v1/invoices", params={"state": "issued"})).json()["items"]
    return (await api.get(f"/v1/invoices/{live['id']}")).json()


async def credited(api, invoice, status=201, headers=None, **body):
    path = f"/v1/invoices/{invoice['id']}/credit-notes"
    answer = await api.post(path, json=WHY | body, headers=headers or {})
    assert answer.status_code == status, answer.text
    return answer.json()


async def agree(api):
    """Billing agrees with itself."""
    answer = (await api.get("/v1/reconciliation")).json()
    assert answer["ok"], answer["breaches"]
    (currency,) = answer["currencies"]
    return currency


async def test_a_part_is_credited_with_its_taxes_and_a_correction_credits_the_rest(
    api, world, make
):
    """March has 743 hours of 0.4 kWh: 297.2 kWh at 0.30 are 89.16; with 12.50 and 19 % (19.32)
    that is 120.98. 10.00 of the energy and 1.90 of tax are credited, then 20.00 of all that is
    left; a correction cancels the other 89.08."""
    home = await world.home()
    await world.close(make.closed(home))
    invoice = await live_invoice(api)
    assert (invoice["total"], invoice["left"]) == ("120.98", "120.98")
    energy = next(i for i, own in enumerate(invoice["lines"], 1) if own["kind"] == "energy")

    once = {"repeat_on_correction": False}
    lines = [{"position": energy, "amount": "10.00"}]
    part = await credited(api, invoice, lines=lines, **once)
    amounts = {own["component_id"]: own["amount"] for own in part["lines"]}
    assert amounts == {"energy": "10.00", "vat": "1.90"}
    assert (part["total"], part["extent"], part["number"]) == ("11.90", "part", "CN-2026-000001")
    assert part["credited_by"]
    assert part["reason"] == WHY["reason"]
    await credited(api, invoice, amount="20.00", **once)
    invoice = await live_invoice(api)
    assert (invoice["state"], invoice["left"], invoice["credit_note"]) == ("issued", "89.08", None)
    assert [own["total"] for own in invoice["partial_credit_notes"]] == ["11.90", "20.00"]
    assert (await agree(api))["live_total"] == "89.08"
    path = f"/v1/invoices/{invoice['id']}/explanation"
    explained = (await api.get(path)).json()["lines"]
    assert sum(Decimal(own["credited"]) for own in explained) == Decimal("31.90")

    await world.close(make.closed(home, revision=2, wh=90))
    old = (await api.get(f"/v1/invoices/{invoice['id']}")).json()
    assert (old["state"], old["left"]) == ("void", "0.00")
    assert (old["credit_note"]["extent"], old["credit_note"]["total"]) == ("rest", "89.08")
    rest = (await api.get(f"/v1/credit-notes/{old['credit_note']['id']}")).json()
    assert sum(Decimal(own["amount"]) for own in rest["lines"]) == Decimal("89.08")
    new = await live_invoice(api)
    assert new["left"] == new["total"]
    totals = await agree(api)
    assert (totals["credited"], totals["live_total"]) == ("120.98", new["total"])
    # What was issued to the customer is the new invoice alone, and that is brought forward by none.
    assert new["brought_forward"] == "0.00"

    assert (await credited(api, old, status=409, amount="1"))["code"] == "invoice_void"
    await credited(api, new, amount=new["total"], **once)
    assert (await credited(api, new, status=409, amount="1"))["code"] == "nothing_to_credit"
    await world.close(make.closed(home, revision=3, wh=80))
    await agree(api)
    notes = (await api.get("/v1/credit-notes", params={"invoice_id": new["id"]})).json()["items"]
    assert {own["extent"]: own["total"] for own in notes} == {
        "rest": "0.00",
        "part": new["total"],
    }


async def test_what_is_published(api, world, make):
    home = await world.home()
    await world.close(make.closed(home))
    invoice = await live_invoice(api)
    part = await credited(api, invoice, amount="12.10", repeat_on_correction=False)
    await world.close(make.closed(home, revision=2, wh=90))
    rows = await world.rows(
        "SELECT topic, value FROM outbox WHERE tenant_id = $1 AND topic LIKE '%credit_note%' "
        "OR tenant_id = $1 AND topic LIKE '%voided%' ORDER BY seq",
        world.tenant,
        tenant=ALL_TENANTS,
    )
    values = [(row["topic"], json.loads(row["value"])) for row in rows]
    assert [topic for topic, _ in values] == [
        "credit_note.issued.v1", "credit_note.issued.v1", "invoice.voided.v1",
    ]  # fmt: skip
    (_, first), (_, rest), (_, voided) = values
    assert (first["credit_note_id"], first["extent"], first["total"]) == (
        part["id"], "part", "12.10",
    )  # fmt: skip
    assert first["positions"] == [own["position"] for own in part["lines"]]
    assert (rest["extent"], rest["total"]) == ("rest", "108.88")
    assert voided["credit_note_id"] == rest["credit_note_id"]


async def test_a_part_comes_once_for_a_key_and_never_twice_at_once(api, world, make):
    home = await world.home()
    await world.close(make.closed(home))
    invoice = await live_invoice(api)
    key = {"Idempotency-Key": "k1"}
    first = await credited(api, invoice, headers=key, amount="100.00")
    again = await credited(api, invoice, headers=key, amount="100.00")
    assert again == first
    path = f"/v1/invoices/{invoice['id']}/credit-notes"
    answers = await asyncio.gather(
        *(api.post(path, json=WHY | {"amount": "15.00"}) for _ in range(4))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 422, 422, 422]
    assert {answer.json().get("code") for answer in answers} == {None, "credit_exceeds_invoice"}
    assert (await live_invoice(api))["left"] == "5.98"
    await agree(api)


WRONG = {
    "neither": {},
    "both": {"amount": "1", "lines": [{"position": 1}]},
    "nothing": {"amount": "0"},
    "below zero": {"lines": [{"position": 1, "amount": "-1"}]},
    "no lines": {"lines": []},
    "a position too far": {"lines": [{"position": 10**9}]},
    "no reason": {"amount": "1", "reason": ""},
    "too many": {"lines": [{"position": 1}] * 2001},
}


@pytest.mark.parametrize("body", WRONG.values(), ids=WRONG)
async def test_what_is_no_credit_is_refused(api, world, make, body):
    home = await world.home()
    await world.close(make.closed(home))
    invoice = await live_invoice(api)
    assert (await credited(api, invoice, status=422, **body))["code"] == "invalid_request"
    assert (await live_invoice(api))["left"] == invoice["total"]


async def test_another_tenants_invoice_is_not_there(api, clients, world, make):
    home = await world.home()
    await world.close(make.closed(home))
    invoice = await live_invoice(api)
    part = await credited(api, invoice, amount="1.00")
    another = await clients("another", "billing:read", "billing:write")
    assert (await credited(another, invoice, status=404, amount="1"))["code"] == "invoice_unknown"
    assert (await another.get(f"/v1/credit-notes/{part['id']}")).status_code == 404


async def test_the_documents_of_parts_and_of_the_rest(api, world, make):
    home = await world.home()
    await world.close(make.closed(home))
    await api.put("/v1/seller", json=SELLER)
    invoice = await live_invoice(api)
    part = await credited(api, invoice, amount="11.90")
    await world.close(make.closed(home, revision=2, wh=90), now=make.NOW + timedelta(hours=1))
    rest = (await api.get(f"/v1/invoices/{invoice['id']}")).json()["credit_note"]

    async def document(note, format_):
        answer = await api.get(
            f"/v1/credit-notes/{note['id']}/document", params={"format": format_}
        )
        assert answer.status_code == 200, answer.text
        return " ".join(answer.text.split())

    page = await document(part, "html")
    assert f"for a part of invoice {invoice['number']}" in page
    assert "Reason: The display was &lt;broken&gt; for a week" in page
    assert "€11.90" in page
    assert "kWh" not in page
    assert f"cancels what was left of invoice {invoice['number']}" in await document(rest, "html")
    for note, total in ((part, "11.90"), (rest, "109.08")):
        einvoice = await document(note, "cii")
        assert "<ram:TypeCode>381</ram:TypeCode>" in einvoice
        assert f"<ram:GrandTotalAmount>{total}</ram:GrandTotalAmount>" in einvoice
        assert "<ram:RateApplicablePercent>19</ram:RateApplicablePercent>" in einvoice
        assert invoice["number"] in einvoice
        assert "CreditNote" in await document(note, "ubl")
