"""The pool of connections to a service's own database.

Owns how a connection is made and closed. Refuses to commit: that is `database.transactions`.
"""

from types import TracebackType
from typing import Self

import asyncpg
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from kernel.errors import Transient

CONNECT_TIMEOUT_S = 10
STATEMENT_CACHE_ENTRIES = 512


def driver_url(url: str) -> URL:
    """`postgresql://…` as SQLAlchemy's asyncpg URL; ValueError for any other database."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "postgresql":
        raise ValueError("the database URL must begin with postgresql://")
    return parsed.set(drivername="postgresql+asyncpg")


class Database:
    """A service's database; hold one per process and close it at the end."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine

    @classmethod
    async def connect(cls, url: str, *, application: str, pool_connections_max: int = 10) -> Self:
        """Open the pool and see that the database answers; Transient when it does not."""
        engine = create_async_engine(
            driver_url(url),
            pool_size=pool_connections_max,
            max_overflow=0,
            pool_timeout=30,
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
        database = cls(engine)
        try:
            async with engine.connect():
                return database
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as failure:
            await engine.dispose()
            raise Transient(f"the database does not answer: {failure}") from failure
        except BaseException:
            await engine.dispose()
            raise

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
