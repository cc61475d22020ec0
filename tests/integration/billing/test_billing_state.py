"""What a bill hands to the next: periods in turn, whatever the order they come in, and restated
when the one before is corrected."""

import asyncio
import random
from datetime import date
from decimal import Decimal

import pytest

from kernel.periods import month_of

JANUARY, FEBRUARY, MARCH = (month_of(date(2025, month, 1)) for month in range(1, 4))
WINTER = (JANUARY, FEBRUARY, MARCH)
LADDER = {
    "currency": "EUR",
    "zone": "Europe/Berlin",
    "components": [
        {
            "kind": "tiered",
            "id": "energy",
            "tiers": [{"limit": "500", "rate": "0.10"}, {"rate": "0.30"}],
            "limits": {"per": "period", "reset_months": 12},
        }
    ],
}
"""500 kWh a year at 0.10, then 0.30. With 100 Wh in each quarter of an hour January has 297.6 kWh,
February 268.8 and March 297.2."""
TOTALS = {1: Decimal("29.76"), 2: Decimal("40.16"), 3: Decimal("89.16")}
"""297.6 × 0.10; 202.4 × 0.10 + 66.4 × 0.30; 297.2 × 0.30."""


@pytest.fixture
def home(world):
    """An agreement on the ladder."""

    async def make():
        return await world.home(document=LADDER)

    return make


async def settle(world):
    """Try what is due until nothing is."""
    while await world.retry():
        pass


async def live(world):
    """The totals of live invoices by month."""
    return {
        one["start_on"].month: one["total"]
        for one in await world.invoices()
        if one["credited_by"] is None
    }


async def held(world):
    rows = await world.rows("SELECT start_on, reason FROM held_period ORDER BY start_on")
    return {row["start_on"].month: row["reason"] for row in rows}


async def test_a_ladder_is_climbed_from_bill_to_bill(world, make, home):
    agreement = await home()
    await world.close(*(make.closed(agreement, period=period) for period in WINTER))
    assert await live(world) == TOTALS
    states = await world.rows(
        "SELECT e.state_before, e.state_after FROM invoice i JOIN invoice_evidence e "
        "ON e.invoice_id = i.id ORDER BY i.start_on"
    )
    assert states[0]["state_before"] == {}
    assert [one["state_before"] for one in states[1:]] == [one["state_after"] for one in states[:2]]
    assert states[2]["state_after"]["energy"]["used"][0]["kwh"].startswith("863.6")


@pytest.mark.parametrize("seed", range(4))
async def test_the_order_in_which_periods_come_changes_nothing(world, make, home, seed):
    agreement = await home()
    events = [make.closed(agreement, period=period) for period in WINTER]
    random.Random(seed).shuffle(events)
    for event in events:
        await world.close(event)
        await settle(world)
    assert await live(world) == TOTALS
    assert len(await world.invoices()) == 3
    assert await held(world) == {}


async def test_a_period_waits_visibly_for_the_one_before_it(world, make, home):
    agreement = await home()
    await world.close(make.closed(agreement, period=MARCH))
    assert await held(world) == {3: "previous_period_missing"}
    await world.close(make.closed(agreement, period=JANUARY))
    await settle(world)
    assert await held(world) == {3: "previous_period_missing"}  # february is still to come
    await world.close(make.closed(agreement, period=FEBRUARY))
    await settle(world)
    assert await held(world) == {}
    assert await live(world) == TOTALS


async def test_a_held_period_holds_those_after_it(world, make, home):
    agreement = await home()
    gap = [None] + [100] * (JANUARY.slots(make.BERLIN, 15) - 1)
    await world.close(make.closed(agreement, period=JANUARY, values=gap))
    await world.close(make.closed(agreement, period=FEBRUARY))
    assert await held(world) == {1: "values_missing", 2: "previous_period_open"}
    await world.close(make.closed(agreement, period=JANUARY, revision=2))
    await settle(world)
    assert await held(world) == {}


