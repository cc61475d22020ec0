"""Customers with collective invoices, and what can be asked of these."""

from dataclasses import replace
from uuid import uuid4


async def collective_homes(world, make, count=2, *, documents=None, **terms):
    """Agreements of one customer whose invoices are collective, each for a meter of its own."""
    first = None
    homes = []
    for index in range(count):
        tariff_id, meter_id = uuid4(), uuid4()
        document = make.FLAT if documents is None else documents[index]
        await world.publish(make.published(tariff_id, document))
        await world.register(make.registered(meter_id))
        home = make.agreement(tariff_id=tariff_id, meter_id=meter_id)
        home = replace(home, customer_id=first.customer_id) if first else home
        homes.append(await world.agree_on(home, invoicing="collective", **terms))
        first = first or home
    return homes


async def issued(world):
    """What is owed: number, total, state and sections of each invoice, by number."""
    rows = await world.rows(
        "SELECT i.number, i.total, i.is_collective, c.number AS credited_by, "
        "(SELECT count(*) FROM invoice s WHERE s.collective_id = i.id) AS sections "
        "FROM invoice i LEFT JOIN credit_note c ON c.invoice_id = i.id AND c.extent <> 'part' "
        "WHERE i.collective_id IS NULL ORDER BY i.number"
    )
    return [(row["number"], str(row["total"]), row["sections"], row["credited_by"]) for row in rows]


async def pending(api, **params):
    answer = await api.get("/v1/pending-collective-invoices", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def the_invoice(api, state="issued"):
    """The only invoice of a state, with its lines and sections."""
    items = (await api.get("/v1/invoices", params={"state": state})).json()["items"]
    (found,) = items
    return (await api.get(f"/v1/invoices/{found['id']}")).json()


async def ok(api):
    return (await api.get("/v1/reconciliation")).json()["breaches"] == []


REDUCED = {
    "currency": "EUR",
    "zone": "Europe/Berlin",
    "components": [
        {"kind": "energy", "id": "energy", "rate": "0.20", "tax_class": "heat"},
        {"kind": "tax", "id": "vat", "rate": "0.07", "tax_class": "heat"},
    ],
}
"""297.2 kWh at 0.20 are 59.44, and 7 % of it 4.16: 63.60."""
