"""Owns the databases of the services: one each, owned by a role of its own that is no superuser."""

import json
import secrets
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg

from gridtally.local_stack.errors import StackError
from gridtally.local_stack.postgres import write_secret

CONNECT_LIMIT_S = 10.0
WITH_TIMESCALE = "ingest"


async def provision(admin_url: str, services: Iterable[str], secrets_file: Path) -> dict[str, str]:
    """Create what is missing and return each service's `postgresql://` URL.

    The passwords are stored in `secrets_file` (mode 0600), so that a second call changes nothing.
    Raises StackError where the server is away or refuses, on a full disk for instance.
    """
    passwords = _kept_passwords(services, secrets_file)
    try:
        return {
            name: await create_database(admin_url, name, password, timescale=name == WITH_TIMESCALE)
            for name, password in passwords.items()
        }
    except asyncpg.PostgresError as error:
        raise StackError(f"PostgreSQL could not make the databases: {error}") from error


def _kept_passwords(services: Iterable[str], secrets_file: Path) -> dict[str, str]:
    stored = json.loads(secrets_file.read_text()) if secrets_file.exists() else {}
    passwords = {name: stored.get(name) or secrets.token_urlsafe(24) for name in services}
    if passwords != stored:
        write_secret(secrets_file, json.dumps(stored | passwords))
    return passwords


async def create_database(admin_url: str, name: str, password: str, *, timescale: bool) -> str:
    """A database and a role of the same name that owns it; fine when both are there already.

    The extension `timescaledb` is created, by the superuser, where the server has it and it is
    asked for. Returns the role's URL.
    """
    role = _quoted(name)
    async with connected(admin_url) as admin:
        if not await admin.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", name):
            await admin.execute(f"CREATE ROLE {role} LOGIN")
        await admin.execute(f"ALTER ROLE {role} PASSWORD '{_scram_safe(password)}'")
        if not await admin.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
            await admin.execute(f"CREATE DATABASE {role} OWNER {role} TEMPLATE template0")
        await admin.execute(f"REVOKE ALL ON DATABASE {role} FROM PUBLIC")
    if timescale:
        async with connected(_with(admin_url, database=name)) as admin:
            if await admin.fetchval(
                "SELECT 1 FROM pg_available_extensions WHERE name = 'timescaledb'"
            ):
                await admin.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
    return _with(admin_url, database=name, user=name, password=password)


async def drop_database(admin_url: str, name: str) -> None:
    """Drop a database with all that is connected to it, and its role."""
    async with connected(admin_url) as admin:
        await admin.execute(f"DROP DATABASE IF EXISTS {_quoted(name)} WITH (FORCE)")
        await admin.execute(f"DROP ROLE IF EXISTS {_quoted(name)}")


@asynccontextmanager
async def connected(url: str) -> "AsyncIterator[asyncpg.Connection[Any]]":
    """A connection for the length of the block. Raises StackError when the server is away."""
    try:
        connection = await asyncpg.connect(url, timeout=CONNECT_LIMIT_S)
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        where = urlsplit(url)
        raise StackError(f"PostgreSQL at {where.hostname}:{where.port}: {error}") from error
    try:
        yield connection
    finally:
        await connection.close()


def _with(url: str, *, database: str, user: str | None = None, password: str = "") -> str:
    parts = urlsplit(url)
    if user is not None:
        host = parts.netloc.rpartition("@")[2]
        parts = parts._replace(netloc=f"{user}:{quote(password, safe='')}@{host}")
    return urlunsplit(parts._replace(path=f"/{database}"))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _scram_safe(password: str) -> str:
    """DDL takes no parameters, so a password that would need quoting is refused."""
    if not all(letter.isalnum() or letter in "-_" for letter in password):
        raise StackError("a database password holds letters, digits, - and _ only")
    return password
