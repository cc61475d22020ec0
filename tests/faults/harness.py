"""A running Gridtally of our own whose parts can be struck, stalled and sabotaged.

Owns how a part is killed and brought back, and notices a service that ended by itself. The broker
and the database are processes of ours in any case: nobody else's are killed.
"""

import asyncio
import os
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence, Set
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from faults.checker import Expected, check, subjects_of
from faults.polling import until
from faults.state import CONNECT_LIMIT_S, Locations, unfinished
from faults.workload import Workload
from gridtally.cli.api_keys import new_key, register_key
from gridtally.cli.installation import SCOPES, SERVICES, Installation
from gridtally.local_stack.postgres import DATA
from gridtally.local_stack.server import Server
from gridtally.local_stack.servers import ADMIN_URL, BOOTSTRAP
from gridtally.local_stack.services import Service
from gridtally.local_stack.stack import Options, Stack, stack
from gridtally.local_stack.tansu import Tansu
from gridtally.messaging import Publisher

SABOTAGE = Path(__file__).with_name("sabotage.py")
LOCK = 5_550_123
CHECK_EVERY_S = 1.0
_BLOCKED = "SELECT count(*) FROM pg_locks WHERE NOT granted AND {what}"


@dataclass(frozen=True, slots=True)
class Sabotaged(Service):
    """A service with a planted bug, started by `sabotage.py`."""

    bug: str = ""

    def command(self, directory: Path, port: int) -> list[str]:
        """As the service, but by way of the bug."""
        del directory, port
        return [sys.executable, str(SABOTAGE), self.bug, self.name, "serve"]


