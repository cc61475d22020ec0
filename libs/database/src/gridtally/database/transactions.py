"""The one transaction helper: the only code that commits.

Cancellation inside a transaction is the known way to lose commits with SQLAlchemy and asyncpg
(https://github.com/sqlalchemy/sqlalchemy/issues/8145), so a commit that has begun is always seen
through, and the connection of a transaction that was cut is dropped, never reused.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection

from gridtally.database.bound_customers import bound_customer
from gridtally.database.connections import ReadConnection, WriteConnection
from gridtally.database.engine import Database, causes
from gridtally.kernel.errors import (
    GridtallyError,
    NoRoom,
    Rejected,
    Transient,
    is_closed_transport,
)

ALL_TENANTS = "*"
"""The tenant of workers, which serve every tenant; row-level security lets it pass."""

_WHOSE = (
    "SELECT set_config('gridtally.tenant', $1, true), set_config('gridtally.customer', $2, true)"
)
# What a customer sees may be found out by functions that set parameters.
_NOT_PARALLEL = "SET LOCAL max_parallel_workers_per_gather = 0"
_TRANSIENT: tuple[type[BaseException], ...] = (
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.LockNotAvailableError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InvalidCachedStatementError,  # a migration ran; the next time it is prepared anew
    asyncpg.InternalClientError,  # the server closed the connection between two calls
    ConnectionError,
    TimeoutError,
    PoolTimeoutError,
)
_UNSTORABLE: tuple[type[BaseException], ...] = (
    asyncpg.CharacterNotInRepertoireError,
    asyncpg.UntranslatableCharacterError,
)


def is_transient(failure: BaseException) -> bool:
    """Whether the same transaction may succeed later: connection, deadlock, serialization,
    a table that a migration changed meanwhile."""
    if isinstance(failure, DBAPIError) and failure.connection_invalidated:
        return True
    return any(isinstance(cause, _TRANSIENT) or _is_closed(cause) for cause in causes(failure))


def _is_closed(failure: BaseException) -> bool:
    """asyncpg's interface errors are defects, but for the one that means a closed connection."""
    is_interface_error = isinstance(failure, asyncpg.InterfaceError) and "closed" in str(failure)
    return is_interface_error or is_closed_transport(failure)


@asynccontextmanager
async def transaction(database: Database, *, tenant: str) -> AsyncIterator[WriteConnection]:
    """A read-write transaction of `tenant`; commits at the end, rolls back on any error.

    Where its context is bound to a customer it sees that one's rows alone and changes none.

    Owns a connection of the pool while the block lasts, and waits for a free one, `POOL_TIMEOUT_S`
    at most. When the task is cancelled the connection is dropped and nothing is committed, unless
    the commit had begun: that is seen through first. Transient when the database is away or the
    transaction lost a race, NoRoom when its disk is full; Rejected for text that PostgreSQL cannot
    hold, the sender's fault.
    """
    async with _connection(database, tenant, read_only=False) as (connection, raw):
        yield WriteConnection(connection, raw)
        await _see_through(connection.commit())


@asynccontextmanager
async def snapshot(database: Database, *, tenant: str) -> AsyncIterator[ReadConnection]:
    """A read-only transaction of `tenant`, all of whose statements see one moment.

    Owns a connection as `transaction` does; the server refuses what writes.
    """
    async with _connection(database, tenant, read_only=True) as (connection, raw):
        yield ReadConnection(connection, raw)


@asynccontextmanager
async def _connection(
    database: Database, tenant: str, *, read_only: bool
) -> AsyncIterator[tuple[AsyncConnection, "asyncpg.Connection[Any]"]]:
    connection: AsyncConnection | None = None
    try:
        connection = await database.engine.connect()
        await connection.begin()
        pooled = await connection.get_raw_connection()
        raw: asyncpg.Connection[Any] | None = pooled.driver_connection
        if raw is None:  # pragma: no cover - a checked-out connection always has its driver
            raise Transient("the connection has no driver")
        if read_only:
            await connection.exec_driver_sql(
                "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"
            )
        customer_id = bound_customer()
        if customer_id is not None:
            await connection.exec_driver_sql(_NOT_PARALLEL)
        await connection.exec_driver_sql(_WHOSE, (tenant, str(customer_id or "")))
        yield connection, raw
    except asyncio.CancelledError:
        if connection is not None:
            await _see_through(connection.invalidate())
        raise
    except GridtallyError:
        raise
    except Exception as failure:  # all are raised again; two kinds get a name of ours
        if is_transient(failure):
            # Cut within a COPY, a connection still waits for its end and refuses to roll back.
            if connection is not None:
                await _see_through(connection.invalidate())
            is_full = any(isinstance(cause, asyncpg.DiskFullError) for cause in causes(failure))
            kind = NoRoom if is_full else Transient
            raise kind(f"the database let the transaction go: {failure}") from failure
        if any(isinstance(cause, _UNSTORABLE) for cause in causes(failure)):
            raise Rejected("unstorable_text", "a text holds the character NUL") from failure
        raise
    finally:
        if connection is not None:
            await _see_through(_return_connection(connection))


async def _return_connection(connection: AsyncConnection) -> None:
    """Roll back what is open and return the connection to its pool.

    SQLAlchemy does not see what raw calls meet, and may learn only here that the server has gone:
    then there is nothing to roll back, and the connection is dropped.
    """
    try:
        await connection.close()
    except Exception as failure:  # raised again, unless the server has gone
        if not is_transient(failure):
            raise
        if not connection.closed:
            await connection.invalidate()
            await connection.close()


async def _see_through(step: Coroutine[Any, Any, None]) -> None:
    """Run `step` to its end, even when this task is cancelled meanwhile; then be cancelled."""
    task = asyncio.ensure_future(step)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as cut:
            if task.cancelled():
                raise
            cancelled = cut
    task.result()
    if cancelled is not None:
        raise cancelled
