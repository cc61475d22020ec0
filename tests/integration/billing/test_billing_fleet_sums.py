"""Derived meters in what a fleet costs: each kWh of a customer once, by the price that it has."""

from datetime import date
from uuid import UUID, uuid4

import pytest

from doubles.billing.fleet import Fleet, energy
from gridtally.contracts.metering import Series
from gridtally.kernel.periods import Period
from gridtally.rating.proof.contents import digest_of

THURSDAY = date(2025, 3, 13)


@pytest.fixture
async def fleet(world, make, clients):
    fleet = await Fleet(world, make, await clients(world.tenant)).begin()
    await fleet.offer(energy("ZAR", "1"))
    return fleet


async def devices(fleet, **window):
    return [
        (device["device_name"], device["kwh"], device["base_cost"])
        for device in (await fleet.get(**window))["per_device"]
    ]


async def test_a_billed_sum_counts_in_place_of_what_it_adds(fleet):
    """`Rest` = main − flat is billed at 3: the main meter is in it, and the flat beside it."""
    main = await fleet.device("Main", meter_type="main")
    flat = await fleet.device("Flat", meter_type="sub")
    rest = await fleet.device("Rest", meter_type="derived")
    await fleet.define(rest, (date(2025, 1, 1), [main], [flat]))
    await fleet.use(main, {9: 30})
    await fleet.use(flat, {9: 12})
    assert await devices(fleet) == [("Main", "30.000", "30.00")]
    dear = await fleet.offer(energy("ZAR", "3"), region_id=None)
    await fleet.agree(rest, dear, start_on="2025-03-12")
    # not published yet, and as ingest adds it up
    assert await devices(fleet) == [("Flat", "12.000", "12.00"), ("Main", "0.000", "0.00"),
                                    ("Rest", "18.000", "54.00")]  # fmt: skip
    await fleet.use(rest, {9: 18})
    cost = await fleet.get()
    assert (cost["total_kwh"], cost["total_base_cost"]) == ("30.000", "66.00")
    # the day before the agreement the main meter counts
    await fleet.use(main, {9: 6}, day=date(2025, 3, 11))
    await fleet.use(flat, {9: 6}, day=date(2025, 3, 11))
    before = {"from_at": "2025-03-11T00:00Z", "to_at": "2025-03-12T00:00Z"}
    assert (await fleet.get(**before))["total_kwh"] == "6.000"


async def test_parts_that_are_billed_themselves_count_beside_their_sum(fleet):
    """Two agreements are two bills; the main meter, of a level above, is dropped with them."""
    await fleet.use(await fleet.device("Whole", meter_type="total"), {9: 60})
    main = await fleet.device("Main", meter_type="main")
    both = await fleet.device("Sum", meter_type="derived")
    await fleet.define(both, (date(2025, 1, 1), [main], []))
    dear = await fleet.offer(energy("ZAR", "3"), region_id=None)
    for meter_id in (main, both):
        await fleet.agree(meter_id, dear)
        await fleet.use(meter_id, {9: 6})
    assert await devices(fleet) == [("Main", "6.000", "18.00"), ("Sum", "6.000", "18.00")]


async def test_a_sum_at_a_site_counts_where_nothing_that_it_adds_does(fleet, make):
    """Its parts are elsewhere, where nobody pays for them until the 13th; then one is somebody's.
    Two parts of 10 and 15 minutes are added up to half hours."""
    elsewhere = uuid4()
    pumps = [await fleet.device(name, site_id=elsewhere) for name in ("A", "B")]
    pool = await fleet.device("Pool", meter_type="derived")
    within = await fleet.device("Within", meter_type="derived")
    await fleet.define(pool, (date(2025, 1, 1), pumps, []))
    await fleet.define(within, (date(2025, 1, 1), pumps[:1], []))
    for day in (date(2025, 3, 12), THURSDAY):
        await fleet.use(pumps[0], {9: 6, 10: 6}, day=day)
        await fleet.world.use(
            make.used(pumps[1], day, wh=1_000, zone="Africa/Johannesburg", minutes=15)
        )
    assert await devices(fleet) == [("Pool", "20.000", "20.00")]
    dear = await fleet.offer(energy("ZAR", "3"), region_id=None)
    other = (await fleet.api.post("/v1/customers", json={
        "name": "Tenant", "currency": "ZAR"})).json()["id"]  # fmt: skip
    await fleet.agree(pumps[1], dear, start_on="2025-03-13", customer_id=other)
    to_at = {"from_at": "2025-03-12T22:00Z", "to_at": "2025-03-13T22:00Z"}
    # `Within` is not in a sum that counts any more, and its own part is nobody's
    assert await devices(fleet, **to_at) == [
        ("Pool", "0.000", "0.00"),
        ("Within", "12.000", "12.00"),
    ]