@dataclass
class System:
    """The servers and services by name, as they run now."""

    stack: Stack
    parts: dict[str, Server] = field(default_factory=dict)
    down: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.parts = dict(self.stack.started)

    @property
    def keeps_its_log(self) -> bool:
        """Whether the broker still has its messages after a kill; the stand-in Tansu does not."""
        return not isinstance(self.parts["kafka"].program, Tansu)

    @property
    def locations(self) -> Locations:
        """Where the checker looks."""
        databases = {service: self.database_url(service) for service in SERVICES}
        return Locations(databases, self.stack.servers.bootstrap)

    def database_url(self, service: str) -> str:
        """A superuser's URL of a service's database."""
        return urlunsplit(urlsplit(self.stack.servers.admin_url)._replace(path=f"/{service}"))

    @asynccontextmanager
    async def tenant(self, tenant_id: str) -> AsyncIterator[Workload]:
        """A fresh tenant with its key, its tariffs and a gateway."""
        bootstrap = self.stack.servers.bootstrap
        key = new_key()
        found = Installation(self.stack.urls, bootstrap, self.stack.operator_token, key)
        await register_key(found, key, tenant_id=tenant_id, name="faults", scopes=SCOPES)
        idempotent = self.stack.servers.idempotence
        async with (
            found.as_tenant() as api,
            Publisher(bootstrap, client_id="gateway", idempotent=idempotent) as publisher,
        ):
            workload = Workload(tenant_id, api, publisher)
            await workload.publish_tariffs()
            yield workload

    def kill(self, name: str) -> None:
        """SIGKILL, as the kernel does when memory is short."""
        self.down.add(name)
        self.parts[name].kill()

    async def restart(self, name: str) -> None:
        """Bring a part back on its port and data, and wait until it is ready."""
        await asyncio.to_thread(self.parts[name].start)
        self.down.discard(name)

    async def revive(self) -> None:
        """Start what has ended, as whoever runs the services does when a watchdog has ended one:
        a broker that takes long to come back is no fault of theirs."""
        for name, server in self.parts.items():
            if server.pid is None:
                await self.restart(name)

    async def copy_databases(self, *services: str) -> None:
        """Take copies of these services' databases, of one moment."""
        async with self._stopped(services) as admin:
            for service in services:
                await admin.execute(f"DROP DATABASE IF EXISTS {service}_copy")
                await _copy_database(admin, service, f"{service}_copy", owner=service)

    async def restore_databases(self, *services: str) -> None:
        """Put these services' databases back to their copies, while the broker keeps its log."""
        async with self._stopped(services) as admin:
            for service in services:
                await admin.execute(f"DROP DATABASE {service} WITH (FORCE)")
                await _copy_database(admin, f"{service}_copy", service, owner=service)

    async def move_databases(self, folder: Path, *services: str) -> None:
        """Put these services' databases into a folder of PostgreSQL's, on a disk of its own."""
        os.chown(folder, (self.parts["postgres"].directory / DATA).stat().st_uid, -1)
        async with self._stopped(services) as admin:
            await admin.execute(f"CREATE TABLESPACE small LOCATION '{folder}'")
            for service in services:

                async def is_moved(service: str = service) -> bool:
                    await _end_connections(admin, service)
                    try:
                        await admin.execute(f"ALTER DATABASE {service} SET TABLESPACE small")
                    except asyncpg.ObjectInUseError:  # a worker of TimescaleDB's own
                        return False
                    return True

                await until(f"{service} is moved", is_moved)
                await admin.execute(f"ALTER DATABASE {service} ALLOW_CONNECTIONS true")

    @asynccontextmanager
    async def _stopped(self, services: Sequence[str]) -> "AsyncIterator[asyncpg.Connection]":
        """These services do not run during the block; a superuser's connection."""
        self.down |= set(services)
        await asyncio.gather(*(asyncio.to_thread(self.parts[name].stop) for name in services))
        async with connected(self.stack.servers.admin_url) as admin:
            yield admin
        await asyncio.gather(*map(self.restart, services))

    @asynccontextmanager
    async def killed(self, name: str) -> AsyncIterator[None]:
        """A part is dead during the block, and back after it however the block ended."""
        self.kill(name)
        try:
            yield
        finally:
            await self.restart(name)

    async def drop_connections(self, chance: random.Random) -> int:
        """Cut some of the services' connections to the database; how many."""
        async with connected(self.stack.servers.admin_url) as admin:
            pids = [
                row["pid"]
                for row in await admin.fetch(
                    "SELECT pid FROM pg_stat_activity WHERE datname = ANY($1)", list(SERVICES)
                )
            ]
            cut = chance.sample(pids, k=(len(pids) + 1) // 2)
            await admin.execute("SELECT pg_terminate_backend(pid) FROM unnest($1::int[]) pid", cut)
        return len(cut)

    def ended_by_themselves(self) -> list[str]:
        """What is not running though nobody killed it, with why it says it ended."""
        return [
            f"{name} ended by itself:\n{_last_critical(server)}"
            for name, server in self.parts.items()
            if name not in self.down and server.pid is None
        ]

    async def settled(
        self,
        expected: Expected,
        *,
        limit_s: float,
        subjects: Set[str] = frozenset(),
        unchanged_s: float = 0.0,
    ) -> list[str]:
        """The checker's findings as soon as there are none, or after `limit_s`.

        With `subjects`, also when nothing has moved for `unchanged_s` and the findings speak of
        all of them: then nothing more will come.
        """
        begun_s = moved_s = time.monotonic()
        before: list[str] = []
        while True:
            found = await unfinished(self.locations, expected.tenant_id)
            found = found or await check(self.locations, expected)
            now_s = time.monotonic()
            if found != before:
                before, moved_s = found, now_s
            if not found:
                return []
            late = now_s - begun_s > limit_s
            if late or (subjects and now_s - moved_s > unchanged_s):
                findings = await check(self.locations, expected)
                if late or subjects <= subjects_of(findings):
                    return findings
            await asyncio.sleep(CHECK_EVERY_S)

    @asynccontextmanager
    async def sabotaged(self, service: str, bug: str) -> AsyncIterator[None]:
        """The service runs with a planted bug during the block."""
        clean = self.parts[service]
        program = clean.program
        assert isinstance(program, Service)
        bad = Server(Sabotaged(service, program.settings, bug=bug), clean.directory, clean.port)
        await asyncio.to_thread(clean.stop)
        self.parts[service] = bad
        try:
            await asyncio.to_thread(bad.start)
            yield
        finally:
            await asyncio.to_thread(bad.stop)
            self.parts[service] = clean
            await self.restart(service)


async def _copy_database(admin: "asyncpg.Connection", name: str, copy: str, *, owner: str) -> None:
    await _end_connections(admin, name)
    await admin.execute(f"CREATE DATABASE {copy} OWNER {owner} TEMPLATE {name}")
    await admin.execute(f"REVOKE ALL ON DATABASE {copy} FROM PUBLIC")
    await admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


async def _end_connections(admin: "asyncpg.Connection", name: str) -> None:
    """Nobody is connected to the database, and nobody may be."""
    await admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    await admin.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name
    )


