"""An invoice whose quarter hours were rounded before they were priced says so, for ever.

BottlecapDave/HomeAssistant-OctopusEnergy#768.
"""

import json

import pytest

from gridtally.billing.store.invoices import fetch_invoices
from gridtally.contracts.metering import Series
from gridtally.database import snapshot

ROUNDING = {"step_kwh": "0.01", "mode": "half_up", "minutes": 15}


@pytest.fixture
async def api(clients, world):
    return await clients(world.tenant)


async def test_an_invoice_keeps_how_its_quantities_were_rounded(world, api, make):
    """2972 quarter hours of 0.125 kWh: 2972 × 0.13 = 386.36 kWh, and 371.5 for the levy."""
    components = [
        {"kind": "energy", "id": "energy", "rate": "0.30", "quantity_rounding": ROUNDING},
        {"kind": "adjustment", "id": "levy", "rate": "0.01"},
    ]
    home = await world.home(document=make.FLAT | {"components": components})
    slots = make.MARCH.slots(make.BERLIN, 15)
    series = [Series(flow="import", minutes=15, values=[125] * slots, quality="A" * slots)]
    await world.close(make.closed(home, series=series))
    (invoice,) = await world.invoices()
    detail = (await api.get(f"/v1/invoices/{invoice['id']}")).json()
    shown = {
        line["component_id"]: (float(line["quantity"]), line["quantity_rounding"])
        for line in detail["lines"]
    }
    assert shown == {"energy": (386.36, ROUNDING), "levy": (371.5, None)}
    (event,) = await world.rows("SELECT value FROM outbox WHERE topic = 'invoice.issued.v1'")
    roundings = [line["quantity_rounding"] for line in json.loads(event["value"])["lines"]]
    assert roundings == [ROUNDING, None]
    async with snapshot(world.database, tenant=world.tenant) as read:
        [stored] = (await fetch_invoices(read, [(world.tenant, invoice["id"])])).values()
    assert [line.item.quantity_rounding is None for line in stored.lines] == [False, True]
    recalculated = (await api.get(f"/v1/invoices/{invoice['id']}/recalculation")).json()
    assert recalculated["agrees"]
