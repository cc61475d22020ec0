"""A service as a process whose database can be put back to an earlier copy while Kafka goes on."""

import asyncio
import json
import os
import subprocess
import sys
import time
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy.engine import make_url

from gridtally.database import ALL_TENANTS, Database, snapshot
from gridtally.local_stack.provision import connected
from gridtally.messaging.follow import follow

LIMIT_S = 60.0
STOP_LIMIT_S = 30.0
END_ALL_OF = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1"


@dataclass
class Restorable:
    """The process and the database of one service; `folder` has its logs."""

    service: str
    url: str
    admin_url: str
    bootstrap: str
    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    starts: int = 0

    @property
    def name(self):
        """The database's."""
        return make_url(self.url).database

    @asynccontextmanager
    async def running(self, mode="serve"):
        """The process runs during the block, ready at its begin; its database, opened."""
        log = self.folder / f"{self.service}-{self.starts}.log"
        self.starts += 1
        environment = os.environ | {
            "DATABASE_URL": self.url,
            "KAFKA_BOOTSTRAP_SERVERS": self.bootstrap,
            "HTTP_PORT": "0",
        }
        process = self._start(log, mode, environment | self.settings)
        try:
            await _logged(process, log, "ready")
            async with await Database.connect(self.url, application="test") as database:
                yield database
        finally:
            process.terminate()
            await asyncio.to_thread(process.wait, STOP_LIMIT_S)

    def _start(self, log, mode, environment):
        with log.open("wb") as output:
            return subprocess.Popen(
                [sys.executable, "-m", f"gridtally.{self.service}", mode],
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def logged(self, event, tenant):
        """All lines of that event about a tenant, of every start. Of others there may be more: each
        test's database meets what the tests before it have left on the topics."""
        return [
            line
            for log in sorted(self.folder.glob(f"{self.service}-*.log"))
            for line in map(json.loads, log.read_text().splitlines())
            if line["event"] == event and line.get("tenant_id") == tenant
        ]

    async def copy(self):
        """Take a copy of the database, which nobody may use meanwhile."""
        await self._replace(f"{self.name}_copy", self.name)

    async def restore(self):
        """Put the database back to the copy."""
        await self._replace(self.name, f"{self.name}_copy")

    async def drop_copy(self):
        """Remove the copy."""
        async with connected(self.admin_url) as admin:
            await admin.execute(f"DROP DATABASE IF EXISTS {self.name}_copy")

    async def _replace(self, name, by):
        async with connected(self.admin_url) as admin:
            await admin.execute(f"ALTER DATABASE {by} ALLOW_CONNECTIONS false")
            await admin.execute(END_ALL_OF, by)
            await admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            await admin.execute(
                f"CREATE DATABASE {name} OWNER {make_url(self.url).username} TEMPLATE {by}"
            )
            await admin.execute(f"ALTER DATABASE {by} ALLOW_CONNECTIONS true")


async def _logged(process, log, event):
    deadline_s = time.monotonic() + LIMIT_S
    while f'"event": "{event}"' not in log.read_text():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline_s, log.read_text()
        await asyncio.sleep(0.05)


async def until_drained(database, tenant_id, *queues):
    """Wait until nothing of the tenant waits in these tables or in the outbox."""
    for queue in (*queues, "outbox"):
        await _until(database, queue, tenant_id, lambda rows: not rows)


async def until_rows(database, table, tenant_id, count):
    """Wait until the tenant has so many rows in a table."""
    await _until(database, table, tenant_id, lambda rows: len(rows) >= count)


async def _until(database, table, tenant_id, holds):
    deadline_s = time.monotonic() + LIMIT_S
    while not holds(rows := await rows_of(database, table, tenant_id)):
        assert time.monotonic() < deadline_s, (table, len(rows))
        await asyncio.sleep(0.05)


async def rows_of(database, table, tenant_id, *, without=()):
    """The tenant's rows of a table as texts, sorted; without the named columns."""
    async with snapshot(database, tenant=ALL_TENANTS) as read:
        rows = await read.raw.fetch(f"SELECT * FROM {table} WHERE tenant_id = $1", tenant_id)  # noqa: S608 - of the test
    return sorted(
        str({name: value for name, value in row.items() if name not in without}) for row in rows
    )


async def said(bootstrap, tenant_id, *events):
    """All values of the tenant by topic and event id, as they were said: once each, unless a
    message was repeated in other words."""
    values = {}
    batches = follow(bootstrap, *events)
    async with asyncio.timeout(LIMIT_S), aclosing(batches):
        quiet = 0
        while quiet < 3:
            batch = await anext(batches)
            quiet = 0 if batch else quiet + 1
            for message in batch:
                if message.envelope.tenant_id == tenant_id:
                    key = message.topic, message.envelope.event_id
                    values.setdefault(key, set()).add((message.envelope.occurred_at, message.value))
    return values
