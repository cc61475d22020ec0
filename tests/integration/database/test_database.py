"""What the database lib promises, on the real server."""

import asyncio

import asyncpg
import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from gridtally.database import ALL_TENANTS, AccessRefused, Database, snapshot, transaction
from gridtally.database.migrations import upgrade
from gridtally.database.security import append_only, isolate_tenants
from gridtally.kernel.errors import Rejected, Transient

LIMIT_S = 120


def prepare(connection):
    connection.execute(sa.text("CREATE TABLE item (tenant_id text, n int)"))
    connection.execute(sa.text("CREATE TABLE history (n int)"))
    operations = Operations(MigrationContext.configure(connection))
    isolate_tenants(operations, "item")
    append_only(operations, "history")


@pytest.fixture
async def database(database_url):
    opened = await Database.connect(database_url(), application="test", pool_connections_max=3)
    async with opened:
        async with opened.engine.begin() as connection:
            await connection.run_sync(prepare)
        yield opened


INSERT = sa.text("INSERT INTO item VALUES (:tenant, :n)")
COUNT = sa.text("SELECT count(*) FROM item")


async def count(database, tenant=ALL_TENANTS):
    async with snapshot(database, tenant=tenant) as read:
        return await read.scalar(COUNT)


async def test_a_password_may_hold_what_separates_the_parts_of_a_url(
    database_url, postgres_admin_url
):
    url = make_url(database_url())
    admin = await asyncpg.connect(postgres_admin_url)
    await admin.execute(f"ALTER ROLE {url.username} PASSWORD 'p/s#w?r:d%'")
    await admin.close()
    server = f"{url.host}:{url.port}/{url.database}"
    written = f"postgresql://{url.username}:p/s#w?r:d%@{server}"
    async with (
        await Database.connect(written, application="test") as opened,
        snapshot(opened, tenant=ALL_TENANTS) as read,
    ):
        assert await read.scalar(sa.text("SELECT 1")) == 1


async def test_a_migration_beside_a_process_is_tried_again(database):
    """`SELECT *` that was prepared before a column came does not fit any more."""

    async def read_all():
        async with snapshot(database, tenant=ALL_TENANTS) as read:
            return await read.raw.fetch("SELECT * FROM item")

    assert await read_all() == []
    async with database.engine.begin() as migrating:
        await migrating.execute(sa.text("ALTER TABLE item ADD COLUMN note text"))
    for _ in range(2 * 3):  # each connection may have prepared it
        try:
            assert await read_all() == []
        except Transient as again:
            assert "cached statement plan" in str(again)  # noqa: PT017 - either may come
    assert await read_all() == []


async def test_a_tenant_sees_and_writes_only_its_own(database):
    for tenant in ("acme", "umbrella"):
        async with transaction(database, tenant=tenant) as tx:
            await tx.execute(INSERT, {"tenant": tenant, "n": 1})
    assert await count(database, "acme") == 1
    assert await count(database, "nobody") == 0
    assert await count(database, ALL_TENANTS) == 2
    with pytest.raises(DBAPIError, match="row-level security"):
        async with transaction(database, tenant="acme") as tx:
            await tx.execute(INSERT, {"tenant": "umbrella", "n": 2})
    async with database.engine.connect() as bare:
        assert (await bare.execute(COUNT)).scalar() == 0, "without a tenant nothing is seen"


async def test_any_error_rolls_back(database):
    with pytest.raises(Rejected):
        async with transaction(database, tenant="acme") as tx:
            await tx.execute(INSERT, {"tenant": "acme", "n": 1})
            raise Rejected("no", "a business answer")
    assert await count(database) == 0


async def test_a_snapshot_cannot_write(database):
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        async with snapshot(database, tenant="acme") as read:
            await read.raw.execute("INSERT INTO item VALUES ('acme', 1)")  # past the types
    assert await count(database) == 0


@pytest.mark.parametrize("sql", ["UPDATE history SET n = 2", "DELETE FROM history"])
async def test_history_is_never_changed(database, sql):
    async with transaction(database, tenant="acme") as tx:
        await tx.raw.execute("INSERT INTO history VALUES (1)")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with transaction(database, tenant="acme") as tx:
            await tx.raw.execute(sql)
    with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
        async with transaction(database, tenant="acme") as tx:
            await tx.raw.execute("GRANT ALL ON history TO CURRENT_USER")
            await tx.raw.execute(sql)


async def until_none(database, which):
    """Until the server has no such process in this database."""
    ours = "pg_stat_activity WHERE datname = current_database()"
    question = sa.text(f"SELECT count(*) FROM {ours} AND {which}")  # noqa: S608 - of this file
    async with asyncio.timeout(LIMIT_S):
        while True:
            async with snapshot(database, tenant=ALL_TENANTS) as read:
                if not await read.scalar(question):
                    return
            await asyncio.sleep(0.01)


async def test_a_cancelled_transaction_leaves_nothing_behind(database):
    """Many cuts at many moments: each row is there or not, and the pool stays whole."""
    done = 0

    async def write(n):
        nonlocal done
        async with transaction(database, tenant="acme") as tx:
            await tx.execute(INSERT, {"tenant": "acme", "n": n})
            await tx.raw.execute("SELECT pg_sleep(0.002)")
        done += 1

    for n in range(60):
        task = asyncio.create_task(write(n))
        await asyncio.sleep(n / 5_000)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert await count(database) >= done
    others = "pid <> pg_backend_pid() AND state LIKE 'idle in transaction%'"
    await until_none(database, others)  # the server notices in its own time


