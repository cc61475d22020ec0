"""What payees are owed by the lines of invoices that stand, which `gridtally verify` sets against
the books of the ledger."""

from decimal import Decimal

import pytest

from doubles.billing.events import FLAT

WHY = {"reason": "The meter was read wrong"}


@pytest.fixture
async def api(clients, world):
    return await clients(world.tenant, "billing:read", "billing:write")


async def owed(api):
    answer = (await api.get("/v1/reconciliation")).json()
    assert answer["ok"], answer["breaches"]
    return {item["payee"]: item["owed"] for item in answer["payees"]}


async def live_lines(api):
    """The id of the one live invoice, and its lines."""
    (live,) = (await api.get("/v1/invoices", params={"state": "issued"})).json()["items"]
    return live["id"], (await api.get(f"/v1/invoices/{live['id']}")).json()["lines"]


def by_payee(lines):
    sums = {}
    for line in lines:
        if line["payee"] or line["kind"] == "tax":
            sums[line["payee"]] = sums.get(line["payee"], 0) + Decimal(line["amount"])
    return {payee: f"{amount:.2f}" for payee, amount in sums.items()}


async def test_payees_are_owed_what_lines_of_standing_invoices_say(api, world, make):
    components = [
        {"kind": "energy", "id": "energy", "rate": "0.25"},
        {"kind": "energy", "id": "grid", "rate": "0.05", "payee": "Grid"},
        {"kind": "fixed", "id": "town", "rate": "2", "per": "month", "payee": "Town"},
        {"kind": "tax", "id": "vat", "rate": "0.19", "component_ids": ["energy", "grid"]},
    ]
    home = await world.home(document=FLAT | {"components": components})
    assert await owed(api) == {}
    await world.close(make.closed(home))
    id_, lines = await live_lines(api)
    first = by_payee(lines)
    assert first.keys() == {"Grid", "Town", None}
    assert await owed(api) == first

    position = next(n for n, line in enumerate(lines, 1) if line["component_id"] == "grid")
    body = WHY | {
        "lines": [{"position": position, "amount": "4.00"}],
        "repeat_on_correction": False,
    }
    answer = await api.post(f"/v1/invoices/{id_}/credit-notes", json=body)
    assert answer.status_code == 201, answer.text
    less = {line["payee"]: Decimal(line["amount"]) for line in answer.json()["lines"]}
    assert less == {"Grid": 4, None: Decimal("0.76")}
    assert await owed(api) == {
        payee: f"{Decimal(amount) - less.get(payee, 0):.2f}" for payee, amount in first.items()
    }

    await world.close(make.closed(home, revision=2, wh=90))
    _, corrected = await live_lines(api)
    assert by_payee(corrected) != first
    assert await owed(api) == by_payee(corrected)
