"""What becomes of closed periods: scenarios for a tenant in memory and for one in PostgreSQL.

Each takes a world and asserts what anybody can see of it: invoices, what is held, what is sent.
"""

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import uuid4

from doubles.billing.events import (
    APRIL,
    BERLIN,
    FEBRUARY,
    JANUARY,
    MARCH,
    NOW,
    TIERED,
    balance_changed,
    closed,
    published,
    registered,
)
from doubles.billing.held_scenarios import HELD_SCENARIOS
from doubles.billing.worlds import held, live, states_of

ISSUED, CREDITED, VOIDED = "invoice.issued.v1", "credit_note.issued.v1", "invoice.voided.v1"


async def a_complete_period_is_billed(world):
    home = await world.home()
    await world.close(closed(home))
    assert await states_of(world) == [(3, 1, 0, "120.98", True)]
    assert await world.emitted() == [(ISSUED, "c-1")]


async def the_same_again_and_older_ones_change_nothing(world):
    home = await world.home()
    first, second = closed(home), closed(home, revision=2, wh=90)
    await world.close(first, first)
    await world.close(second)
    before = await world.invoices(), await world.emitted()
    for again in (first, second, first):
        await world.close(again)
    assert (await world.invoices(), await world.emitted()) == before


async def a_new_revision_credits_the_invoice_of_the_one_before(world):
    home = await world.home()
    await world.close(closed(home), closed(home, revision=2, wh=90))
    assert await states_of(world) == [(3, 1, 0, "120.98", False), (3, 2, 0, "110.36", True)]
    assert [topic for topic, _ in await world.emitted()] == [ISSUED, CREDITED, VOIDED, ISSUED]


async def a_newer_revision_takes_the_place_of_a_held_one(world):
    tariff_id = uuid4()
    home = await world.agree(tariff_id=tariff_id)
    await world.register(registered(home.meter_id))
    await world.close(closed(home), closed(home, revision=2, wh=90))
    assert [row["revision"] for row in await world.held()] == [2]
    await world.publish(published(tariff_id))
    assert await world.retry() == 1
    assert await states_of(world) == [(3, 2, 0, "110.36", True)]


async def a_held_revision_leaves_the_invoice_of_the_one_before_alone(world):
    tariff_id = uuid4()
    version = published(tariff_id)
    home = await world.agree(tariff_id=tariff_id)
    await world.register(registered(home.meter_id))
    await world.publish(version)
    await world.close(closed(home))
    await world.publish(version.model_copy(update={"status": "withdrawn"}))
    await world.close(closed(home, revision=2, wh=90))
    assert await states_of(world) == [(3, 1, 0, "120.98", True)]
    await world.publish(published(tariff_id, number=2))
    assert await world.retry() == 1
    assert await live(world) == {3: "110.36"}


async def a_withdrawn_version_stays_withdrawn(world):
    """Its publication comes again behind its withdrawal, as a relay may send it."""
    tariff_id = uuid4()
    version = published(tariff_id)
    home = await world.agree(tariff_id=tariff_id)
    await world.register(registered(home.meter_id))
    await world.publish(version, version.model_copy(update={"status": "withdrawn"}))
    await world.publish(version)
    await world.close(closed(home))
    assert await held(world) == {3: "tariff_missing"}


async def a_version_that_was_ended_does_not_last_longer_again(world):
    tariff_id = uuid4()
    version = published(tariff_id, until=date(2026, 1, 1))
    ended = version.model_copy(update={"effective_to": date(2025, 3, 16)})
    home = await world.agree(tariff_id=tariff_id)
    await world.register(registered(home.meter_id))
    await world.publish(version)
    await world.publish(ended)
    await world.publish(version)
    await world.close(closed(home))
    (row,) = await world.held()
    assert "from 2025-03-16 to 2025-04-01" in row["detail"]


async def a_correction_restates_the_bills_that_were_built_on_it(world):
    """With 50 Wh January has 148.8 kWh: February's 268.8 are all cheap, March's first 82.4 too."""
    home = await world.home(document=TIERED)
    await world.close(*(closed(home, period=month) for month in (JANUARY, FEBRUARY, MARCH)))
    await world.close(closed(home, period=JANUARY, revision=2, wh=50))
    assert await held(world) == {2: "previous_period_corrected"}
    assert await world.retry() == 1
    assert await held(world) == {3: "previous_period_corrected"}
    await world.retry_all()
    assert await states_of(world) == [
        (1, 1, 0, "29.76", False),
        (2, 1, 0, "40.16", False),
        (3, 1, 0, "89.16", False),
        (1, 2, 0, "14.88", True),
        (2, 1, 1, "26.88", True),
        (3, 1, 1, "72.68", True),
    ]


async def a_correction_that_carries_forward_the_same_restates_nothing(world):
    home = await world.home(document=TIERED)
    await world.close(*(closed(home, period=month) for month in (JANUARY, FEBRUARY)))
    moved = [0, 200] + [100] * (JANUARY.slots(BERLIN, 15) - 2)
    await world.close(closed(home, period=JANUARY, revision=2, values=moved))
    assert await world.retry() == 0
    assert len(await world.invoices()) == 3


async def a_restatement_that_repeats_its_lines_is_not_issued(world):
    """January alone is over the limit both times: February costs what it did; but what February
    carries forward has changed, and March's bill rests on it."""
    home = await world.home(document=TIERED)
    usage = {JANUARY: 400, FEBRUARY: 100, MARCH: 100}
    await world.close(*(closed(home, period=month, wh=wh) for month, wh in usage.items()))
    await world.close(closed(home, period=JANUARY, revision=2, wh=399))
    assert await held(world) == {2: "previous_period_corrected"}
    assert await world.retry() == 1
    assert await held(world) == {3: "previous_period_corrected"}
    await world.retry_all()
    assert await held(world) == {}
    assert len(await world.invoices()) == 4


