"""Migrations: Alembic under an advisory lock, with timeouts, and the check for drift.

Owns how a schema moves forward; each service owns its steps in its `migrations` package.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack

from alembic import command, context
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, text
from sqlalchemy.pool import NullPool

from gridtally.database.connections import ReadConnection
from gridtally.database.engine import connecting, engine_of

LOCK_KEY = 7_104_253
LOCK_TIMEOUT_S = 30
STATEMENT_TIMEOUT_S = 600


def _config(package: str) -> Config:
    config = Config()
    config.set_main_option("script_location", f"{package}:migrations")
    config.set_main_option("path_separator", "os")
    return config


def _newest(package: str) -> str | None:
    return ScriptDirectory.from_config(_config(package)).get_current_head()


def upgrade(url: str, *, package: str) -> None:
    """Bring the database of `package` to its newest schema; others wait for the same lock.

    Transient when the database does not answer, AccessRefused when it does not let us in.
    """
    config = _config(package)
    config.attributes["url"] = url
    command.upgrade(config, "head")


def run_environment(metadata: Sequence[MetaData]) -> None:
    """The body of every service's `migrations/env.py`."""
    url = context.config.attributes["url"]

    def migrate(connection: Connection) -> None:
        connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_S}s'"))
        connection.execute(text(f"SET LOCAL statement_timeout = '{STATEMENT_TIMEOUT_S}s'"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK_KEY})
        context.configure(connection=connection, target_metadata=list(metadata))
        with context.begin_transaction():
            context.run_migrations()

    _with_connection(url, migrate)


def drift(url: str, metadata: Sequence[MetaData], *, package: str) -> list[str]:
    """The differences between the models and the migrated database; empty when there are none.

    Only tables that the models know count: partitions and extensions' tables do not.
    """
    newest = _newest(package)
    differences: list[str] = []

    def compare(connection: Connection) -> None:
        if MigrationContext.configure(connection).get_current_revision() != newest:
            differences.append(f"the schema is not at {newest}")
        for models in metadata:
            compared = compare_metadata(_comparing(connection, models), models)
            differences.extend(map(str, compared))

    _with_connection(url, compare)
    return differences


def _comparing(connection: Connection, metadata: MetaData) -> MigrationContext:
    """Sees the tables of these models alone, and the types of their columns."""
    return MigrationContext.configure(
        connection,
        opts={
            "compare_type": True,
            "include_name": lambda name, kind, _: kind != "table" or name in metadata.tables,
        },
    )


async def pending(read: ReadConnection, *, package: str) -> str | None:
    """The newest revision when the database is not at it yet, else None."""
    newest = _newest(package)
    exists = await read.scalar(text("SELECT to_regclass('alembic_version')"))
    current = await read.scalar(text("SELECT version_num FROM alembic_version")) if exists else None
    return None if current == newest else newest


def _with_connection(url: str, work: Callable[[Connection], None]) -> None:
    async def run() -> None:
        engine = engine_of(url, poolclass=NullPool)
        try:
            async with AsyncExitStack() as opened:
                with connecting():
                    connection = await opened.enter_async_context(engine.begin())
                await connection.run_sync(work)
        finally:
            await engine.dispose()

    asyncio.run(run())
