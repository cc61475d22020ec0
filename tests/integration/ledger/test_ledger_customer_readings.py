"""A customer sends readings of its own registers: entered once, asked about, and nobody else's."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from gridtally.http.auth import CUSTOMER_HEADER
from gridtally.kernel.periods import local_date
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
    assert "warnings" not in changed
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
    for value in ("999", "2000.1"):  # between 1000 and 2000, whoever is sure of it
        refused = await send((meter, value), read_on=day(30)[:10], confirmed=True)
        assert (refused.status_code, refused.json()["code"]) == (422, "reading_contradicts")
        assert paths(refused.json()) == ["/items/0/value"]
    tomorrow = {"read_on": day(-1)[:10]}
    long_ago = {"read_on": day(61)[:10]}
    for readings, fields, code, path in (
        ([(meter, "2100")], tomorrow, "future_reading", "/read_on"),
        ([(meter, "2100")], long_ago, "read_too_long_ago", "/read_on"),
        ([(meter, "2100")], {"read_on": "0001-01-01"}, "read_too_long_ago", "/read_on"),
        ([(meter, "2100")], {"read_on": "9999-12-31"}, "future_reading", "/read_on"),
        ([(meter, "-1")], {}, "negative_value", "/items/0/value"),
        ([(meter, "1" * 12)], {}, "beyond_register", "/items/0/value"),
        ([(meter, "2100"), (meter, "2101")], {}, "register_repeated", "/items/1/meter_id"),
    ):
        refused = await send(*readings, confirmed=True, **fields)
        assert (refused.status_code, refused.json()["code"]) == (422, code), refused.text
        assert paths(refused.json()) == [path]
    left = (await acme.get("/v1/readings", params={"meter_id": meter})).json()["items"]
    assert len(left) == 3


async def test_a_customer_replaces_what_it_sent_itself_and_nobody_changed_since(acme, flat):
    """Neither what only says so in its note, nor what the supplier has corrected; and its own also
    where many others were taken since."""
    send, meter = sender(acme, flat["customer"]), flat["gg"]
    note = {"note": "read by the customer"}

    async def counted():
        listed = await acme.get("/v1/readings", params={"meter_id": meter, "limit": 100})
        return {item["value"]: item["id"] for item in listed.json()["items"]}

    await read(acme, meter, ("1700", day(40)), **note)
    taken = await send((meter, "1701"), read_on=day(40)[:10], confirmed=True)
    assert (taken.status_code, taken.json()["code"]) == (409, "reading_exists")
    assert paths(taken.json()) == ["/items/0/value"]
    on = {"read_on": day(35)[:10], "confirmed": True}
    own = (await send((meter, "1750"), **on)).json()["items"][0]["id"]
    await read(acme, meter, *((str(1800 + n), day(30 - n)) for n in range(15)))
    assert (await send((meter, "1751"), **on)).json()["items"][0]["id"] == own
    correction = {"value": "1752", "read_at": day(35)} | note
    corrected = await acme.put(f"/v1/readings/{own}", json=correction, headers={"If-Match": '"2"'})
    assert corrected.status_code == 200, corrected.text
    refused = await send((meter, "1753"), **on)
    assert (refused.status_code, refused.json()["code"]) == (409, "reading_exists")
    values = await counted()
    assert (values["1752"], "1753" in values, "1700" in values) == (own, False, True)

    for number in range(10):
        sent = await send((meter, str(2100 + number)))
        assert sent.status_code == 201, sent.text
    often = await send((meter, "2150"), confirmed=True)
    assert (often.status_code, often.json()["code"]) == (422, "reading_sent_too_often")
    assert (await send((meter, "2109"))).status_code == 200  # which it was already
    assert [value for value in await counted() if Decimal(value) > 2000] == ["2109"]


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
        assert paths(refused.json()) == ["/items/1/meter_id"]
    tenant = sender(acme, str(let.customer_id))
    assert (await tenant((own_site["sg"], "7"))).status_code == 201
    posing = sender(acme, ada, bound_to=bob)
    refused = await posing((flat["gg"], "3000"), confirmed=True)
    assert (refused.status_code, refused.json()["code"]) == (404, "customer_unknown")
    shown = await acme.get(f"/v1/customers/{ada}/registers", headers={CUSTOMER_HEADER: bob})
    assert shown.status_code == 404
    for nobody in (str(uuid4()), None):  # whom no caller knows of, bound to nobody or to itself
        who = nobody or str(uuid4())
        headers = {} if nobody else {CUSTOMER_HEADER: who}
        listed = await acme.get(f"/v1/customers/{who}/registers", headers=headers)
        assert (listed.status_code, "customer_unknown" in listed.text) == (
            (404, True) if nobody else (200, False)
        )
        one = {"items": [{"meter_id": flat["gg"], "value": "5"}]}
        refused = await acme.post(f"/v1/customers/{who}/readings", json=one, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (
            404, "customer_unknown" if nobody else "meter_unknown",
        )  # fmt: skip
    unbound = await acme.get(f"/v1/customers/{ada}/registers")
    assert [item["meter_id"] for item in unbound.json()["items"]] == [flat["gg"]]
    other = await clients("other")
    assert (await sender(other, ada)((flat["gg"], "3000"))).status_code == 404
    read_only = await clients("acme", "ledger:read")
    assert (await sender(read_only, bob)((own_site["gg"], "8"))).status_code == 403
    listed = (await acme.get("/v1/readings", params={"meter_id": own_site["gg"]})).json()["items"]
    assert [item["value"] for item in listed] == ["5"]


def days_ago(count, zone="UTC"):
    return local_date(zone, datetime.now(UTC)) - timedelta(days=count)


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Pacific/Auckland"])
async def test_who_moved_out_closes_its_own_time_and_learns_nothing_of_the_next(acme, hear, zone):
    """And who moved in nothing of the time before; the days are the property's."""
    home = await property_of(acme, zone=zone)
    meter, moved_on = home["gg"], days_ago(9, zone)
    noon = f"{moved_on}T12:00:00"
    leaving = of(meter, end_on=moved_on)
    moving_in = of(meter, start_on=moved_on)
    await hear(leaving, moving_in)
    ada, bob = str(leaving.customer_id), str(moving_in.customer_id)
    at = datetime.fromisoformat(noon).replace(tzinfo=ZoneInfo(zone))
    older = [(str(1000 + n), (at - timedelta(days=30 - n)).isoformat()) for n in (0, 20)]
    newer = [(str(5000 + n), (at + timedelta(days=n)).isoformat()) for n in (1, 8)]
    await read(acme, meter, *older, *newer)

    async def shown(who):
        bound = {CUSTOMER_HEADER: who}
        answer = await acme.get(f"/v1/customers/{who}/registers", headers=bound)
        return [
            (item["last"] and item["last"]["value"], item["end_on"])
            for item in answer.json()["items"]
        ]

    assert await shown(ada) == [("1020", str(moved_on))]
    assert await shown(bob) == [("5008", None)]
    leaver, mover = sender(acme, ada), sender(acme, bob)
    last_day = str(moved_on - timedelta(days=1))
    doubtful = await leaver((meter, "900"), read_on=last_day)
    assert doubtful.json()["code"] == "reading_unconfirmed"
    assert "1020" in doubtful.text
    assert "500" not in doubtful.text
    closing = await leaver((meter, "1029"), read_on=last_day)  # lower than what came after
    assert closing.status_code == 201, closing.text
    assert "500" not in closing.text
    assert await shown(ada) == [("1029", str(moved_on))]
    for fields in ({}, {"read_on": str(moved_on)}):  # today and the first day of the next
        refused = await leaver((meter, "1030"), confirmed=True, **fields)
        assert (refused.status_code, refused.json()["code"]) == (404, "meter_unknown")
    refused = await mover((meter, "1030"), confirmed=True, read_on=last_day)
    assert (refused.status_code, refused.json()["code"]) == (404, "meter_unknown")
    early = await mover((meter, "4999"), read_on=str(moved_on))
    assert (early.status_code, early.json()["code"]) == (422, "reading_unconfirmed")
    assert "5008" in early.text
    assert "10" not in early.json()["errors"][0]["detail"]


