"""Servers for the tests that need them: named by the environment, else containers, else local.

`GRIDTALLY_SERVERS` chooses the local ones: auto (the default), real (as in CI) or wheels.
"""

import asyncio
import os
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import get_args

import pytest

from gridtally.stack import kafka
from gridtally.stack.process import LOOPBACK, free_port
from gridtally.stack.provision import create_database, drop_database
from gridtally.stack.servers import ADMIN_URL, BOOTSTRAP, Kind, Servers, external, servers

KAFKA_IMAGE = "apache/kafka:4.2.0"
TIMESCALE_IMAGE = "timescale/timescaledb:2.19.3-pg17"
KAFKA_START_LIMIT_S = 60.0


@pytest.fixture(scope="session")
def stack_servers() -> Iterator[Servers]:
    """The broker and the database of this test run."""
    data_dir = Path(tempfile.mkdtemp(prefix="gridtally-tests-"))
    data_dir.chmod(0o755)  # PostgreSQL runs as nobody when we are root
    kind = os.environ.get("GRIDTALLY_SERVERS", "auto")
    assert kind in get_args(Kind), f"GRIDTALLY_SERVERS is one of {get_args(Kind)}, not {kind}"
    contained = kind == "auto" and not external(data_dir, os.environ) and has_docker()
    local = servers(data_dir, kind, environment=os.environ)
    opened = containers(data_dir) if contained else local
    try:
        with opened as running:
            yield running
    finally:
        shutil.rmtree(data_dir)


@pytest.fixture(scope="session")
def kafka_bootstrap(stack_servers: Servers) -> str:
    """host:port of the broker."""
    return stack_servers.bootstrap


@pytest.fixture(scope="session")
def postgres_admin_url(stack_servers: Servers) -> str:
    """A superuser's URL."""
    return stack_servers.admin_url


@pytest.fixture
def database_url(postgres_admin_url: str) -> Iterator[Callable[[], str]]:
    """Makes fresh databases without TimescaleDB, each owned by a role that is no superuser:
    `url = database_url()`. They are dropped after the test."""
    names: list[str] = []

    def create() -> str:
        name = f"test_{secrets.token_hex(6)}"
        names.append(name)
        return in_thread(
            lambda: asyncio.run(
                create_database(postgres_admin_url, name, secrets.token_hex(8), timescale=False)
            )
        )

    yield create
    for name in names:
        in_thread(lambda name=name: asyncio.run(drop_database(postgres_admin_url, name)))


def in_thread(call):
    """Run where no event loop is running, whoever asks."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(call).result()


def has_docker() -> bool:
    """Whether a Docker engine answers."""
    if shutil.which("docker") is None:
        return False
    asked = subprocess.run(["docker", "info"], capture_output=True, check=False)
    return asked.returncode == 0


@contextmanager
def containers(data_dir: Path) -> Iterator[Servers]:
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
            time.sleep(0.1)
        named = {BOOTSTRAP: f"{LOOPBACK}:{port}", ADMIN_URL: database.get_connection_url()}
        yield external(data_dir, named)
