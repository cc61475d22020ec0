"""What the services' tests share: a migrated database, and clients of an API without a socket."""

import asyncio
import secrets
from contextlib import AsyncExitStack
from uuid import uuid4

import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from gridtally.database import ALL_TENANTS, transaction
from gridtally.database.migrations import upgrade
from gridtally.http.keys import api_key, sha256_hex
from gridtally.local_stack.provision import connected, create_database, drop_database
from gridtally.messaging import Publisher

SECRET = "s" * 43
BROKER = {"kafka_bootstrap", "publishing"}
END_ALL_OF = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1"


@pytest.hookimpl(wrapper=True)  # xdist reads the marks in this hook, and nothing else is before it
def pytest_collection_modifyitems(config, items):
    """In a parallel run, what shares the topics runs one after the other, and so does what starts
    servers of its own; every other test has a database to itself and runs anywhere."""
    grouped = []
    for item in items:
        if "local_stack" in item.path.parts:
            grouped.append((item, "local_stack"))
        elif BROKER.intersection(item.fixturenames):
            grouped.append((item, "broker"))
    for item, group in grouped:
        item.add_marker(pytest.mark.xdist_group(group))
    answer = yield
    if config.getoption("loadgroup", default=False):  # only in xdist's workers
        lost = [item.nodeid for item, group in grouped if not item.nodeid.endswith(f"@{group}")]
        assert not lost, f"this pytest-xdist does not keep groups with this pytest: {lost[:3]}"
    return answer


@pytest.fixture(scope="session")
async def model_url(postgres_admin_url):
    """Makes the database of a service that others are copied from, once: its schema and nothing
    else, closed to everybody. `url = await model_url("ledger")`; `package` has its migrations."""
    urls = {}
    async with AsyncExitStack() as undone:

        async def model(service, package=None):
            if service not in urls:
                name = fresh_name()
                undone.push_async_callback(drop_database, postgres_admin_url, name)
                url = await create_database(
                    postgres_admin_url, name, secrets.token_hex(8), timescale=service == "ingest"
                )
                await asyncio.to_thread(upgrade, url, package=package or f"gridtally.{service}")
                async with connected(postgres_admin_url) as admin:
                    await admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
                    await admin.execute(END_ALL_OF, name)
                urls[service] = url
            return urls[service]

        yield model


@pytest.fixture
async def service_url(postgres_admin_url, model_url):
    """Makes fresh databases with a service's schema: `url = await service_url("ledger")`. They are
    copies, which the same role owns, and are dropped after the test."""
    async with AsyncExitStack() as undone:

        async def create(service, package=None):
            url, name = make_url(await model_url(service, package)), fresh_name()
            undone.push_async_callback(drop_database, postgres_admin_url, name)
            async with connected(postgres_admin_url) as admin:
                await admin.execute(
                    f"CREATE DATABASE {name} OWNER {url.username} TEMPLATE {url.database}"
                    " STRATEGY FILE_COPY"  # a third of the processor time of WAL_LOG, without fsync
                )
                await admin.execute(f"REVOKE ALL ON DATABASE {name} FROM PUBLIC")
            return url.set(database=name).render_as_string(hide_password=False)

        yield create


def fresh_name():
    return f"test_{secrets.token_hex(6)}"


@pytest.fixture
def publishing(stack_servers):
    """Opens producers of the broker, idempotent where it takes them."""

    def publisher(client_id="test"):
        return Publisher(
            stack_servers.bootstrap, client_id=client_id, idempotent=stack_servers.idempotence
        )

    return publisher


@pytest.fixture
async def clients_of():
    """Opens clients of the app of a service, which its title names; each has a key of its own.

    `clients = clients_of(app, database)`, then `acme = await clients("acme", "ledger:read", …)`.
    The id of a tenant's first key can be told from its name: `keyacme0000`.
    """
    known = set()
    async with AsyncExitStack() as opened:

        def of(app, database):
            async def client(tenant="acme", *scopes):
                named = f"key{tenant:0<8}"[:12].replace("-", "x")
                key_id = uuid4().hex[:12] if named in known else named
                known.add(key_id)
                chosen = scopes or (f"{app.title}:read", f"{app.title}:write")
                async with transaction(database, tenant=ALL_TENANTS) as tx:
                    await tx.execute(
                        sa.insert(api_key).values(
                            key_id=key_id,
                            tenant_id=tenant,
                            secret_sha256=sha256_hex(SECRET),
                            scopes=list(chosen),
                            name="test",
                        )
                    )
                return await opened.enter_async_context(
                    httpx.AsyncClient(
                        transport=httpx.ASGITransport(app=app),
                        base_url=f"http://{app.title}",
                        headers={"Authorization": f"Bearer gt_{key_id}_{SECRET}"},
                    )
                )

            return client

        yield of