async def test_what_is_left_of_a_sum_counts_where_a_part_counts_elsewhere(fleet):
    """`Pool` adds the site's main meter, and a pump elsewhere that nobody pays for: the pump is
    counted by it, priced at its site, and the main meter once. What was added up before is not
    what is left."""
    main = await fleet.device("Main", meter_type="main")
    pump = await fleet.device("Pump", site_id=uuid4())
    pool = await fleet.device("Pool", meter_type="derived")
    await fleet.define(pool, (date(2025, 1, 1), [main, pump], []))
    await fleet.use(main, {9: 30})
    await fleet.use(pump, {9: 6, 10: 6})
    left = [("Main", "30.000", "30.00"), ("Pool", "12.000", "12.00")]
    assert await devices(fleet) == left
    await fleet.use(pool, {9: 36, 10: 6})
    assert await devices(fleet) == left
    assert (await fleet.get())["not_counted"] == []
    version_id = uuid4()
    dear = await fleet.offer(energy("ZAR", "3"), region_id=None, version_id=version_id)
    asked = {"start": "2025-03-12", "end": "2025-03-13", "tariff_version_id": str(version_id)}
    path = f"/v1/customers/{fleet.customer_id}/bills"
    assert (await fleet.api.get(path, params=asked)).json()["total_cost"] == "126.00"
    await fleet.agree(pump, dear)
    assert await devices(fleet) == [("Main", "30.000", "30.00"), ("Pump", "12.000", "36.00")]
    assert (await fleet.api.get(path, params=asked)).json()["total_cost"] == "126.00"


async def test_a_sum_of_which_nobody_can_say_what_is_left_is_named(fleet):
    """Whether the meter that is subtracted is behind the main meter or the pump is not known."""
    main = await fleet.device("Main", meter_type="main")
    pump, shop = [await fleet.device(name, site_id=uuid4()) for name in ("Pump", "Shop")]
    pool = await fleet.device("Pool", meter_type="derived")
    await fleet.define(pool, (date(2025, 1, 1), [main, pump], [shop]))
    for meter_id in (main, pump, shop):
        await fleet.use(meter_id, {9: 6})
    cost = await fleet.get()
    assert cost["total_kwh"] == "6.000"
    [left_out] = cost["not_counted"]
    assert left_out["from_on"] <= "2025-03-12" < left_out["to_on"]
    assert (left_out["device_name"], left_out["counted_parts"]) == ("Pool", [str(main)])
    version_id = uuid4()
    dear = await fleet.offer(energy("ZAR", "3"), region_id=None, version_id=version_id)
    asked = {
        "customer_id": fleet.customer_id, "start": "2025-03-12", "end": "2025-03-13",
        "tariff_version_id": str(version_id),
    }  # fmt: skip
    answer = await fleet.api.post("/v1/bills/calculate-and-store", json=asked)
    assert (answer.status_code, answer.json()["code"]) == (422, "sum_ambiguous")
    await fleet.agree(pool, dear)
    cost = await fleet.get()
    assert (cost["not_counted"], cost["total_kwh"]) == ([], "6.000")


async def test_a_definition_counts_from_its_day_on(fleet):
    elsewhere = uuid4()
    first, second = [await fleet.device(name, site_id=elsewhere) for name in ("A", "B")]
    pool = await fleet.device("Pool", meter_type="derived")
    await fleet.define(pool, (date(2025, 1, 1), [first], []), (THURSDAY, [first], [second]))
    for day in (date(2025, 3, 12), THURSDAY):
        await fleet.use(first, {9: 12}, day=day)
        await fleet.use(second, {9: 6}, day=day)
    cost = await fleet.get(to_at="2025-03-14T00:00Z")
    assert [day["kwh"] for day in cost["daily"]] == ["12.000", "6.000"]


async def test_the_unmetered_rest_of_a_site_does_not_count_again(fleet):
    """`unmetered` is total − gg − sg of its property without being defined."""
    total = await fleet.device("Total", meter_type="total")
    await fleet.device("Rest", meter_type="unmetered")
    await fleet.use(total, {9: 6})
    assert await devices(fleet) == [("Total", "6.000", "6.00")]


async def test_a_billed_sum_costs_what_its_invoices_energy_lines_say(fleet, make):
    main = await fleet.device("Main", meter_type="main")
    rest = await fleet.device("Rest", meter_type="derived")
    await fleet.define(rest, (date(2025, 1, 1), [main], []))
    dear = await fleet.offer(energy("ZAR", "0.3337"), region_id=None)
    agreed = await fleet.agree(rest, dear)
    days = Period(date(2025, 3, 1), date(2025, 4, 1))
    values = [(7 * index) % 1_201 for index in range(days.slots("Africa/Johannesburg", 10))]
    for number, day in enumerate(days.dates()):
        own = values[number * 144 : (number + 1) * 144]
        for meter_id in (main, rest):
            await fleet.record(meter_id, own, day=day)
    series = [Series(flow="import", minutes=10, values=values, quality="A" * len(values))]
    agreement = make.agreement(tariff_id=dear, meter_id=rest)
    closed = make.closed(agreement, zone="Africa/Johannesburg", minutes=10, values=values)
    await fleet.world.close(
        closed.model_copy(
            update={
                "agreement_id": UUID(agreed["id"]),
                "series": series,
                "digest": digest_of(series),
            }
        )
    )
    [invoice] = (await fleet.api.get("/v1/invoices")).json()["items"]
    lines = (await fleet.api.get(f"/v1/invoices/{invoice['id']}")).json()["lines"]
    [exact] = [line["amount_exact"] for line in lines if line["component_id"] == "energy"]
    cost = await fleet.get("2025-02-28T22:00Z", "2025-03-31T22:00Z")
    assert cost["total_base_cost"] == exact
    assert cost["total_kwh"] == f"{sum(values) / 1000:.3f}"
