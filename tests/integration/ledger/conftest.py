"""A migrated ledger, its API without a socket, keys for two tenants, and an attacker."""

import asyncio
from contextlib import asynccontextmanager

import asyncpg
import pytest
from alembic import command

from gridtally.database import Database
from gridtally.database.migrations import _config
from gridtally.ledger.app import STATE
from gridtally.ledger.routers import ROUTERS
from gridtally.ledger.settings import Settings
from gridtally.messaging import ensure_topics
from integration.apps import app_of
from integration.ledger.properties import property_of
from restores import Restorable, until_drained


@pytest.fixture
async def ledger_url(service_url):
    return await service_url("ledger")


@pytest.fixture
async def ledger(ledger_url):
    async with await Database.connect(ledger_url, application="test") as opened:
        yield opened


@pytest.fixture
def clients(ledger, ledger_url, clients_of):
    """Opens a client of the API: `acme = await clients("acme", "ledger:read", …)`."""
    settings = Settings(database_url=ledger_url, kafka_bootstrap_servers="unused:1")
    app = app_of("ledger", ROUTERS, database=ledger, settings=settings, state=STATE)
    return clients_of(app, ledger)


@pytest.fixture
async def acme(clients):
    return await clients("acme")


@pytest.fixture
async def home(acme):
    """A property, with its meters by type."""
    return await property_of(acme)


@pytest.fixture
async def superuser(ledger_url, postgres_admin_url):
    """A connection that no trigger and no privilege holds back."""
    database = ledger_url.rpartition("/")[2].partition("?")[0]
    connection = await asyncpg.connect(postgres_admin_url, database=database)
    await connection.execute("SET session_replication_role = replica")
    yield connection
    await connection.close()


def migrate(url, revision):
    config = _config("gridtally.ledger")
    config.attributes["url"] = url
    command.upgrade(config, revision)


@pytest.fixture
async def at_revision(database_url, postgres_admin_url):
    """Makes a database of an earlier revision, and a superuser's connection to it."""
    connections = []

    async def make(revision):
        url = database_url()
        await asyncio.to_thread(migrate, url, revision)
        name = url.rpartition("/")[2].partition("?")[0]
        connections.append(await asyncpg.connect(postgres_admin_url, database=name))
        return url, connections[-1]

    yield make
    for connection in connections:
        await connection.close()


@pytest.fixture
async def restorable(ledger_url, postgres_admin_url, kafka_bootstrap, stack_servers, tmp_path):
    await ensure_topics(kafka_bootstrap)
    settings = {"KAFKA_IDEMPOTENCE": str(stack_servers.idempotence)}
    of_ledger = Restorable(
        "ledger", ledger_url, postgres_admin_url, kafka_bootstrap, tmp_path, settings
    )
    yield of_ledger
    await of_ledger.drop_copy()


@pytest.fixture
def running(restorable, clients_of):
    """The process, and a client of an API on its database."""

    @asynccontextmanager
    async def run(tenant):
        async with restorable.running() as database:
            settings = Settings(database_url=restorable.url, kafka_bootstrap_servers="unused:1")
            app = app_of("ledger", ROUTERS, database=database, settings=settings, state=STATE)
            yield database, await clients_of(app, database)(tenant)
            await until_drained(database, tenant, "entry_queue")

    return run
