"""Group commit on the real server: who shares a transaction, and that each has an own outcome."""

import asyncio
from uuid import uuid4

import asyncpg
import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

from gridtally.database import ALL_TENANTS, Database, bind_customer, snapshot, transaction
from gridtally.database.group_commit import GroupCommit
from gridtally.database.plans import KEPT_ROWS_MIN, keep_plans
from gridtally.database.security import isolate_tenants
from gridtally.kernel.errors import Rejected, Transient

LIMIT_S = 120


def prepare(connection):
    connection.execute(sa.text("CREATE TABLE item (tenant_id text, n int UNIQUE CHECK (n < 900))"))
    isolate_tenants(Operations(MigrationContext.configure(connection)), "item")


@pytest.fixture
async def database(database_url):
    opened = await Database.connect(database_url(), application="test", pool_connections_max=4)
    async with opened:
        async with opened.engine.begin() as connection:
            await connection.run_sync(prepare)
        yield opened


class Inserts:
    """Work that inserts numbers, refuses odd hundreds, and waits while it is held."""

    def __init__(self):
        self.groups = []
        self.free = asyncio.Event()
        self.begun = asyncio.Event()
        self.kill_at = None

    async def __call__(self, tx, tenant, numbers):
        self.groups.append((tenant, list(numbers)))
        outcomes = []
        for n in numbers:
            await tx.raw.execute("INSERT INTO item VALUES ($1, $2)", tenant, n)
            outcomes.append(Rejected("odd", f"{n}") if n % 200 == 100 else f"{tenant} {n}")
        self.begun.set()
        await self.free.wait()
        if self.kill_at in numbers:
            await tx.raw.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return outcomes


@pytest.fixture
def work():
    return Inserts()


async def rows(database):
    async with snapshot(database, tenant=ALL_TENANTS) as read:
        return [tuple(row) for row in await read.raw.fetch("SELECT * FROM item ORDER BY n")]


async def joined(group, database, *requests):
    """Tasks that ask, in this order: a first one begins alone, the rest wait for the next group."""
    tasks = []
    for tenant, subject, n in requests:
        tasks.append(asyncio.create_task(group.join(database, tenant, subject, n)))
        await asyncio.sleep(0)
    return tasks


async def ended(*tasks):
    async with asyncio.timeout(LIMIT_S):
        return await asyncio.gather(*tasks, return_exceptions=True)


async def test_who_asks_meanwhile_shares_the_next_transaction_in_order(database, work):
    group = GroupCommit(work, ("item",))
    asked = await joined(
        group, database,
        ("acme", "a", 1), ("acme", "b", 2), ("acme", "a", 3), ("acme", "c", 4), ("acme", "a", 5),
        ("acme", "d", 6), ("umbrella", "a", 7),
    )  # fmt: skip
    await work.begun.wait()
    asked[5].cancel()  # whoever goes before it begins has asked for nothing
    work.free.set()
    outcomes = await ended(*asked)
    assert outcomes[:5] == [f"acme {n}" for n in range(1, 6)]
    assert isinstance(outcomes[5], asyncio.CancelledError)
    assert outcomes[6] == "umbrella 7"
    of_acme = [numbers for tenant, numbers in work.groups if tenant == "acme"]
    assert of_acme == [[1], [2, 3, 4], [5]], "each subject once in a group, in the order they came"
    assert await rows(database) == [*(("acme", n) for n in range(1, 6)), ("umbrella", 7)]
    assert not group._queues, "nothing is held for tenants that ask nothing"


async def test_a_refusal_or_a_failure_is_the_answer_to_nobody_else(database, work):
    group = GroupCommit(work, ("item",))
    asked = await joined(
        group, database,
        ("acme", "a", 1), ("acme", "b", 2), ("acme", "c", 100), ("acme", "d", 3),
        ("acme", "e", 300), ("acme", "f", 4),
    )  # fmt: skip
    await work.begun.wait()
    work.free.set()
    outcomes = await ended(*asked)
    assert [str(outcome) for outcome in outcomes] == [
        "acme 1", "acme 2", "100", "acme 3", "300", "acme 4",
    ]  # fmt: skip
    assert [type(outcomes[n]) for n in (2, 4)] == [Rejected, Rejected]
    assert [numbers for _, numbers in work.groups] == [[1], [2, 100, 3, 300, 4], [2, 3, 4]]

    work.free.clear()
    work.begun.clear()
    asked = await joined(
        group, database, ("acme", "a", 11), ("acme", "b", 12), ("acme", "c", 1), ("acme", "d", 901),
        ("acme", "e", 13),
    )  # fmt: skip
    await work.begun.wait()
    work.free.set()
    outcomes = await ended(*asked)
    assert (outcomes[0], outcomes[1], outcomes[4]) == ("acme 11", "acme 12", "acme 13")
    assert isinstance(outcomes[2], asyncpg.UniqueViolationError)
    assert isinstance(outcomes[3], asyncpg.CheckViolationError)
    assert [n for _, n in await rows(database)] == [1, 2, 3, 4, 11, 12, 13]


