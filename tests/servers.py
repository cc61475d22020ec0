"""The broker and the database that tests use: those that are up already, else their own.

python tests/servers.py up            keeps both up until Ctrl-C, for every test run meanwhile
python tests/servers.py down          ends them from another shell
python tests/servers.py during CMD    keeps both up for one command, whose processes share them

`GRIDTALLY_SERVERS` chooses: auto (the default), real (as in CI) or wheels.
"""

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import get_args
from urllib.parse import urlsplit

from gridtally.cli.stack_state import RunningProcess
from gridtally.local_stack import kafka
from gridtally.local_stack.errors import StackError
from gridtally.local_stack.postgres import write_secret
from gridtally.local_stack.process import LOOPBACK, free_port
from gridtally.local_stack.provision import connected
from gridtally.local_stack.servers import (
    ADMIN_URL,
    BOOTSTRAP,
    IDEMPOTENCE,
    Kind,
    Servers,
    external,
    servers,
)
from gridtally.local_stack.stack import until_stopped

CHOICE = "GRIDTALLY_SERVERS"
FILE = "GRIDTALLY_TEST_SERVERS"
"""Names the file that says which servers are up, where it is not the checkout's own."""
DEFAULT_FILE = Path(__file__).parents[1] / ".cache" / "servers.json"
KAFKA_IMAGE = "apache/kafka:4.2.0"
TIMESCALE_IMAGE = "timescale/timescaledb:2.19.3-pg17"
KAFKA_START_LIMIT_S = 60.0
STOP_LIMIT_S = 60.0
PROBE_LIMIT_S = 2.0
POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class Standing:
    """Servers that another process keeps up, with their data in `folder`, or kept up when it was
    killed; `environment` names them, a password among it."""

    owner: RunningProcess
    choice: str
    environment: dict[str, str]
    folder: str

    @classmethod
    def read(cls, file: Path) -> "Standing | None":
        """What the file says; None where there is none."""
        try:
            said = json.loads(file.read_text())
        except FileNotFoundError:
            return None
        return cls(RunningProcess(**said.pop("owner")), **said)

    def is_up(self) -> bool:
        """Whether the process that keeps them up is still there."""
        return self.owner.find() is not None

    def answers(self) -> bool:
        """Whether both take connections now."""
        if not self.is_up():
            return False
        database = urlsplit(self.environment[ADMIN_URL])
        broker_port = int(self.environment[BOOTSTRAP].rpartition(":")[2])
        try:
            socket.create_connection((database.hostname, database.port), PROBE_LIMIT_S).close()
        except OSError:
            return False
        return kafka.answers_metadata(broker_port)


@contextmanager
def servers_of_tests(environment: Mapping[str, str]) -> Iterator[Servers]:
    """The servers that the environment names, else those that are up, else new ones."""
    choice = chosen(environment)
    with open_folder() as folder:
        if named := external(folder, environment):
            yield named
            return
        standing = Standing.read(file_of(environment))
        if standing and fits(standing.choice, choice) and standing.answers():
            yield external(folder, standing.environment)
            return
        with started(folder, choice, environment) as (running, _):
            yield running


def chosen(environment: Mapping[str, str]) -> Kind:
    """Which servers the environment asks for."""
    choice = environment.get(CHOICE, "auto")
    assert choice in get_args(Kind), f"{CHOICE} is one of {get_args(Kind)}, not {choice}"
    return choice


def fits(standing: str, choice: Kind) -> bool:
    """Whether servers that are up are those asked for."""
    return choice in ("auto", standing)


def file_of(environment: Mapping[str, str]) -> Path:
    """Where it is said which servers are up."""
    return Path(environment.get(FILE, DEFAULT_FILE))


