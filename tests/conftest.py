"""Servers for the tests that need them, as `servers.py` finds them or starts them."""

import asyncio
import os
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from gridtally.local_stack.provision import create_database, drop_database
from gridtally.local_stack.servers import Servers
from servers import servers_of_tests


@pytest.fixture(scope="session")
def stack_servers() -> Iterator[Servers]:
    """The broker and the database of this test run."""
    with servers_of_tests(os.environ) as running:
        yield running


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
