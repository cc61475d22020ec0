"""Owns the services as processes: migrated first, then served, each with its own settings.

They are met by environment variables, HTTP and signals only, as in any other deployment.
"""

import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGTERM, Signals

from gridtally.local_stack import process
from gridtally.local_stack.cache import Report, silent
from gridtally.local_stack.errors import StackError
from gridtally.local_stack.server import Server

MIGRATE_LIMIT_S = 300.0
PROBE_LIMIT_S = 2.0
NOT_FOR_SERVICES = "POSTGRES_ADMIN_URL"


@dataclass(frozen=True, slots=True)
class Service:
    """One of our services, run by this Python; `settings` are its environment variables."""

    name: str
    settings: Mapping[str, str] = field(repr=False)  # they hold the database password
    needs: tuple[str, ...] = ()
    """The services that it calls, which are ready before it starts."""
    addresses: dict[str, str] = field(default_factory=dict)
    """Where those answer: `INGEST_URL` and the like, known once they are ready."""
    stop_signal: Signals = SIGTERM
    start_limit_s: float = 120.0
    is_forked: bool = False
    """By a fork server, which calls it by its name."""

    @property
    def title(self) -> str:
        """Its name."""
        return self.name

    @property
    def process_name(self) -> str:
        """What the system calls it."""
        return self.name if self.is_forked else Path(sys.executable).name

    def prepare(self, directory: Path) -> None:
        """Migrations have run already, those of all services at once."""

    def user(self, directory: Path) -> process.User:
        """The user who started the stack."""
        del directory
        return "own"

    def command(self, directory: Path, port: int) -> list[str]:
        """API, consumers and relay in one process."""
        del directory, port
        return [sys.executable, "-m", f"gridtally.{self.name}", "serve"]

    def environment(self, port: int) -> dict[str, str]:
        """Its settings, and where to listen."""
        return {
            **self.settings,
            **self.addresses,
            "HTTP_HOST": process.LOOPBACK,
            "HTTP_PORT": str(port),
        }

    def is_ready(self, directory: Path, port: int, pid: int) -> bool:
        """Whether it says so itself."""
        del directory, pid
        try:
            with urllib.request.urlopen(  # noqa: S310 - a fixed scheme and host
                f"{url(port)}/health/ready", timeout=PROBE_LIMIT_S
            ) as answer:
                return bool(answer.status == 200)
        except (OSError, urllib.error.URLError):
            return False


def url(port: int) -> str:
    """Where a local service answers."""
    return f"http://{process.LOOPBACK}:{port}"


@contextmanager
def services(
    programs: Mapping[str, Service],
    directory: Path,
    *,
    spawn: process.Spawn,
    first_port: int | None = None,
    report: Report = silent,
) -> Iterator[dict[str, Server]]:
    """The services for the length of the block, by name; their logs are in `directory`.

    With `first_port` they take it and the ports after it, else free ones. `report` gets a line
    for each. Raises StackError with the end of the log of the one that failed.
    """
    for name in programs:
        (directory / name).mkdir(parents=True, exist_ok=True)
    _migrate(programs, directory, spawn)
    running = {
        name: Server(program, directory / name, first_port and first_port + position, spawn=spawn)
        for position, (name, program) in enumerate(programs.items())
    }
    with ExitStack() as started:
        for name, server in running.items():
            started.callback(server.stop)
            if not programs[name].needs:
                server.launch()
        for name in sorted(running, key=lambda name: bool(programs[name].needs)):
            server, program = running[name], programs[name]
            for needed in program.needs:
                program.addresses[f"{needed.upper()}_URL"] = url(running[needed].port)
            server.launch()
            server.wait_ready()
            report(f"{name} at {url(server.port)}")
        yield running


def _migrate(programs: Mapping[str, Service], directory: Path, spawn: process.Spawn) -> None:
    """Bring every database to its newest version, side by side."""
    with ExitStack() as started:
        migrations = {}
        for name, program in programs.items():
            migration = spawn(
                [sys.executable, "-m", f"gridtally.{name}", "migrate"],
                log=directory / name / "migrate.log",
                cwd=directory / name,
                env=program.environment(port=0),  # nothing is served yet
            )
            started.callback(process.stop, migration, SIGTERM, PROBE_LIMIT_S)
            migrations[name] = migration
        deadline_s = time.monotonic() + MIGRATE_LIMIT_S
        for name, migration in migrations.items():
            left_s = deadline_s - time.monotonic()
            if process.finish(migration, f"{name}'s migration", left_s) != 0:
                said = process.last_lines(directory / name / "migrate.log")
                raise StackError(f"{name} could not migrate its database; its log ends:\n{said}")