@contextmanager
def open_folder() -> Iterator[Path]:
    """A fresh folder that PostgreSQL can use, which runs as nobody when we are root."""
    folder = Path(tempfile.mkdtemp(prefix="gridtally-tests-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextmanager
def started(
    folder: Path, choice: Kind, environment: Mapping[str, str]
) -> Iterator[tuple[Servers, str]]:
    """New servers for the length of the block, and which they are."""
    if choice == "auto" and has_docker():
        with containers(folder) as running:
            write_lazily(running.admin_url)
            yield running, "containers"
        return
    with servers(folder, choice, environment=environment) as running:
        write_lazily(running.admin_url)
        yield running, "real" if running.idempotence else "wheels"


def write_lazily(admin_url: str) -> None:
    """Let PostgreSQL leave the writing to the system. What it flushes itself outlives a loss of
    power, which no test has; a process that is killed loses nothing either way. Databases, which
    nearly every test makes and drops, cost less so."""

    async def alter() -> None:
        async with connected(admin_url) as admin:
            await admin.execute("ALTER SYSTEM SET fsync = off")
            await admin.execute("SELECT pg_reload_conf()")

    asyncio.run(alter())


@contextmanager
def announced(running: Servers, choice: str, file: Path) -> Iterator[None]:
    """The file says that these servers are up, for the length of the block."""
    named = {
        BOOTSTRAP: running.bootstrap,
        ADMIN_URL: running.admin_url,
        IDEMPOTENCE: str(running.idempotence).lower(),
    }
    owner = RunningProcess.of("tests/servers.py", os.getpid(), "")
    standing = Standing(owner, choice, named, str(running.directory.parent))
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(".new")
    write_secret(draft, json.dumps(asdict(standing)))
    draft.replace(file)
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def has_docker() -> bool:
    """Whether a Docker engine answers."""
    if shutil.which("docker") is None:
        return False
    asked = subprocess.run(["docker", "info"], capture_output=True, check=False)
    return asked.returncode == 0


@contextmanager
def containers(folder: Path) -> Iterator[Servers]:
    """Apache Kafka and TimescaleDB in containers, Kafka with the local one's settings."""
    from testcontainers.community.postgres import PostgresContainer
    from testcontainers.core.container import DockerContainer

    port = free_port()
    settings = dict(line.split("=", 1) for line in kafka.PROPERTIES.splitlines()) | {
        "listeners": "PLAINTEXT://:9092,CONTROLLER://:9093",
        "advertised.listeners": f"PLAINTEXT://{LOOPBACK}:{port}",
        "controller.quorum.voters": "1@localhost:9093",
    }
    broker = DockerContainer(KAFKA_IMAGE).with_bind_ports(9092, port)
    for name, value in settings.items():
        broker.with_env(f"KAFKA_{name.upper().replace('.', '_')}", value)
    with broker, PostgresContainer(TIMESCALE_IMAGE, driver=None) as database:
        deadline_s = time.monotonic() + KAFKA_START_LIMIT_S
        while not kafka.answers_metadata(port):
            assert time.monotonic() < deadline_s, f"no Kafka: {broker.get_logs()}"
            time.sleep(POLL_S)
        named = {BOOTSTRAP: f"{LOOPBACK}:{port}", ADMIN_URL: database.get_connection_url()}
        yield external(folder, named)


def up(file: Path) -> None:
    """Keep both up until a signal comes or one of them ends."""
    if before := Standing.read(file):
        if before.is_up():
            raise StackError("the servers are up already; `make servers-stop` ends them")
        shutil.rmtree(before.folder, ignore_errors=True)
    with (
        until_stopped(),
        open_folder() as folder,
        started(folder, chosen(os.environ), os.environ) as (running, choice),
        announced(running, choice, file),
    ):
        said = (*running.descriptions, "tests use them until Ctrl-C or `make servers-stop`")
        print(*said, sep="\n", flush=True)  # noqa: T201 - the answer of a command
        ours = [server for server in (running.broker, running.database) if server]
        while all(server.pid for server in ours):
            time.sleep(POLL_S)
        raise StackError("a server ended unexpectedly")


def down(file: Path) -> None:
    """End what `up` keeps up elsewhere."""
    standing = Standing.read(file)
    if standing is None or not standing.is_up():
        print("no servers are up")  # noqa: T201 - the answer of a command
        return
    deadline_s = time.monotonic() + STOP_LIMIT_S
    standing.owner.find().terminate()
    while standing.is_up():
        if time.monotonic() > deadline_s:
            raise StackError(f"process {standing.owner.pid} did not end in {STOP_LIMIT_S:.0f} s")
        time.sleep(POLL_S)


def during(command: list[str]) -> int:
    """Run the command with servers that all its processes share; its exit status."""
    with servers_of_tests(os.environ) as running, tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "servers.json"
        choice = "real" if running.idempotence else "wheels"
        with announced(running, choice, file):
            process = subprocess.Popen(command, env={**os.environ, FILE: str(file)})
            # a Ctrl-C reaches the command by itself, and the servers outlive it
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            for number in (signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, lambda number, _: process.send_signal(number))
            return process.wait()


def main(word: str, *command: str) -> int:
    """What the command line asks for."""
    if word == "during":
        return during(list(command))
    {"up": up, "down": down}[word](file_of(os.environ))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]))
    except StackError as error:
        sys.exit(f"error: {error}")
