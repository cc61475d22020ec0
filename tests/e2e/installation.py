"""An empty Gridtally on the servers of this test run: no rows, no messages, no keys."""

import asyncio
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from aiokafka.admin import AIOKafkaAdminClient

from faults.state import Locations
from gridtally.cli.installation import SERVICES, Installation
from gridtally.contracts.topics import SERVICES as EMITTING
from gridtally.contracts.topics import TOPICS, dead_letter_topic
from gridtally.local_stack.installation import open_installation
from gridtally.local_stack.provision import create_database, drop_database
from gridtally.local_stack.servers import BOOTSTRAP, IDEMPOTENCE, Servers
from gridtally.local_stack.stack import Options, Stack, stack

DELETE_LIMIT_S = 120.0
POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class Running:
    """The services, where to reach them, and where to look behind them."""

    installation: Installation
    stack: Stack
    locations: Locations
    idempotence: bool


@asynccontextmanager
async def empty_gridtally(
    servers: Servers, settings: Mapping[str, str] = MappingProxyType({})
) -> AsyncIterator[Running]:
    """The services as processes, on databases of their own and on topics without messages.
    `settings` are given to all of them."""
    await _delete_topics(servers.bootstrap)
    async with AsyncExitStack() as undone:
        names = {service: f"e2e_{service}_{secrets.token_hex(4)}" for service in SERVICES}
        urls = {}
        for service, name in names.items():
            undone.push_async_callback(drop_database, servers.admin_url, name)
            urls[service] = await create_database(
                servers.admin_url, name, secrets.token_hex(16), timescale=service == "ingest"
            )
        folder = Path(tempfile.mkdtemp(prefix="gridtally-e2e-"))
        undone.callback(shutil.rmtree, folder)
        environment = {
            **os.environ,
            **settings,
            BOOTSTRAP: servers.bootstrap,
            IDEMPOTENCE: str(servers.idempotence).lower(),
            **{f"{service.upper()}_DATABASE_URL": url for service, url in urls.items()},
        }
        running = undone.enter_context(stack(Options(folder), environment))
        yield Running(
            await open_installation(running, folder),
            running,
            Locations(
                {
                    service: f"{_server(servers.admin_url)}/{name}"
                    for service, name in names.items()
                },
                servers.bootstrap,
            ),
            servers.idempotence,
        )


def _server(url: str) -> str:
    """The URL without its database."""
    return url.rpartition("/")[0]


async def _delete_topics(bootstrap: str) -> None:
    """Empty the broker of what an earlier run has left there."""
    ours = {*TOPICS, *map(dead_letter_topic, EMITTING)}
    deadline_s = time.monotonic() + DELETE_LIMIT_S
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        while left := ours.intersection(await admin.list_topics()):
            assert time.monotonic() < deadline_s, f"{sorted(left)} are still there"
            await admin.delete_topics(sorted(left))
            await asyncio.sleep(POLL_S)
    finally:
        await admin.close()
