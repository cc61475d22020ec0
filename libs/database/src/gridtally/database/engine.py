"""The pool of connections to a service's own database.

Owns how a connection is made and closed, and what it means when none can be made. Refuses to
commit: that is `gridtally.database.transactions`.
"""

from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from types import MappingProxyType, TracebackType
from typing import Any, Self

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from gridtally.database.urls import checked_url
from gridtally.kernel.errors import Transient

CONNECT_TIMEOUT_S = 10
POOL_TIMEOUT_S = 30
"""Of waiting for a free connection; after that the database counts as away."""
STATEMENT_CACHE_ENTRIES = 512
DIALECT = "postgresql+asyncpg://"

_REFUSALS = (
    asyncpg.InvalidAuthorizationSpecificationError,  # class 28: no such role, a wrong password
    asyncpg.InvalidCatalogNameError,  # 3D000: no such database
    asyncpg.InsufficientPrivilegeError,  # the role may not connect to it
)


class AccessRefused(Exception):
    """The server answers, but does not let us in; trying again changes nothing."""


def causes(failure: BaseException) -> Iterator[BaseException]:
    """The failure and its causes: SQLAlchemy wraps the driver's own."""
    seen: BaseException | None = failure
    while seen is not None:
        yield seen
        seen = seen.__cause__ or getattr(seen, "orig", None)


@contextmanager
def connecting() -> Iterator[None]:
    """While a connection is made: AccessRefused when we are not let in, Transient for the rest."""
    try:
        yield
    except (OSError, DBAPIError, PoolTimeoutError) as failure:
        *_, cause = causes(failure)
        if isinstance(cause, _REFUSALS):
            raise AccessRefused(f"the database refuses us: {cause}; see DATABASE_URL") from failure
        raise Transient(f"the database does not answer: {cause}") from failure


def engine_of(
    url: str, connect_args: Mapping[str, Any] = MappingProxyType({}), **pool: Any
) -> AsyncEngine:
    """An engine that has connected to nothing yet; ValueError as by `checked_url`."""
    # asyncpg reads the URL itself, since SQLAlchemy hands on of it what it knows by name alone
    return create_async_engine(
        DIALECT, connect_args={"dsn": checked_url(url), **connect_args}, **pool
    )


class Database:
    """A service's database; hold one per process and close it at the end."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine

    @classmethod
    async def connect(cls, url: str, *, application: str, pool_connections_max: int = 10) -> Self:
        """Open the pool and see that the database answers.

        Transient when it does not, AccessRefused when it does not let us in.
        """
        engine = engine_of(
            url,
            pool_size=pool_connections_max,
            max_overflow=0,
            pool_timeout=POOL_TIMEOUT_S,
            pool_use_lifo=True,  # what was used last has its plans, and what it read, at hand
            connect_args={
                "timeout": CONNECT_TIMEOUT_S,
                "prepared_statement_cache_size": STATEMENT_CACHE_ENTRIES,
                "server_settings": {
                    "application_name": application,
                    "timezone": "UTC",
                    # A plan made while a table was empty must not outlive its first million rows.
                    "plan_cache_mode": "force_custom_plan",
                },
            },
        )
        async with AsyncExitStack() as undone:
            undone.push_async_callback(engine.dispose)
            with connecting():
                async with engine.connect():
                    pass
            undone.pop_all()
        return cls(engine)

    async def aclose(self) -> None:
        """Close every connection."""
        await self.engine.dispose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        failure: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()
