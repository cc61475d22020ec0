"""What the services' tests share: a migrated database, and clients of an API without a socket."""

import asyncio
from contextlib import AsyncExitStack
from uuid import uuid4

import httpx
import pytest
import sqlalchemy as sa

from database import ALL_TENANTS, transaction
from database.migrations import upgrade
from serving.keys import api_key, sha256_hex

SECRET = "s" * 43


@pytest.fixture
def service_url(database_url):
    """Makes fresh databases with a service's schema: `url = await service_url("ledger")`."""

    async def create(service):
        url = database_url()
        await asyncio.to_thread(upgrade, url, package=service)
        return url

    return create


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
                told = f"key{tenant:0<8}"[:12].replace("-", "x")
                key_id = uuid4().hex[:12] if told in known else told
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
