"""What a bill carries forward: periods in turn, whatever the order they come in, and restated when
the one before is corrected."""

import asyncio
import random
from dataclasses import replace
from datetime import date
from decimal import Decimal
from operator import itemgetter
from uuid import UUID

import pytest

from gridtally.kernel.periods import month_of
from problems import paths

JANUARY, FEBRUARY, MARCH = (month_of(date(2025, month, 1)) for month in range(1, 4))
WINTER = (JANUARY, FEBRUARY, MARCH)
TIERED = {
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
    """An agreement on the tiers."""

    async def make():
        return await world.home(document=TIERED)

    return make


async def live(world):
    """The totals of live invoices by month."""
    return {
        invoice["start_on"].month: invoice["total"]
        for invoice in await world.invoices()
        if invoice["credited_by"] is None
    }


async def held(world):
    rows = await world.rows("SELECT start_on, reason FROM held_period ORDER BY start_on")
    return {row["start_on"].month: row["reason"] for row in rows}


async def test_tiers_are_used_up_from_bill_to_bill(world, make, home):
    agreement = await home()
    await world.close(*(make.closed(agreement, period=period) for period in WINTER))
    assert await live(world) == TOTALS
    states = await world.rows(
        "SELECT e.state_before, e.state_after FROM invoice i JOIN invoice_evidence e "
        "ON e.invoice_id = i.id ORDER BY i.start_on"
    )
    assert states[0]["state_before"] == {}
    assert states[1]["state_before"] == states[0]["state_after"]
    assert states[2]["state_before"] == states[1]["state_after"]
    assert states[2]["state_after"]["energy"]["used"][0]["kwh"].startswith("863.6")


@pytest.mark.parametrize("seed", range(4))
async def test_the_order_in_which_periods_come_changes_nothing(world, make, home, seed):
    agreement = await home()
    events = [make.closed(agreement, period=period) for period in WINTER]
    random.Random(seed).shuffle(events)
    for event in events:
        await world.close(event)
        await world.retry_all()
    assert await live(world) == TOTALS
    assert len(await world.invoices()) == 3
    assert await held(world) == {}


async def test_a_period_waits_visibly_for_the_one_before_it(world, make, home):
    agreement = await home()
    await world.close(make.closed(agreement, period=MARCH))
    assert await held(world) == {3: "previous_period_missing"}
    await world.close(make.closed(agreement, period=JANUARY))
    await world.retry_all()
    assert await held(world) == {3: "previous_period_missing"}  # february is still to come
    await world.close(make.closed(agreement, period=FEBRUARY))
    await world.retry_all()
    assert await held(world) == {}
    assert await live(world) == TOTALS


async def test_a_held_period_holds_those_after_it(world, make, home):
    agreement = await home()
    gap = [None] + [100] * (JANUARY.slots(make.BERLIN, 15) - 1)
    await world.close(make.closed(agreement, period=JANUARY, values=gap))
    await world.close(make.closed(agreement, period=FEBRUARY))
    assert await held(world) == {1: "values_missing", 2: "previous_period_open"}
    await world.close(make.closed(agreement, period=JANUARY, revision=2))
    await world.retry_all()
    assert await held(world) == {}


async def test_a_correction_restates_the_bills_that_were_built_on_it(world, make, home):
    """With 50 Wh January has 148.8 kWh: February's 268.8 are all cheap, March's first 82.4 too."""
    agreement = await home()
    await world.close(*(make.closed(agreement, period=period) for period in WINTER))
    await world.close(make.closed(agreement, period=JANUARY, revision=2, wh=50))
    await world.retry_all()
    assert await live(world) == {
        1: Decimal("14.88"),
        2: Decimal("26.88"),
        3: Decimal("8.24") + Decimal("64.44"),
    }
    invoices = await world.invoices()
    assert [
        (
            invoice["start_on"].month,
            invoice["revision"],
            invoice["restatement"],
            bool(invoice["credited_by"]),
        )
        for invoice in sorted(invoices, key=itemgetter("start_on", "number"))
    ] == [
        (1, 1, 0, True),
        (1, 2, 0, False),
        (2, 1, 0, True),
        (2, 1, 1, False),
        (3, 1, 0, True),
        (3, 1, 1, False),
    ]
    assert [invoice["number"][-6:] for invoice in invoices] == [f"{n:06}" for n in range(1, 7)]
    await world.close(make.closed(agreement, period=JANUARY, revision=3))
    await world.retry_all()
    assert await live(world) == TOTALS
    assert max(invoice["restatement"] for invoice in await world.invoices()) == 2


async def test_a_correction_that_carries_forward_the_same_restates_nothing(world, make, home):
    agreement = await home()
    await world.close(*(make.closed(agreement, period=period) for period in WINTER))
    moved = [0, 200] + [100] * (JANUARY.slots(make.BERLIN, 15) - 2)
    await world.close(make.closed(agreement, period=JANUARY, revision=2, values=moved))
    assert await world.retry() == 0
    assert len(await world.invoices()) == 4


async def test_a_bill_that_comes_to_the_same_is_not_issued_again(world, make, home):
    """January alone goes over the limit both times: February and March cost what they did."""
    agreement = await home()
    ample = {JANUARY: 400, FEBRUARY: 100, MARCH: 100}
    await world.close(*(make.closed(agreement, period=p, wh=wh) for p, wh in ample.items()))
    await world.close(make.closed(agreement, period=JANUARY, revision=2, wh=399))
    await world.retry_all()
    assert len(await world.invoices()) == 4
    assert await held(world) == {}
    newest = await world.rows("SELECT state FROM billed_period ORDER BY start_on")
    # 399 × 2976 slots, then 268.8 and 297.2
    used = [period["state"]["energy"]["used"][0]["kwh"] for period in newest]
    assert [Decimal(kwh) for kwh in used] == [
        Decimal("1187.424"),
        Decimal("1456.224"),
        Decimal("1753.424"),
    ]


async def test_a_correction_that_is_undone_undoes_what_later_bills_rest_on(world, make, home):
    """February has no energy, so its bill comes to the same whatever January carries forward;
    March's does not, and has to follow through February both times."""
    agreement = await home()
    usage = {JANUARY: 100, FEBRUARY: 0, MARCH: 100}
    await world.close(*(make.closed(agreement, period=p, wh=wh) for p, wh in usage.items()))
    first = await live(world)
    await world.close(make.closed(agreement, period=JANUARY, revision=2, wh=120))
    await world.retry_all()
    # January has 357.12 kWh, so 142.88 of March's 297.2 are cheap
    assert await live(world) == first | {1: Decimal("35.71"), 3: Decimal("60.59")}
    await world.close(make.closed(agreement, period=JANUARY, revision=3))
    await world.retry_all()
    assert await live(world) == first


async def test_a_restatement_does_not_replace_a_newer_revision_that_is_held(world, make, home):
    agreement = await home()
    await world.close(*(make.closed(agreement, period=period) for period in WINTER))
    gap = [None] + [100] * (FEBRUARY.slots(make.BERLIN, 15) - 1)
    await world.close(make.closed(agreement, period=FEBRUARY, revision=2, values=gap))
    await world.close(make.closed(agreement, period=JANUARY, revision=2, wh=50))
    await world.retry_all()
    assert await world.rows("SELECT revision, reason FROM held_period") == [
        {"revision": 2, "reason": "values_missing"}
    ]
    await world.close(make.closed(agreement, period=FEBRUARY, revision=3))
    await world.retry_all()
    assert await held(world) == {}
    assert await live(world) == {
        1: Decimal("14.88"),
        2: Decimal("26.88"),
        3: Decimal("8.24") + Decimal("64.44"),
    }


async def test_a_period_is_billed_after_one_whose_tariff_carries_nothing_forward(world, make):
    """The tiers begin in February; February is closed before January."""
    home = await world.home(document=make.FLAT)
    tiered = make.published(home.tariff_id, TIERED, number=2, since=FEBRUARY.start_on)
    await world.publish(tiered)
    await world.close(make.closed(home, period=FEBRUARY))
    assert await held(world) == {2: "previous_period_missing"}
    await world.close(make.closed(home, period=JANUARY))
    await world.retry_all()
    assert await held(world) == {}
    assert sorted(await live(world)) == [1, 2]


async def test_what_was_built_on_a_tariff_that_is_withdrawn_is_restated(world, make, home):
    """Corrected by a flat tariff, January carries nothing forward: February starts new tiers."""
    agreement = await home()
    await world.close(*(make.closed(agreement, period=period) for period in WINTER))
    flat = make.published(
        agreement.tariff_id, make.FLAT, number=2, since=JANUARY.start_on, until=FEBRUARY.start_on
    )
    await world.publish(flat)
    await world.close(make.closed(agreement, period=JANUARY, revision=2, wh=50))
    await world.retry_all()
    totals = await live(world)
    # 268.8 × 0.10; 231.2 × 0.10 + 66 × 0.30
    assert (totals[2], totals[3]) == (Decimal("26.88"), Decimal("23.12") + Decimal("19.80"))


async def test_the_first_period_of_an_agreement_waits_for_none(world, make):
    agreement = await world.home(document=TIERED, start_on=MARCH.start_on)
    await world.close(make.closed(agreement, period=MARCH))
    assert await live(world) == {3: Decimal("29.72")}


async def test_bills_that_carry_nothing_forward_wait_for_none(world, make):
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
    await world.retry_all()
    invoices = await world.invoices()
    alive = [invoice for invoice in invoices if invoice["credited_by"] is None]
    assert len(alive) == 18
    totals = {(invoice["start_on"].month, invoice["total"]) for invoice in alive}
    # 95 Wh: 282.72 kWh; 217.28 × 0.10 + 38.08 × 0.30; 297.2 × 0.30
    assert totals == {(1, Decimal("28.27")), (2, Decimal("33.15")), (3, Decimal("89.16"))}
    serials = sorted(int(invoice["number"][-6:]) for invoice in invoices)
    assert serials == list(range(1, len(invoices) + 1))


async def test_the_same_is_billed_again_from_the_first_day_alone(world, make, home, clients):
    """From February on the tiers would begin anew: the customer would pay 20.24 less."""
    agreement = await home()
    await world.close(*(make.closed(agreement, period=period) for period in (JANUARY, FEBRUARY)))
    api = await clients(world.tenant, "billing:read", "billing:write")
    path, first = f"/v1/agreements/{agreement.id}/rebilling", {"If-Match": '"1"'}
    order = {"from_on": str(FEBRUARY.start_on), "reason": "a new version", "replacement": {}}
    for refused in (f"{path}/preview", path):
        answer = await api.post(refused, json=order, headers=first)
        assert (answer.status_code, answer.json()["code"]) == (422, "carried_state_lost")
    assert paths(answer.json()) == ["/from_on"]
    ended = await api.post(f"{path}/preview", json=order | {"replacement": None})
    assert ended.status_code == 200
    whole = order | {"from_on": str(agreement.start_on)}
    shown = (await api.post(f"{path}/preview", json=whole)).json()
    assert len(shown["credits"]) == 2
    made = await api.post(path, json=whole, headers=first)
    assert made.status_code == 201, made.text
    new = replace(agreement, id=UUID(made.json()["replacement_id"]))
    await world.close(*(make.closed(new, period=period) for period in (JANUARY, FEBRUARY)))
    assert await live(world) == {1: TOTALS[1], 2: TOTALS[2]}
