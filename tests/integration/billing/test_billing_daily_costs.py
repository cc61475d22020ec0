"""Usage becomes the cost of a meter's local days, whatever comes first."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import permutations
from uuid import uuid4

import pytest

from gridtally.billing.domain.daily_costs import DailyUsage
from gridtally.billing.store.daily_costs import delete_costs
from gridtally.billing.store.due_days import spread_due
from gridtally.contracts.commerce import CostRolledUp
from gridtally.database import ALL_TENANTS, transaction

SPRING_FORWARD = date(2025, 3, 30)
DAY = date(2025, 3, 12)


async def costs(world):
    return await world.rows("SELECT * FROM daily_cost ORDER BY meter_id, day")


async def published_costs(world):
    rows = await world.rows(
        "SELECT value FROM outbox WHERE topic = $1 AND tenant_id = $2 ORDER BY seq",
        CostRolledUp.TOPIC,
        world.tenant,
        tenant="*",
    )
    return [CostRolledUp.model_validate_json(row["value"]) for row in rows]


async def test_a_day_costs_its_energy_and_the_tax_on_it_but_no_standing_charge(world, make):
    home = await world.home()
    await world.use(make.used(home.meter_id, DAY), make.used(home.meter_id, SPRING_FORWARD))
    ordinary, short = await costs(world)
    assert (ordinary["import_wh"], short["import_wh"]) == (9_600, 9_200)
    assert (ordinary["net"], ordinary["tax"]) == (Decimal("2.88"), Decimal("0.55"))
    published = await published_costs(world)
    assert [(cost.day, cost.gross) for cost in published] == [
        (DAY, Decimal("3.43")),
        (SPRING_FORWARD, short["gross"]),
    ]


async def test_the_newest_usage_counts_in_whatever_order_it_comes(world, make):
    results = set()
    for order in permutations((1, 2, 3)):
        fresh = world.another()
        home = await fresh.home()
        for version in order:
            await fresh.use(make.used(home.meter_id, DAY, version=version, wh=version * 100))
        (cost,) = await costs(fresh)
        results.add((cost["usage_version"], cost["import_wh"], cost["gross"]))
    assert len(results) == 1
    assert results.pop()[:2] == (3, 28_800)


async def test_usage_that_comes_again_is_priced_once(world, make):
    home = await world.home()
    usage = make.used(home.meter_id, DAY)
    await world.use(usage, usage)
    await world.use(usage)
    assert len(await published_costs(world)) == 1


async def test_flows_of_a_day_are_priced_together(world, make):
    document = make.FLAT | {"components": [*make.FLAT["components"], make.FEED_IN]}
    home = await world.home(document=document)
    await world.use(make.used(home.meter_id, DAY))
    await world.use(make.used(home.meter_id, DAY, flow="export", wh=50))
    (cost,) = await costs(world)
    assert (cost["import_wh"], cost["export_wh"], cost["usage_version"]) == (9_600, 4_800, 2)
    assert cost["net"] == Decimal("2.88") - Decimal("0.38")


async def test_flows_of_different_intervals_are_priced_in_the_longer_one(world, make):
    document = make.FLAT | {"components": [*make.FLAT["components"], make.FEED_IN]}
    home = await world.home(document=document)
    await world.use(make.used(home.meter_id, DAY))
    await world.use(make.used(home.meter_id, DAY, flow="export", minutes=60, wh=200))
    (cost,) = await costs(world)
    assert (cost["import_wh"], cost["export_wh"]) == (9_600, 4_800)
    assert cost["net"] == Decimal("2.88") - Decimal("0.38")


async def test_what_was_missing_is_priced_when_it_comes(world, make):
    home = await world.home()
    gaps = make.used(home.meter_id, DAY)
    gaps = gaps.model_copy(update={"values": [None] * 48 + [100] * 48})
    await world.use(gaps)
    (cost,) = await costs(world)
    assert cost["import_wh"] == 4_800


@pytest.mark.parametrize("first", ["tariff", "agreement"])
async def test_days_are_priced_when_what_they_lack_arrives(world, make, first):
    tariff_id, meter_id = uuid4(), uuid4()
    agreement = make.agreement(tariff_id=tariff_id, meter_id=meter_id)
    await world.use(make.used(meter_id, DAY))
    assert await costs(world) == []

    async def agree():
        await world.agree_on(agreement)
        await world.apply_agreements(agreement)

    steps = [lambda: world.publish(make.published(tariff_id)), agree]
    for step in steps if first == "tariff" else reversed(steps):
        await step()
        await world.price_due()
    (cost,) = await costs(world)
    assert cost["agreement_id"] == agreement.id


async def test_a_later_version_prices_its_days_again(world, make):
    home = await world.home()
    await world.use(make.used(home.meter_id, DAY), make.used(home.meter_id, SPRING_FORWARD))
    dearer = make.FLAT | {
        "components": [{"kind": "energy", "id": "energy", "rate": "0.60"}],
    }
    version = make.published(home.tariff_id, dearer, number=2, since=SPRING_FORWARD)
    await world.publish(version)
    assert await world.price_due() == 1
    before, after = await costs(world)
    assert (before["net"], after["net"]) == (Decimal("2.88"), Decimal("5.52"))
    await world.publish(version.model_copy(update={"status": "withdrawn"}))
    assert await world.price_due() == 1
    assert (await costs(world))[1]["net"] == Decimal("2.76")


async def test_days_after_an_agreements_end_cost_nothing_any_more(world, make):
    home = await world.home()
    await world.use(make.used(home.meter_id, DAY), make.used(home.meter_id, SPRING_FORWARD))
    await world.execute("UPDATE agreement SET end_on = '2025-03-20', version = 2")
    await world.apply_agreements(replace(home, end_on=date(2025, 3, 20), version=2))
    await world.price_due()
    assert [cost["day"] for cost in await costs(world)] == [DAY]


async def test_a_day_that_newer_usage_has_priced_keeps_its_cost(world, make):
    """Whoever prices a day again may have seen older usage, by which it has no cost."""
    home = await world.home()
    await world.use(make.used(home.meter_id, DAY, version=2))
    older = DailyUsage(
        world.tenant, home.meter_id, DAY, make.BERLIN, {"import": 15}, 1, {}, "a request"
    )
    for usage, left in ((older, 1), (replace(older, version=2), 0)):
        async with transaction(world.database, tenant=ALL_TENANTS) as tx:
            await delete_costs(tx, [usage])
        assert len(await costs(world)) == left


async def test_a_tariff_of_many_agreements_is_applied_in_bounded_polls(world, make):
    """Its own transaction marks agreements alone; their days are marked some agreements a poll."""
    first = await world.home()
    homes = [first] + [await world.agree(tariff_id=first.tariff_id) for _ in range(4)]
    days = make.MARCH.dates()[:3]
    await world.use(*(make.used(home.meter_id, day) for home in homes for day in days))
    dearer = {"components": [{"kind": "energy", "id": "energy", "rate": "0.60"}]}
    await world.publish(make.published(first.tariff_id, make.FLAT | dearer, number=2))
    assert await world.rows("SELECT 1 FROM due_day") == []
    for agreements in (2, 2, 1, 0):
        async with transaction(world.database, tenant=ALL_TENANTS) as tx:
            assert await spread_due(tx, 2) == agreements
    assert await world.value("SELECT count(*) FROM due_day") == len(homes) * len(days)
    await world.price_due()
    assert {cost["net"] for cost in await costs(world)} == {Decimal("5.76")}


async def test_versions_that_meet_mark_all_their_days(world, make):
    home = await world.home()
    await world.use(make.used(home.meter_id, DAY), make.used(home.meter_id, SPRING_FORWARD))
    for since in (SPRING_FORWARD, DAY, SPRING_FORWARD):
        await world.publish(make.published(home.tariff_id, number=2, since=since))
    assert await world.price_due() == 2
    assert await world.price_due() == 0