async def a_correction_that_is_undone_undoes_what_later_bills_rest_on(world):
    """February has no energy: its bill repeats itself, whatever January carries forward; March's
    does not, and follows through February both times."""
    home = await world.home(document=TIERED)
    usage = {JANUARY: 100, FEBRUARY: 0, MARCH: 100}
    await world.close(*(closed(home, period=month, wh=wh) for month, wh in usage.items()))
    first = await live(world)
    await world.close(closed(home, period=JANUARY, revision=2, wh=120))
    await world.retry_all()
    assert await live(world) == first | {1: "35.71", 3: "60.59"}
    await world.close(closed(home, period=JANUARY, revision=3))
    await world.retry_all()
    assert await live(world) == first


async def a_restatement_does_not_replace_a_newer_revision_that_is_held(world):
    home = await world.home(document=TIERED)
    await world.close(*(closed(home, period=month) for month in (JANUARY, FEBRUARY)))
    gap = [None] + [100] * (FEBRUARY.slots(BERLIN, 15) - 1)
    await world.close(closed(home, period=FEBRUARY, revision=2, values=gap))
    await world.close(closed(home, period=JANUARY, revision=2, wh=50))
    await world.retry_all()
    assert await held(world) == {2: "values_missing"}
    await world.close(closed(home, period=FEBRUARY, revision=3))
    assert await live(world) == {1: "14.88", 2: "26.88"}


async def a_batch_bills_an_agreements_periods_one_after_another(world):
    home, other = await world.home(document=TIERED), await world.home()
    await world.close(
        closed(home, period=JANUARY),
        closed(other, period=MARCH),
        closed(home, period=FEBRUARY),
        closed(home, period=JANUARY, revision=2, wh=50),
    )
    await world.retry_all()
    assert await live(world) == {1: "14.88", 2: "26.88", 3: "120.98"}


async def what_is_due_is_tried_a_bounded_number_at_a_time(world):
    """The earliest first, whatever the order in which they came."""
    tariff_id = uuid4()
    home = await world.agree(tariff_id=tariff_id)
    await world.register(registered(home.meter_id))
    await world.close(*(closed(home, period=month) for month in (APRIL, JANUARY, MARCH)))
    await world.publish(published(tariff_id))
    numbers = []
    while await world.retry(periods_max=2):
        numbers.append(len(await world.invoices()))
    assert numbers == [2, 3]
    assert [invoice["start_on"].month for invoice in await world.invoices()] == [1, 3, 4]


async def an_invoice_brings_forward_what_is_owed(world):
    """What takes its place does not bring it forward, which the ledger has posted by now."""
    home = await world.home()
    await world.owe(balance_changed(home.customer_id, "10", "2.5", version=2))
    await world.owe(balance_changed(home.customer_id, "99", version=1))
    await world.owe(balance_changed(home.customer_id, "7", currency="USD", version=3))
    await world.close(closed(home))
    await world.owe(balance_changed(home.customer_id, "130.98", "2.5", version=4))
    await world.close(closed(home, revision=2, wh=50))
    invoices = await world.invoices()
    assert [invoice["brought_forward"] for invoice in invoices] == [Decimal(10)] * 2
    assert [invoice["arrears"] for invoice in invoices] == [Decimal("2.5")] * 2


async def numbers_are_counted_by_tenant_and_year(world):
    home = await world.home()
    other = world.another()
    await world.close(closed(home), now=datetime(2025, 12, 31, 23, tzinfo=UTC))
    await world.close(closed(home, period=APRIL), now=datetime(2026, 1, 1, tzinfo=UTC))
    await other.close(closed(await other.home()))
    await world.close(closed(home, revision=2), now=datetime(2026, 1, 2, tzinfo=UTC))
    assert [invoice["number"] for invoice in await world.invoices()] == [
        "INV-2025-000001",
        "INV-2026-000001",
        "INV-2026-000002",
    ]
    assert (await world.invoices())[0]["credited_by"] == "CN-2026-000001"
    assert [invoice["number"] for invoice in await other.invoices()] == ["INV-2025-000001"]


async def what_waits_keeps_the_instant_since_when(world):
    tariff_id = uuid4()
    home = await world.agree(tariff_id=tariff_id)
    await world.close(closed(home))
    await world.register(registered(home.meter_id))
    later = datetime(2025, 6, 1, tzinfo=UTC)
    await world.close(closed(home, revision=2), now=later)
    (row,) = await world.held()
    assert (row["reason"], row["held_at"], row["due"]) == ("tariff_missing", NOW, False)


SCENARIOS = (
    *HELD_SCENARIOS,
    a_complete_period_is_billed,
    the_same_again_and_older_ones_change_nothing,
    a_new_revision_credits_the_invoice_of_the_one_before,
    a_newer_revision_takes_the_place_of_a_held_one,
    a_held_revision_leaves_the_invoice_of_the_one_before_alone,
    a_withdrawn_version_stays_withdrawn,
    a_version_that_was_ended_does_not_last_longer_again,
    a_correction_restates_the_bills_that_were_built_on_it,
    a_correction_that_carries_forward_the_same_restates_nothing,
    a_restatement_that_repeats_its_lines_is_not_issued,
    a_correction_that_is_undone_undoes_what_later_bills_rest_on,
    a_restatement_does_not_replace_a_newer_revision_that_is_held,
    a_batch_bills_an_agreements_periods_one_after_another,
    what_is_due_is_tried_a_bounded_number_at_a_time,
    an_invoice_brings_forward_what_is_owed,
    numbers_are_counted_by_tenant_and_year,
    what_waits_keeps_the_instant_since_when,
)
