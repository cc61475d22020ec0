"""Whatever the order, the batches and the repetitions, the same stands in the tables."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

HOMES = 3
REVISIONS = 3
DELIVERIES = [(home, revision) for home in range(HOMES) for revision in range(1, REVISIONS + 1)]


@st.composite
def deliveries(draw, *, in_order):
    """Every (home, revision) at least once, some again later, cut into batches."""
    repeated = draw(st.lists(st.sampled_from(DELIVERIES), max_size=6))
    sent = draw(st.permutations(DELIVERIES + repeated))
    if in_order:  # as Kafka keeps it per key: a revision first comes after those before it
        queues = {home: sorted(r for h, r in sent if h == home) for home in range(HOMES)}
        sent = [(home, queues[home].pop(0)) for home, _ in sent]
        again = draw(st.lists(st.sampled_from(DELIVERIES), max_size=4))
        sent += again
    cuts = sorted(draw(st.lists(st.integers(0, len(sent)), max_size=3)))
    return [sent[a:b] for a, b in zip([0, *cuts], [*cuts, len(sent)], strict=True) if a < b]


async def deliver(world, make, homes, batches):
    for batch in batches:
        await world.close(
            *(make.closed(homes[home], revision=n, wh=100 * n + home) for home, n in batch)
        )


async def tables(world, homes):
    """What stands in the tables, without numbers, ids and instants."""
    index_of = {home.id: index for index, home in enumerate(homes)}
    invoices = await world.invoices()
    lines = await world.rows("SELECT * FROM invoice_line ORDER BY invoice_id, position")
    return sorted(
        (
            index_of[invoice["agreement_id"]],
            invoice["revision"],
            invoice["total"],
            invoice["credited_by"] is not None,
            [line["amount_exact"] for line in lines if line["invoice_id"] == invoice["id"]],
        )
        for invoice in invoices
    )


@pytest.fixture
def tenant(world):
    """Makes a fresh tenant with homes that share their kind."""

    async def make():
        fresh = world.another()
        return fresh, [await fresh.home() for _ in range(HOMES)]

    return make


SLOW = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@SLOW
@given(batches=deliveries(in_order=True))
async def test_repetition_and_batching_change_nothing(tenant, make, batches):
    world, homes = await tenant()
    await deliver(world, make, homes, batches)
    expected, same_homes = await tenant()
    await deliver(expected, make, same_homes, [[delivery] for delivery in DELIVERIES])
    assert await tables(world, homes) == await tables(expected, same_homes)


@SLOW
@given(batches=deliveries(in_order=False))
async def test_in_any_order_only_the_newest_revision_is_live(tenant, make, batches):
    world, homes = await tenant()
    await deliver(world, make, homes, batches)
    live = [(index, n) for index, n, _, credited, _ in await tables(world, homes) if not credited]
    assert live == [(home, REVISIONS) for home in range(HOMES)]
    invoices = await world.invoices()
    assert [int(invoice["number"][-6:]) for invoice in invoices] == [*range(1, len(invoices) + 1)]
