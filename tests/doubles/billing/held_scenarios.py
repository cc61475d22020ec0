"""Why a closed period is held, and what it takes to bill it: scenarios as in `scenarios`."""

from datetime import date
from functools import partial
from uuid import uuid4

from doubles.billing.events import (
    BERLIN,
    CAPACITY,
    FEBRUARY,
    FEED_IN,
    FLAT,
    JANUARY,
    MARCH,
    SPOT,
    TIERED,
    agreement,
    closed,
    priced,
    published,
    registered,
)
from doubles.billing.worlds import held, live, states_of


async def held_then_billed(world, reason, *repairs):
    """One period is held for the reason, also when it is tried again; each repair but the last one
    changes nothing about it; then it is billed."""
    assert await held(world) == {3: reason}
    assert await world.retry() == 0  # nothing is due
    for repair in repairs[:-1]:
        await repair()
        await world.retry_all()
        assert await held(world) == {3: reason}
    await repairs[-1]()
    assert await world.retry() == 1
    assert await held(world) == {}
    assert [*await live(world)] == [3]


async def without_its_tariff(world):
    tariff_id = uuid4()
    home = await world.agree(tariff_id=tariff_id)
    await world.register(registered(home.meter_id))
    await world.close(closed(home))
    half = published(tariff_id, since=date(2025, 3, 16))
    whole = published(tariff_id, until=date(2025, 3, 16))
    repairs = partial(world.publish, half), partial(world.publish, whole)
    await held_then_billed(world, "tariff_missing", *repairs)


async def without_its_meter(world):
    tariff_id = uuid4()
    await world.publish(published(tariff_id))
    home = await world.agree(tariff_id=tariff_id)
    await world.close(closed(home))
    await world.register(registered(uuid4()))  # what concerns others makes nothing due
    its_own = partial(world.register, registered(home.meter_id))
    await held_then_billed(world, "meter_missing", its_own)


async def without_its_agreement(world):
    tariff_id, meter_id = uuid4(), uuid4()
    await world.publish(published(tariff_id))
    await world.register(registered(meter_id))
    late = agreement(tariff_id=tariff_id, meter_id=meter_id)
    await world.close(closed(late))
    await world.agree_on(late)
    published_late = partial(world.apply_agreements, late)
    await held_then_billed(world, "agreement_missing", published_late)


async def on_days_that_its_agreement_does_not_span(world):
    home = await world.home(start_on=date(2025, 3, 2))
    await world.close(closed(home))
    assert await held(world) == {3: "agreement_differs"}


async def in_another_currency_than_the_customers(world):
    tariff_id, meter_id = uuid4(), uuid4()
    await world.register(registered(meter_id))
    home = await world.agree(tariff_id=tariff_id, meter_id=meter_id)
    await world.publish(published(tariff_id, FLAT | {"currency": "USD"}))
    await world.close(closed(home))
    euros = published(tariff_id, number=2)
    await held_then_billed(world, "currency_differs", partial(world.publish, euros))


async def without_the_connected_load_that_its_tariff_charges_for(world):
    home = await world.home(document=FLAT | {"components": [*FLAT["components"], CAPACITY]})
    await world.register(registered(home.meter_id, connected_kw=None, version=2))
    await world.close(closed(home))
    known = registered(home.meter_id, connected_kw="15", version=3)
    older = registered(home.meter_id, connected_kw="99", version=1)
    await world.register(older)  # which changes nothing, so that nothing is due
    repair = partial(world.register, known)
    await held_then_billed(world, "connected_kw_missing", repair)
    assert await live(world) == {3: "150.98"}  # 15 kW at 2, untaxed


async def without_a_flow_that_its_meter_has(world):
    home = await world.home(document=FLAT | {"components": [*FLAT["components"], FEED_IN]})
    await world.register(registered(home.meter_id, flows=["import", "export"], version=2))
    await world.close(closed(home))
    only_import = registered(home.meter_id, version=3)
    await held_then_billed(world, "flow_missing", partial(world.register, only_import))


async def without_a_value_although_complete(world):
    home = await world.home()
    gap = [None] + [100] * (MARCH.slots(BERLIN, 15) - 1)
    await world.close(closed(home, values=gap))
    assert await held(world) == {3: "values_missing"}
    await world.close(closed(home, values=gap, closed_by="grace", revision=2))
    assert await held(world) == {}
    assert await states_of(world) == [(3, 2, 0, "120.94", True)]  # 0.1 kWh less at 0.30, and tax


async def without_its_prices(world):
    home = await world.home(document=SPOT)
    await world.close(closed(home))
    *days, last = MARCH.dates()
    most, rest = partial(world.price, *map(priced, days)), partial(world.price, priced(last))
    await held_then_billed(world, "prices_missing", most, rest)
    assert await live(world) == {3: "35.66"}  # 29.72 and 5.94 of mark-up


async def without_prices_in_its_currency(world):
    home = await world.home(document=SPOT)
    await world.price(*(priced(day, currency="USD") for day in MARCH.dates()))
    await world.close(closed(home))
    euros = partial(world.price, *(priced(day, version=2) for day in MARCH.dates()))
    await held_then_billed(world, "prices_currency", euros)


async def after_a_period_that_never_came(world):
    home = await world.home(document=TIERED)
    await world.close(closed(home, period=FEBRUARY))
    await world.close(closed(home, period=MARCH))
    assert await held(world) == {2: "previous_period_missing", 3: "previous_period_open"}
    await world.close(closed(home, period=JANUARY))
    await world.retry_all()
    assert await held(world) == {}
    assert await live(world) == {1: "29.76", 2: "40.16", 3: "89.16"}


HELD_SCENARIOS = (
    without_its_tariff,
    without_its_meter,
    without_its_agreement,
    on_days_that_its_agreement_does_not_span,
    in_another_currency_than_the_customers,
    without_the_connected_load_that_its_tariff_charges_for,
    without_a_flow_that_its_meter_has,
    without_a_value_although_complete,
    without_its_prices,
    without_prices_in_its_currency,
    after_a_period_that_never_came,
)
