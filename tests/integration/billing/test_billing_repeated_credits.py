"""What was credited by hand stays the customer's when a correction issues the invoice again."""

import json
from decimal import Decimal
from random import Random

import pytest

from gridtally.database import ALL_TENANTS

GOODWILL = {"reason": "The display was dark for a week"}


@pytest.fixture
async def api(clients, world):
    return await clients(world.tenant, "billing:read", "billing:write")


async def live_invoice(api):
    """The one live invoice, in detail."""
    (live,) = (await api.get("/v1/invoices", params={"state": "issued"})).json()["items"]
    return (await api.get(f"/v1/invoices/{live['id']}")).json()


async def credited(api, invoice, **body):
    path = f"/v1/invoices/{invoice['id']}/credit-notes"
    answer = await api.post(path, json=GOODWILL | body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def live_total(api):
    """What live invoices come to less what is credited of them; billing agrees with itself."""
    answer = (await api.get("/v1/reconciliation")).json()
    assert answer["ok"], answer["breaches"]
    (currency,) = answer["currencies"]
    return Decimal(currency["live_total"])


async def test_goodwill_is_given_again_and_the_rest_is_not(api, world, make):
    """120.98 with 10.00 of goodwill and 5.00 for wrong readings; corrected to 90 Wh a quarter:
    267.48 kWh at 0.30 are 80.24, with 12.50 and 19 % 110.36. The goodwill is given again."""
    home = await world.home()
    await world.close(make.closed(home))
    invoice = await live_invoice(api)
    note = await credited(api, invoice, amount="10.00")
    assert (note["repeat_on_correction"], note["repeats"]) == (True, None)
    await credited(api, invoice, amount="5.00", repeat_on_correction=False)
    await world.close(make.closed(home, revision=2, wh=90))
    old = (await api.get(f"/v1/invoices/{invoice['id']}")).json()
    assert (old["credit_note"]["extent"], old["credit_note"]["total"]) == ("rest", "105.98")
    new = await live_invoice(api)
    assert (new["total"], new["left"]) == ("110.36", "100.36")
    [again] = new["partial_credit_notes"]
    assert (again["total"], again["reason"], again["repeats"]) == (
        "10.00", GOODWILL["reason"], note["id"],
    )  # fmt: skip
    assert again["credited_by"] == note["credited_by"]
    assert again["number"] == "CN-2025-000002"
    assert await live_total(api) == Decimal("100.36")
    rows = await world.rows(
        "SELECT topic, value FROM outbox WHERE tenant_id = $1 AND topic LIKE '%issued%' "
        "ORDER BY seq DESC LIMIT 2",
        world.tenant,
        tenant=ALL_TENANTS,
    )
    last, before = (json.loads(row["value"]) for row in rows)
    assert (last["credit_note_id"], last["repeats"], before["number"]) == (
        again["id"], note["id"], new["number"],
    )  # fmt: skip


async def test_a_correction_to_less_in_between_takes_nothing_away_for_good(api, world, make):
    home = await world.home()
    await world.close(make.closed(home))
    invoice = await live_invoice(api)
    note = await credited(api, invoice, amount="100.00")
    await world.close(make.closed(home, revision=2, wh=0))  # 12.50 and 19 %
    new = await live_invoice(api)
    assert [own["total"] for own in new["partial_credit_notes"]] == [new["total"]]
    assert await live_total(api) == 0
    await world.close(make.closed(home, revision=3))
    new = await live_invoice(api)
    assert [(own["total"], own["repeats"]) for own in new["partial_credit_notes"]] == [
        ("100.00", note["id"])
    ]
    assert await live_total(api) == Decimal("20.98")


async def test_a_credit_of_a_line_is_given_again_on_that_line(api, world, make):
    home = await world.home()
    await world.close(make.closed(home))
    invoice = await live_invoice(api)
    energy = next(i for i, own in enumerate(invoice["lines"], 1) if own["kind"] == "energy")
    note = await credited(api, invoice, lines=[{"position": energy, "amount": "10.00"}])
    await world.close(make.closed(home, revision=2, wh=90))
    [again] = (await live_invoice(api))["partial_credit_notes"]
    shown = (await api.get(f"/v1/credit-notes/{again['id']}")).json()
    assert {own["component_id"]: own["amount"] for own in shown["lines"]} == {
        own["component_id"]: own["amount"] for own in note["lines"]
    }
    # less energy than was credited: the same total, of what is there
    await world.close(make.closed(home, revision=3, wh=5))
    [again] = (await live_invoice(api))["partial_credit_notes"]
    assert (again["total"], again["repeats"]) == ("11.90", note["id"])
    await live_total(api)


async def test_an_approved_correction_gives_it_again_too(api, world, make):
    home = await world.home()
    await world.close(make.closed(home))
    await credited(api, await live_invoice(api), amount="10.00")
    terms = (await api.get("/v1/invoicing-terms")).json()
    answer = await api.put("/v1/invoicing-terms", json={"approval": "required"})
    assert answer.status_code == 200, (terms, answer.text)
    await world.close(make.closed(home, revision=2, wh=90))
    [draft] = (await api.get("/v1/invoice-drafts")).json()["items"]
    assert (await api.post(f"/v1/invoice-drafts/{draft['id']}/approve")).status_code == 200
    await world.retry_all()
    assert [own["total"] for own in (await live_invoice(api))["partial_credit_notes"]] == ["10.00"]


@pytest.mark.parametrize("seed", range(4))
async def test_the_account_equals_a_plain_model(api, world, make, seed):
    """What a customer owes after each step: the newest invoice, less what was credited of it by
    hand, and of what is to be repeated of earlier ones, first come first served."""
    dice = Random(seed)
    home = await world.home()
    await world.close(make.closed(home))
    given, once, revision = [], Decimal(0), 1
    for _ in range(10):
        invoice = await live_invoice(api)
        total = Decimal(invoice["total"])
        owed = total - once
        for amount in given:
            owed -= min(amount, max(owed, Decimal(0)))
        assert Decimal(invoice["left"]) == owed == await live_total(api)
        if owed > 0 and dice.random() < 0.6:
            amount = min(Decimal(dice.randrange(1, 4000)) / 100, owed)
            repeats = dice.random() < 0.7
            await credited(api, invoice, amount=str(amount), repeat_on_correction=repeats)
            if repeats:
                given.append(amount)
            else:
                once += amount
        else:
            revision += 1
            once = Decimal(0)
            await world.close(make.closed(home, revision=revision, wh=dice.choice((0, 30, 100))))