async def test_a_landlord_sees_nothing_of_a_tenants_time(acme, hear):
    """Nor who buys a property of the time before."""
    ann, ben = str(uuid4()), str(uuid4())
    site = await property_of(acme, zone="UTC", customer_id=ann)
    meter = site["gg"]
    await hear(of(meter, start_on=days_ago(30), end_on=days_ago(5)))
    await read(acme, meter, ("100", day(40)), ("200", day(20)))

    async def last_of(who):
        bound = {CUSTOMER_HEADER: who}
        items = (await acme.get(f"/v1/customers/{who}/registers", headers=bound)).json()["items"]
        return {item["meter_id"]: item["last"] for item in items}.get(meter, "no such meter")

    assert await last_of(ann) is None  # again the landlord's, and not read since
    assert (await sender(acme, ann)((meter, "150"))).status_code == 201
    assert (await last_of(ann))["value"] == "150"
    sold = await acme.patch(
        f"/v1/properties/{site['id']}", json={"customer_id": ben}, headers={"If-Match": '"1"'}
    )
    assert sold.status_code == 200, sold.text
    await read(acme, meter, ("300", datetime.now(UTC).isoformat()))
    assert await last_of(ann) == "no such meter"
    await read(acme, meter, ("120", day(2)))
    refused = await sender(acme, ben)((meter, "400"), read_on=day(2)[:10])
    assert (refused.status_code, refused.json()["code"]) == (404, "meter_unknown")
    assert (await last_of(ben))["value"] == "300"
