"""Bills that are calculated on demand: by hand, once for the same readings, and clear refusals."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from doubles.billing.fleet import ZONE, Fleet
from gridtally.billing.handlers import calculated_bills as handlers
from gridtally.billing.handlers.offers import fetch_today
from gridtally.database import bind_customer, for_all_customers, snapshot
from gridtally.http.auth import CUSTOMER_HEADER
from gridtally.kernel.periods import local_date

TARIFF = {
    "currency": "ZAR",
    "zone": ZONE,
    "components": [
        {"kind": "fixed", "id": "base-fee", "rate": "31", "per": "month"},
        {
            "kind": "time_of_use",
            "id": "energy",
            "bands": [{"name": "Standard", "rate": "2.50"}, {"name": "Peak", "rate": "4"}],
            "windows": [{"band": "Peak", "from_time": "17:00", "to_time": "20:00"}],
            "default_band": "Standard",
        },
        {"kind": "adjustment", "id": "market-op", "rate": "0.05", "payee": "Market operator"},
        {"kind": "tax", "id": "vat", "rate": "0.15",
         "component_ids": ["base-fee", "energy", "market-op"]},
    ],
}  # fmt: skip
START, END = date(2025, 3, 12), date(2025, 3, 14)


@pytest.fixture
async def fleet(world, make, clients):
    return await Fleet(world, make, await clients(world.tenant)).begin()


@pytest.fixture
def question(fleet):
    return {"customer_id": fleet.customer_id, "start": str(START), "end": str(END)}


async def offered(fleet, **more):
    version_id = uuid4()
    await fleet.offer(TARIFF, version_id=version_id, **more)
    return str(version_id)


async def calculate(fleet, question, status=201):
    answer = await fleet.api.post("/v1/bills/calculate-and-store", json=question)
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_a_bill_is_calculated_by_hand_and_stored_once(fleet, question):
    """Two days: 2/31 of 31.00 = 2.00; 12 kWh × 2.50 + 6 × 4.00 = 54.00; 18 × 0.05 = 0.90 for the
    market operator; 15 % of 56.90 = 8.535, which is 8.54 (8.53|5 to the even cent); 65.44."""
    pump = await fleet.device()
    await fleet.use(pump, {12: 12, 18: 6})
    asked = question | {"tariff_version_id": await offered(fleet)}
    bill = await calculate(fleet, asked)
    assert bill["breakdown"] == {
        "base-fee": "2.00",
        "energy": "54.00",
        "market-op": "0.90",
        "vat": "8.54",
    }
    assert (bill["total_cost"], bill["currency"]) == ("65.44", "ZAR")
    assert bill["payees"] == [{"payee": "Market operator", "total": "0.90"}]
    assert {line["meter_id"] for line in bill["lines"]} == {str(pump)}
    assert (bill["expected_intervals"], bill["present_intervals"]) == (288, 12)

    assert await calculate(fleet, asked, status=200) == bill
    path = f"/v1/customers/{fleet.customer_id}/bills"
    window = {"start": str(START), "end": str(END)}
    for params in (window, window | {"tariff_version_id": asked["tariff_version_id"]}):
        assert (await fleet.api.get(path, params=params)).json() == bill

    # changed readings make another calculation, the newest, and leave the old one
    await fleet.use(pump, {12: 6, 18: 6})
    newer = await calculate(fleet, asked)
    assert newer["checksum"] != bill["checksum"]
    assert newer["calculation_id"] != bill["calculation_id"]
    assert newer["breakdown"]["energy"] == "39.00"
    assert (await fleet.api.get(path, params=window)).json() == newer
    assert await fleet.world.value("SELECT count(*) FROM calculated_bill") == 2


async def test_what_is_not_stored_is_computed(fleet, question):
    await fleet.use(await fleet.device(), {12: 12})
    version_id = await offered(fleet)
    path = f"/v1/customers/{fleet.customer_id}/bills"
    window = {"start": str(START), "end": str(END)}
    computed = (await fleet.api.get(path, params=window)).json()
    assert (computed["calculated_at"], computed["tariff_version_id"]) == (None, version_id)
    stored = await calculate(fleet, question | {"tariff_version_id": version_id})
    assert stored | {"calculated_at": None} == computed


async def test_each_bad_request_gets_a_clear_problem(fleet, question, clients):
    await fleet.device()
    late = await offered(fleet, since=date(2025, 3, 13))
    asked = question | {"tariff_version_id": late}
    long = {"end": str(START + timedelta(days=367))}
    for change, status, code in (
        ({}, 422, "version_not_in_force"),
        ({"tariff_version_id": str(uuid4())}, 404, "tariff_version_unknown"),
        ({"customer_id": str(uuid4())}, 404, "customer_unknown"),
        ({"start": str(END), "end": str(START)}, 400, "invalid_window"),
        (long, 400, "invalid_window"),
    ):
        problem = await calculate(fleet, asked | change, status=status)
        assert problem["code"] == code, problem
    another = await clients("another")
    answer = await another.post("/v1/bills/calculate-and-store", json=asked)
    assert (answer.status_code, answer.json()["code"]) == (404, "customer_unknown")


async def test_a_customer_tries_an_offered_tariff_and_stores_what_it_comes_to(
    fleet, question, clients, monkeypatch
):
    """By hand: 12 kWh × 2.50 + 6 × 4.00 = 54.00 by the present one; by the other, which began only
    later, 18 × 2.00 = 36.00. The customer sees and stores its own alone, so many and no more."""
    await fleet.use(await fleet.device(), {12: 12, 18: 6})
    present = await offered(fleet)
    flat = TARIFF | {"components": [{"kind": "energy", "id": "energy", "rate": "2"}]}
    tried = str(uuid4())
    await fleet.offer(
        flat, version_id=tried, tariff_id=uuid4(), code="flat", name="Flat", region_id=None,
        since=date(2025, 3, 14),
    )  # fmt: skip
    seller = {"name": "Grid", "offered_tariffs": ["flat", "unknown"]}
    assert (await fleet.api.put("/v1/seller", json=seller)).status_code == 200
    own = {"headers": {CUSTOMER_HEADER: fleet.customer_id}}
    path = f"/v1/customers/{fleet.customer_id}"
    offers = (await fleet.api.get(f"{path}/offers", params={"on": "2025-03-20"}, **own)).json()
    assert [(offer["name"], offer["tariff_version_id"]) for offer in offers["offered"]] == [
        ("Flat", tried)
    ]
    assert [offer["tariff_version_id"] for offer in offers["present"]] == [present]

    assert (offers["present_on"], offers["customer_id"]) == ("2025-03-20", fleet.customer_id)

    asked = question | {"tariff_version_id": tried}
    assert (await calculate(fleet, asked, status=422))["code"] == "version_not_in_force"
    staffs = await calculate(fleet, asked | {"hypothetical": True})
    totals = {}
    for version_id in (tried, present):
        json = asked | {"tariff_version_id": version_id, "hypothetical": True}
        bill = await fleet.api.post("/v1/bills/calculate-and-store", json=json, **own)
        assert bill.status_code == 201, bill.text
        again = await fleet.api.post("/v1/bills/calculate-and-store", json=json, **own)
        assert (again.status_code, again.json()) == (200, bill.json())
        totals[version_id] = bill.json()["breakdown"]["energy"]
    assert totals == {tried: "36.00", present: "54.00"}
    listed = (await fleet.api.get(f"{path}/calculations", **own)).json()["items"]
    assert [item["tariff_version_id"] for item in listed] == [present, tried]
    assert listed[1]["tariff_name"] == "Flat"
    single = await fleet.api.get(f"{path}/calculations/{listed[1]['calculation_id']}", **own)
    assert single.json() == listed[1]
    await shows_staffs_to_staff_alone(fleet, listed, staffs, own)
    await refuses_what_is_not_offered(fleet, asked | {"hypothetical": True}, own)

    monkeypatch.setattr(handlers, "CUSTOMERS_CALCULATIONS_MAX", 2)  # the staff's counts for none
    day = asked | {"end": str(START + timedelta(days=1)), "hypothetical": True}
    full = await fleet.api.post("/v1/bills/calculate-and-store", json=day, **own)
    assert (full.status_code, full.json()["code"]) == (422, "too_many_calculations")
    nobody = {"headers": {CUSTOMER_HEADER: str(uuid4())}}
    refused = await fleet.api.post("/v1/bills/calculate-and-store", json=asked, **nobody)
    assert (refused.status_code, refused.json()["code"]) == (404, "customer_unknown")
    assert (await fleet.api.get(f"{path}/calculations", **nobody)).status_code == 404
    assert (await fleet.api.get(f"{path}/offers", **nobody)).status_code == 404
    another = await clients("another")
    for tail in ("offers", "calculations", f"calculations/{listed[0]['calculation_id']}"):
        assert (await another.get(f"{path}/{tail}")).status_code == 404


async def shows_staffs_to_staff_alone(fleet, listed, staffs, own):
    """The staff's, of the same days by the same version, is beside the customer's."""
    path = f"/v1/customers/{fleet.customer_id}"
    page = (await fleet.api.get(f"{path}/calculations", params={"limit": 1})).json()
    after = {"cursor": page["next_cursor"]}
    rest = (await fleet.api.get(f"{path}/calculations", params=after)).json()["items"]
    assert page["items"] + rest[:-1] == listed
    assert rest[-1] == listed[1] | {
        name: staffs[name] for name in ("calculation_id", "calculated_at")
    }
    hidden = f"{path}/calculations/{staffs['calculation_id']}"
    assert (await fleet.api.get(hidden)).json() == rest[-1]
    assert (await fleet.api.get(hidden, **own)).json()["code"] == "calculation_unknown"
    window = {name: listed[0][name] for name in ("start", "end", "tariff_version_id")}
    bills = [await fleet.api.get(f"{path}/bills", params=window, **who) for who in (own, {})]
    assert {bill.json()["calculation_id"] for bill in bills} == {listed[0]["calculation_id"]}


async def refuses_what_is_not_offered(fleet, asked, own):
    """A customer tries no version that is neither its own nor offered: there may be prices in it
    that are nobody's business. It reads like one that there is not."""
    hidden = str(uuid4())
    await fleet.offer(TARIFF, version_id=hidden, tariff_id=uuid4(), code="hidden", region_id=None)
    window = {name: asked[name] for name in ("start", "end")}
    for version_id in (hidden, str(uuid4())):
        named = {"tariff_version_id": version_id}
        answers = [
            await fleet.api.post("/v1/bills/calculate-and-store", json=asked | named, **own),
            await fleet.api.get(
                f"/v1/customers/{fleet.customer_id}/bills", params=window | named, **own
            ),
        ]
        for answer in answers:
            problem = answer.json()
            assert (answer.status_code, problem["code"]) == (404, "tariff_version_unknown")
            assert "neither the customer's nor offered to it" in problem["detail"]
    await calculate(fleet, asked | {"tariff_version_id": hidden, "end": str(END)})
    by_customer = "SELECT count(*) FROM calculated_bill WHERE by_customer"
    assert await fleet.world.value(by_customer) == 2


