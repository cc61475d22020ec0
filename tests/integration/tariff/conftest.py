"""A migrated tariff service, its API without a socket, and keys for two tenants."""

import asyncio
from contextlib import AsyncExitStack

import httpx
import pytest
import sqlalchemy as sa

from database import ALL_TENANTS, Database, transaction
from database.migrations import upgrade
from observability.health import Health
from observability.metrics import Metrics
from serving.api import build_app
from serving.keys import api_key, sha256_hex
from tariff.api import ROUTERS
from tariff.settings import Settings

SECRET = "s" * 43


@pytest.fixture
async def catalogue_url(database_url):
    url = database_url()
    await asyncio.to_thread(upgrade, url, package="tariff")
    return url


@pytest.fixture
async def catalogue(catalogue_url):
    async with await Database.connect(catalogue_url, application="test") as opened:
        yield opened


@pytest.fixture
async def clients(catalogue, catalogue_url):
    """Opens a client of the API: `acme = await clients("acme", "tariff:read", …)`."""
    settings = Settings(database_url=catalogue_url, kafka_bootstrap_servers="unused:1")
    app = build_app(
        title="tariff", version="1", routers=ROUTERS, database=catalogue, health=Health(),
        metrics=Metrics("tariff"), settings=settings,
    )  # fmt: skip
    async with AsyncExitStack() as stack:

        async def client(tenant, *scopes):
            key_id = f"key{tenant:0<8}"[:12].replace("-", "x")
            async with transaction(catalogue, tenant=ALL_TENANTS) as tx:
                await tx.execute(
                    sa.insert(api_key).values(
                        key_id=key_id, tenant_id=tenant, secret_sha256=sha256_hex(SECRET),
                        scopes=list(scopes or ("tariff:read", "tariff:write")), name="test",
                    )
                )  # fmt: skip
            return await stack.enter_async_context(
                httpx.AsyncClient(
                    transport=httpx.ASGITransport(app=app),
                    base_url="http://tariff",
                    headers={"Authorization": f"Bearer gt_{key_id}_{SECRET}"},
                )
            )

        yield client