def _last_critical(server: Server) -> str:
    """The last critical line of the log, tracebacks unfolded, else its end."""
    lines = server.log.read_text(errors="replace").splitlines()
    critical = [line for line in lines if '"level": "critical"' in line]
    return "\n".join(critical[-1:] or lines[-8:]).replace("\\n", "\n")


@contextmanager
def running_system(**settings: str) -> Iterator[System]:
    """A whole Gridtally in a folder of its own, on servers of its own; `settings` of services."""
    given = {ADMIN_URL, BOOTSTRAP, *(f"{name.upper()}_DATABASE_URL" for name in SERVICES)}
    environment = {name: value for name, value in os.environ.items() if name not in given}
    with tempfile.TemporaryDirectory(prefix="gridtally-faults-") as folder:
        Path(folder).chmod(0o755)  # PostgreSQL runs as another user when we are root
        kind = os.environ.get("GRIDTALLY_SERVERS", "auto")
        with stack(Options(Path(folder), kind), environment | settings) as running:
            yield System(running)


@asynccontextmanager
async def connected(url: str) -> "AsyncIterator[asyncpg.Connection]":
    """A connection for the length of the block."""
    connection = await asyncpg.connect(url, timeout=CONNECT_LIMIT_S)
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def stalled_writes(url: str, table: str) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Nobody can write to the table during the block; the value waits until somebody tries."""
    blocked = _BLOCKED.format(what=f"relation = '{table}'::regclass")
    async with connected(url) as holder, holder.transaction():
        await holder.execute(f"LOCK TABLE {table} IN EXCLUSIVE MODE")

        async def tried() -> None:
            await until(f"a write to {table}", lambda: holder.fetchval(blocked))

        yield tried


@asynccontextmanager
async def slow_commit(
    url: str, table: str, condition: str
) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Transactions that insert such a row cannot commit during the block; the value waits for one.

    Done by a deferred trigger that waits for a lock of ours.
    """
    blocked = _BLOCKED.format(what=f"locktype = 'advisory' AND objid = {LOCK}")
    async with connected(url) as holder:
        await holder.execute(
            "CREATE OR REPLACE FUNCTION wait_for_the_test() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN PERFORM pg_advisory_xact_lock_shared({LOCK}); RETURN NULL; END $$"
        )
        await holder.execute(
            f"CREATE CONSTRAINT TRIGGER slow_commit AFTER INSERT ON {table} DEFERRABLE "
            f"INITIALLY DEFERRED FOR EACH ROW WHEN ({condition}) "
            "EXECUTE FUNCTION wait_for_the_test()"
        )
        await holder.execute(f"SELECT pg_advisory_lock({LOCK})")

        async def tried() -> None:
            await until("a slow commit", lambda: holder.fetchval(blocked))

        try:
            yield tried
        finally:
            await holder.execute(f"SELECT pg_advisory_unlock({LOCK})")
            await holder.execute(f"DROP TRIGGER slow_commit ON {table}")
            await holder.execute("DROP FUNCTION wait_for_the_test")


@asynccontextmanager
async def without_constraint(
    url: str, table: str, constraint: str, tenant_id: str
) -> AsyncIterator[None]:
    """The constraint is gone during the block; afterwards the tenant's rows go and it is back."""
    async with connected(url) as admin:
        definition = await admin.fetchval(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint "
            "WHERE conname = $1 AND conrelid = $2::regclass",
            constraint,
            table,
        )
        await admin.execute(f"ALTER TABLE {table} DROP CONSTRAINT {constraint}")
        try:
            yield
        finally:
            await admin.execute("SET session_replication_role = replica")  # append-only for others
            await admin.execute(f"DELETE FROM {table} WHERE tenant_id = $1", tenant_id)  # noqa: S608 - of PLANTED
            await admin.execute(f"ALTER TABLE {table} ADD CONSTRAINT {constraint} {definition}")
