"""A customer sends readings of its own registers: entered once, asked about, and nobody else's."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from gridtally.http.auth import CUSTOMER_HEADER
from integration.ledger.properties import property_of, read
from integration.ledger.test_ledger_billed_meters import hear, of
from problems import paths

__all__ = ["hear"]
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)


def day(days_ago):
    return (NOON - timedelta(days=days_ago)).isoformat()


@pytest.fixture
async def flat(acme, hear):
    """A customer with an agreement for a meter of one register, read twice: 10 kWh a day."""
    home = await property_of(acme, zone="UTC", name="<b>Flat</b>")
    agreement = of(home["gg"])
    await hear(agreement)
    await read(acme, home["gg"], ("1000", day(110)), ("2000", day(10)))
    return home | {"customer": str(agreement.customer_id)}


def sender(client, customer_id, bound_to=None):
    headers = {CUSTOMER_HEADER: bound_to or customer_id}

    async def send(*readings, **fields):
        items = [{"meter_id": meter_id, "value": value} for meter_id, value in readings]
        path = f"/v1/customers/{customer_id}/readings"
        return await client.post(path, json={"items": items} | fields, headers=headers)

    return send


async def test_what_a_customer_reads_counts_and_the_same_day_replaces_it(acme, flat):
    own = {"headers": {CUSTOMER_HEADER: flat["customer"]}}
    path = f"/v1/customers/{flat['customer']}/registers"
    [register] = (await acme.get(path, **own)).json()["items"]
    assert (register["meter_id"], register["property_name"]) == (flat["gg"], "<b>Flat</b>")
    assert (register["last"]["value"], register["last"]["is_by_customer"]) == ("2000", False)

    send = sender(acme, flat["customer"])
    first = await send((flat["gg"], "2100.5"))
    assert first.status_code == 201, first.text
    [reading] = first.json()["items"]
    assert (reading["note"], reading["quality"], reading["value"]) == (
        "read by the customer", "actual", "2100.5",
    )  # fmt: skip
    again = await send((flat["gg"], "2100.5"))
    assert (again.status_code, again.json()["items"][0]["id"]) == (200, reading["id"])
    corrected = await send((flat["gg"], "2099"))  # lower than the one that it replaces: no doubt
    assert corrected.status_code == 201, corrected.text
    [changed] = corrected.json()["items"]
    assert (changed["id"], changed["version"], changed["value"]) == (reading["id"], 2, "2099")
    [register] = (await acme.get(path, **own)).json()["items"]
    assert (register["last"]["value"], register["last"]["is_by_customer"]) == ("2099", True)
    listed = await acme.get("/v1/readings", params={"meter_id": flat["gg"]})
    assert [item["value"] for item in listed.json()["items"]] == ["1000", "2000", "2099"]


async def test_what_is_doubtful_is_asked_about_and_what_cannot_be_is_refused(acme, flat):
    send, meter = sender(acme, flat["customer"]), flat["gg"]
    earlier = {"read_on": day(20)[:10]}
    for value, fields in (("1999", {}), ("2500", {}), ("1900", earlier)):
        doubtful = await send((meter, value), **fields)
        body = doubtful.json()
        assert (doubtful.status_code, body["code"]) == (422, "reading_unconfirmed"), body
        assert paths(body) == ["/items/0/value"]
        assert "2000" in body["errors"][0]["detail"]
    sure = await send((meter, "1900"), **earlier, confirmed=True)
    assert sure.status_code == 201, sure.text
    assert sure.json()["items"][0]["read_at"] == f"{earlier['read_on']}T12:00:00Z"
    tomorrow = {"read_on": day(-1)[:10]}
    for readings, fields, code, path in (
        ([(meter, "2100")], tomorrow, "future_reading", "/read_on"),
        ([(meter, "-1")], {}, "negative_value", "/items/0/value"),
        ([(meter, "1" * 12)], {}, "beyond_register", "/items/0/value"),
        ([(meter, "2100"), (meter, "2101")], {}, "register_repeated", "/items/1/meter_id"),
    ):
        refused = await send(*readings, confirmed=True, **fields)
        assert (refused.status_code, refused.json()["code"]) == (422, code), refused.text
        assert paths(refused.json()) == [path]
    left = (await acme.get("/v1/readings", params={"meter_id": meter})).json()["items"]
    assert len(left) == 3


async def test_nobody_reads_the_meters_of_others(acme, clients, flat, hear):
    """Neither for somebody else, nor a meter at one's own property that somebody else has an
    agreement for; and nothing of such a request is stored."""
    ada, bob = flat["customer"], str(uuid4())
    own_site = await property_of(acme, zone="UTC", customer_id=bob)
    let = of(own_site["sg"])
    await hear(let)
    send = sender(acme, bob)
    assert (await send((own_site["gg"], "5"))).status_code == 201
    for meter in (flat["gg"], own_site["sg"], str(uuid4())):
        refused = await send((own_site["gg"], "6"), (meter, "3000"), confirmed=True)
        assert (refused.status_code, refused.json()["code"]) == (404, "meter_unknown")
    tenant = sender(acme, str(let.customer_id))
    assert (await tenant((own_site["sg"], "7"))).status_code == 201
    posing = sender(acme, ada, bound_to=bob)
    refused = await posing((flat["gg"], "3000"), confirmed=True)
    assert (refused.status_code, refused.json()["code"]) == (404, "customer_unknown")
    shown = await acme.get(f"/v1/customers/{ada}/registers", headers={CUSTOMER_HEADER: bob})
    assert shown.status_code == 404
    other = await clients("other")
    assert (await sender(other, ada)((flat["gg"], "3000"))).status_code == 404
    read_only = await clients("acme", "ledger:read")
    assert (await sender(read_only, bob)((own_site["gg"], "8"))).status_code == 403
    listed = (await acme.get("/v1/readings", params={"meter_id": own_site["gg"]})).json()["items"]
    assert [item["value"] for item in listed] == ["5"]