async def test_a_correction_restates_the_bills_that_were_built_on_it(world, make, home):
    """With 50 Wh January has 148.8 kWh: February's 268.8 are all cheap, March's first 82.4 too."""
    agreement = await home()
    await world.close(*(make.closed(agreement, period=period) for period in WINTER))
    await world.close(make.closed(agreement, period=JANUARY, revision=2, wh=50))
    await settle(world)
    assert await live(world) == {
        1: Decimal("14.88"),
        2: Decimal("26.88"),
        3: Decimal("8.24") + Decimal("64.44"),
    }
    invoices = await world.invoices()
    assert [
        (one["start_on"].month, one["revision"], one["restatement"], bool(one["credited_by"]))
        for one in sorted(invoices, key=lambda one: (one["start_on"], one["number"]))
    ] == [
        (1, 1, 0, True),
        (1, 2, 0, False),
        (2, 1, 0, True),
        (2, 1, 1, False),
        (3, 1, 0, True),
        (3, 1, 1, False),
    ]
    assert [one["number"][-6:] for one in invoices] == [f"{n:06}" for n in range(1, 7)]
    await world.close(make.closed(agreement, period=JANUARY, revision=3))
    await settle(world)
    assert await live(world) == TOTALS
    assert max(one["restatement"] for one in await world.invoices()) == 2


async def test_a_correction_that_hands_on_the_same_restates_nothing(world, make, home):
    agreement = await home()
    await world.close(*(make.closed(agreement, period=period) for period in WINTER))
    moved = [0, 200] + [100] * (JANUARY.slots(make.BERLIN, 15) - 2)
    await world.close(make.closed(agreement, period=JANUARY, revision=2, values=moved))
    assert await world.retry() == 0
    assert len(await world.invoices()) == 4


async def test_a_bill_that_comes_to_the_same_is_not_issued_again(world, make, home):
    """January alone climbs over the limit both times: February and March cost what they did."""
    agreement = await home()
    ample = {JANUARY: 400, FEBRUARY: 100, MARCH: 100}
    await world.close(*(make.closed(agreement, period=p, wh=wh) for p, wh in ample.items()))
    await world.close(make.closed(agreement, period=JANUARY, revision=2, wh=399))
    await settle(world)
    assert len(await world.invoices()) == 4
    assert await held(world) == {}
    newest = await world.rows("SELECT state FROM billed_period ORDER BY start_on")
    # 399 × 2976 slots, then 268.8 and 297.2
    used = [one["state"]["energy"]["used"][0]["kwh"] for one in newest]
    assert [Decimal(kwh) for kwh in used] == [
        Decimal("1187.424"),
        Decimal("1456.224"),
        Decimal("1753.424"),
    ]


async def test_a_correction_that_is_undone_undoes_what_later_bills_rest_on(world, make, home):
    """February has no energy, so its bill comes to the same whatever January hands on; March's does
    not, and has to follow through February both times."""
    agreement = await home()
    usage = {JANUARY: 100, FEBRUARY: 0, MARCH: 100}
    await world.close(*(make.closed(agreement, period=p, wh=wh) for p, wh in usage.items()))
    first = await live(world)
    await world.close(make.closed(agreement, period=JANUARY, revision=2, wh=120))
    await settle(world)
    # January has 357.12 kWh, so 142.88 of March's 297.2 are cheap
    assert await live(world) == first | {1: Decimal("35.71"), 3: Decimal("60.59")}
    await world.close(make.closed(agreement, period=JANUARY, revision=3))
    await settle(world)
    assert await live(world) == first