@pytest.mark.parametrize("opened", [transaction, snapshot])
@pytest.mark.parametrize("raw", [False, True])
async def test_losing_the_connection_is_transient(database, opened, raw):
    end = "SELECT pg_terminate_backend(pg_backend_pid())"
    for _ in range(5):  # more often than the pool has connections
        with pytest.raises(Transient):
            async with opened(database, tenant="acme") as tx:
                await (tx.raw.execute(end) if raw else tx.scalar(sa.text(end)))
    assert await count(database) == 0


@pytest.mark.parametrize("raw", [False, True])
async def test_losing_the_connection_at_any_moment_is_transient(database, raw):
    """The server's farewell may come during a call or between two."""
    question = "SELECT generate_series(1, 3)"

    async def ask_for_ever():
        async with transaction(database, tenant="acme") as tx:
            pid = await tx.raw.fetchval("SELECT pg_backend_pid()")
            ending = asyncio.create_task(end(pid))
            try:
                while True:
                    await (tx.raw.fetch(question) if raw else tx.all(sa.text(question)))
            finally:
                await ending

    async def end(pid):
        async with transaction(database, tenant="acme") as tx:
            await tx.raw.execute(f"SELECT pg_terminate_backend({pid})")

    for _ in range(60):
        with pytest.raises(Transient):
            await ask_for_ever()


async def test_a_lost_connection_hides_no_other_error(database):
    with pytest.raises(Rejected):
        async with transaction(database, tenant="acme") as tx:
            pid = await tx.raw.fetchval("SELECT pg_backend_pid()")
            async with transaction(database, tenant="acme") as other:
                await other.raw.execute(f"SELECT pg_terminate_backend({pid})")
            await until_none(database, f"pid = {pid}")
            raise Rejected("no", "a business answer")
    assert await count(database) == 0


async def test_a_deadlock_is_transient(database):
    async with transaction(database, tenant=ALL_TENANTS) as tx:
        await tx.execute(INSERT, [{"tenant": "acme", "n": n} for n in (1, 2)])
    update = sa.text("UPDATE item SET n = n WHERE n = :n")

    async def cross(first, second, meet):
        async with transaction(database, tenant="acme") as tx:
            await tx.execute(update, {"n": first})
            await meet.wait()
            await tx.execute(update, {"n": second})

    meet = asyncio.Barrier(2)
    outcomes = await asyncio.gather(cross(1, 2, meet), cross(2, 1, meet), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes if outcome] == [Transient]


async def test_a_mistake_in_the_code_is_not_transient(database):
    with pytest.raises(DBAPIError, match="invalid input"):
        async with transaction(database, tenant="acme") as tx:
            await tx.execute(INSERT, {"tenant": "acme", "n": "seven"})


async def test_staging_is_empty_at_the_start_of_each_transaction(database):
    for _ in range(2):
        async with transaction(database, tenant="acme") as tx:
            await tx.stage("staged", "tenant_id text, n int")
            await tx.copy_records("staged", ["tenant_id", "n"], [("acme", n) for n in range(5)])
            await tx.raw.execute("INSERT INTO item SELECT * FROM staged")
    assert await count(database, "acme") == 10


async def test_no_database_there():
    with pytest.raises(Transient, match="does not answer"):
        await Database.connect("postgresql://nobody@127.0.0.1:9/nothing", application="test")


REFUSED = [
    ("a wrong password", {"password": "guessed"}, "password authentication failed"),
    ("an unknown role", {"username": "nobody"}, "password authentication failed"),
    ("no such database", {"database": "nowhere"}, 'database "nowhere" does not exist'),
]


@pytest.mark.parametrize(
    ("wrong", "says"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
async def test_who_is_not_let_in_need_not_try_again(database_url, wrong, says):
    await check_refused(make_url(database_url()).set(**wrong), says)


async def test_another_services_database_is_not_opened(database_url):
    anothers = make_url(database_url()).database
    await check_refused(make_url(database_url()).set(database=anothers), "permission denied")


async def check_refused(url, says):
    shown = url.render_as_string(hide_password=False)
    with pytest.raises(AccessRefused, match=says):
        await Database.connect(shown, application="test")
    with pytest.raises(AccessRefused, match=says):
        await asyncio.to_thread(upgrade, shown, package="gridtally.billing")


@pytest.mark.parametrize("statement", ["SELECT CAST(:t AS text)", "SELECT CAST(:t AS jsonb)"])
async def test_text_that_cannot_be_stored_is_the_senders_fault(database, statement):
    text = '"\\u0000"' if "jsonb" in statement else "a\x00b"
    with pytest.raises(Rejected, match="NUL"):
        async with snapshot(database, tenant=ALL_TENANTS) as read:
            await read.scalar(sa.text(statement), {"t": text})
    with pytest.raises(Rejected, match="NUL"):
        async with transaction(database, tenant=ALL_TENANTS) as tx:
            await tx.raw.fetchval(statement.replace(":t", "$1"), text)