async def test_who_has_gone_once_it_began_is_seen_through(database, work):
    group = GroupCommit(work, ("item",))
    [asked] = await joined(group, database, ("acme", "a", 1))
    await work.begun.wait()
    asked.cancel()
    [outcome] = await ended(asked)
    assert isinstance(outcome, asyncio.CancelledError)
    [after] = await joined(group, database, ("acme", "a", 2))
    work.free.set()
    assert await ended(after) == ["acme 2"]
    assert [n for _, n in await rows(database)] == [1, 2]


async def test_a_connection_that_dies_before_the_commit_fails_all_and_stores_nothing(
    database, work
):
    group = GroupCommit(work, ("item",))
    work.kill_at = 2
    asked = await joined(
        group, database, ("acme", "a", 1), ("acme", "b", 2), ("acme", "c", 3), ("acme", "d", 4)
    )
    await work.begun.wait()
    work.free.set()
    first, *others = await ended(*asked)
    assert first == "acme 1"
    assert [type(other) for other in others] == [Transient] * 3
    assert await rows(database) == [("acme", 1)]
    work.kill_at = None
    again = await joined(group, database, ("acme", "b", 2), ("acme", "c", 3))
    assert await ended(*again) == ["acme 2", "acme 3"]
    assert [n for _, n in await rows(database)] == [1, 2, 3]


async def test_who_waits_for_a_lock_does_not_hold_up_the_others(database, work):
    work.free.set()
    group = GroupCommit(work, ("item",))
    async with transaction(database, tenant="acme") as holder:
        await holder.raw.execute("INSERT INTO item VALUES ('acme', 5)")  # its key is locked now
        asked = await joined(
            group, database, ("acme", "a", 5), ("acme", "b", 6), ("acme", "a", 8), ("acme", "c", 7)
        )
        assert await ended(asked[1], asked[3]) == ["acme 6", "acme 7"]
        assert not asked[0].done()
        assert not asked[2].done(), "it stays behind the one that came before it"
        await holder.raw.execute("DELETE FROM item WHERE n = 5")
    assert await ended(asked[0], asked[2]) == ["acme 5", "acme 8"]
    assert [n for _, n in await rows(database)] == [5, 6, 7, 8]


async def test_a_bound_caller_is_no_member_of_a_group(database):
    """It sees its customer's rows alone, and a group would see all of its tenant's."""
    customer = uuid4()

    async def see(tx, _tenant, numbers):
        bound = await tx.raw.fetchval("SELECT current_setting('gridtally.customer')")
        return [bound for _ in numbers]

    group = GroupCommit(see, ("item",))

    async def ask_bound():
        bind_customer(customer)
        return await group.join(database, "acme", "a", 1)

    asked = [
        group.join(database, "acme", "a", 1),
        ask_bound(),
        group.join(database, "acme", "b", 2),
    ]
    assert await ended(*map(asyncio.create_task, asked)) == ["", str(customer), ""]


async def test_plans_are_kept_once_the_table_is_known_to_be_large(database):
    async def modes():
        async with transaction(database, tenant="acme") as tx:
            await keep_plans(tx, ("item",))
            names = ("plan_cache_mode", "enable_seqscan", "enable_hashjoin", "enable_mergejoin")
            return [await tx.raw.fetchval("SELECT current_setting($1)", name) for name in names]

    unkept = ["force_custom_plan", "on", "on", "on"]
    assert await modes() == unkept, "nobody has counted its rows yet"
    async with transaction(database, tenant="acme") as tx:
        fill = "INSERT INTO item SELECT 'acme', -n FROM generate_series(1, $1::int) n"
        await tx.raw.execute(fill, KEPT_ROWS_MIN)
    assert await modes() == unkept
    async with transaction(database, tenant="acme") as tx:
        await tx.raw.execute("ANALYZE item")
    assert await modes() == ["force_generic_plan", "off", "off", "off"]
    async with transaction(database, tenant="acme") as tx:
        assert await tx.raw.fetchval("SHOW plan_cache_mode") == "force_custom_plan"