async def test_today_is_the_customers_day(fleet):
    """At 23:00 UTC it is the next day in South Africa, where the meter is."""
    late = datetime(2025, 3, 12, 23, tzinfo=UTC)
    tenant_id, customer_id = fleet.world.tenant, UUID(fleet.customer_id)

    async def today():
        async with snapshot(fleet.world.database, tenant=tenant_id) as read:
            return await fetch_today(read, tenant_id, customer_id, late)

    assert await today() == date(2025, 3, 12)  # nothing was ever read
    await fleet.use(await fleet.device(), {12: 12})
    assert await today() == date(2025, 3, 13)
    with for_all_customers():
        bind_customer(customer_id)
        assert await today() == date(2025, 3, 13)
    before = datetime.now(UTC)
    offers = (await fleet.api.get(f"/v1/customers/{customer_id}/offers")).json()
    assert offers["present_on"] == offers["on"]
    days = {local_date(ZONE, before), local_date(ZONE, datetime.now(UTC))}
    assert date.fromisoformat(offers["on"]) in days


async def test_who_has_no_tariff_any_more_is_shown_the_last(fleet):
    meter_id = await fleet.device(region_id=None)
    path = f"/v1/customers/{fleet.customer_id}/offers"
    none = (await fleet.api.get(path, params={"on": "2025-03-20"})).json()
    assert (none["present"], none["present_on"], none["offered"]) == ([], "2025-03-20", [])
    version_id = uuid4()
    tariff_id = await fleet.offer(TARIFF, version_id=version_id, region_id=None)
    await fleet.agree(meter_id, str(tariff_id), end_on="2025-02-01")
    for on, present_on in (("2025-01-20", "2025-01-20"), ("2025-03-20", "2025-01-31")):
        had = (await fleet.api.get(path, params={"on": on})).json()
        assert [offer["tariff_version_id"] for offer in had["present"]] == [str(version_id)]
        assert had["present_on"] == present_on