async def test_a_restatement_does_not_replace_a_newer_revision_that_is_held(world, make, home):
    agreement = await home()
    await world.close(*(make.closed(agreement, period=period) for period in WINTER))
    gap = [None] + [100] * (FEBRUARY.slots(make.BERLIN, 15) - 1)
    await world.close(make.closed(agreement, period=FEBRUARY, revision=2, values=gap))
    await world.close(make.closed(agreement, period=JANUARY, revision=2, wh=50))
    await settle(world)
    assert await world.rows("SELECT revision, reason FROM held_period") == [
        {"revision": 2, "reason": "values_missing"}
    ]
    await world.close(make.closed(agreement, period=FEBRUARY, revision=3))
    await settle(world)
    assert await held(world) == {}
    assert await live(world) == {
        1: Decimal("14.88"),
        2: Decimal("26.88"),
        3: Decimal("8.24") + Decimal("64.44"),
    }


async def test_a_period_is_taken_up_after_one_whose_tariff_hands_on_nothing(world, make):
    """The ladder begins in February; February is closed before January."""
    home = await world.home(document=make.FLAT)
    ladder = make.published(home.tariff_id, LADDER, number=2, since=FEBRUARY.start_on)
    await world.publish(ladder)
    await world.close(make.closed(home, period=FEBRUARY))
    assert await held(world) == {2: "previous_period_missing"}
    await world.close(make.closed(home, period=JANUARY))
    await settle(world)
    assert await held(world) == {}
    assert sorted(await live(world)) == [1, 2]


async def test_what_was_built_on_a_tariff_that_is_withdrawn_is_restated(world, make, home):
    """Corrected by a flat tariff, January hands on nothing, and February starts its own ladder."""
    agreement = await home()
    await world.close(*(make.closed(agreement, period=period) for period in WINTER))
    flat = make.published(
        agreement.tariff_id, make.FLAT, number=2, since=JANUARY.start_on, until=FEBRUARY.start_on
    )
    await world.publish(flat)
    await world.close(make.closed(agreement, period=JANUARY, revision=2, wh=50))
    await settle(world)
    totals = await live(world)
    # 268.8 × 0.10; 231.2 × 0.10 + 66 × 0.30
    assert (totals[2], totals[3]) == (Decimal("26.88"), Decimal("23.12") + Decimal("19.80"))


async def test_the_first_period_of_an_agreement_waits_for_none(world, make):
    agreement = await world.home(document=LADDER, start_on=MARCH.start_on)
    await world.close(make.closed(agreement, period=MARCH))
    assert await live(world) == {3: Decimal("29.72")}


async def test_bills_that_hand_on_nothing_wait_for_none(world, make):
    agreement = await world.home()
    await world.close(make.closed(agreement, period=MARCH))
    assert list(await live(world)) == [3]


async def test_consumers_and_retries_at_once_neither_deadlock_nor_double(world, make, home):
    agreements = [await home() for _ in range(6)]
    await asyncio.gather(
        *(world.close(*(make.closed(a, period=p) for p in WINTER)) for a in agreements)
    )
    done = asyncio.Event()

    async def keep_trying():
        while not done.is_set():
            await world.retry()

    trying = [asyncio.create_task(keep_trying()) for _ in range(2)]
    async with asyncio.timeout(120):
        for revision in range(2, 6):
            await asyncio.gather(
                *(
                    world.close(
                        *(
                            make.closed(a, period=period, revision=revision, wh=100 - revision)
                            for period in (JANUARY, FEBRUARY)
                            for a in half
                        )
                    )
                    for half in (agreements[:3], agreements[3:])
                )
            )
    done.set()
    await asyncio.gather(*trying)
    await settle(world)
    invoices = await world.invoices()
    alive = [one for one in invoices if one["credited_by"] is None]
    assert len(alive) == 18
    totals = {(one["start_on"].month, one["total"]) for one in alive}
    # 95 Wh: 282.72 kWh; 217.28 × 0.10 + 38.08 × 0.30; 297.2 × 0.30
    assert totals == {(1, Decimal("28.27")), (2, Decimal("33.15")), (3, Decimal("89.16"))}
    assert sorted(int(one["number"][-6:]) for one in invoices) == list(range(1, len(invoices) + 1))
