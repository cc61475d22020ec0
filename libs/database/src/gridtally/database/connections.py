"""Connections whose type shows whether they may write.

A `ReadConnection` lives in a read-only transaction, which the server enforces; only a
`WriteConnection` has the methods that change something. Neither commits.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from io import BytesIO
from typing import Any

import asyncpg
from sqlalchemy import Executable
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

Parameters = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None


class ReadConnection:
    """Reads within one snapshot. `raw` is asyncpg's own connection, for hot paths."""

    def __init__(self, connection: AsyncConnection, raw: "asyncpg.Connection[Any]") -> None:
        self._connection = connection
        self.raw = raw

    async def all(self, statement: Executable, parameters: Parameters = None) -> list[RowMapping]:
        """Every row."""
        result = await self._connection.execute(statement, parameters)
        return list(result.mappings().all())

    async def one_or_none(
        self, statement: Executable, parameters: Parameters = None
    ) -> RowMapping | None:
        """The only row, or none; an error where there are several."""
        result = await self._connection.execute(statement, parameters)
        return result.mappings().one_or_none()

    async def scalar(self, statement: Executable, parameters: Parameters = None) -> Any:
        """The first column of the first row, or None."""
        result = await self._connection.execute(statement, parameters)
        return result.scalar()


class WriteConnection(ReadConnection):
    """Reads and writes within one transaction, which `gridtally.database.transaction` commits."""

    async def execute(self, statement: Executable, parameters: Parameters = None) -> int:
        """Run a statement, once for each set of parameters; the number of rows that it changed."""
        result = await self._connection.execute(statement, parameters)
        return int(getattr(result, "rowcount", 0))

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """What the block has written is taken back where it raises, and the transaction goes on.

        For batches of which one part may be refused. Locks of the block are let go with it, so
        take before it what is to be held.
        """
        async with self.raw.transaction():
            yield

    async def stage(self, name: str, columns: str) -> None:
        """A temporary table of this connection, empty at the start of each transaction.

        `name` and `columns` are written in the code, never taken from an input.
        """
        await self.raw.execute(
            f"CREATE TEMPORARY TABLE IF NOT EXISTS {name} ({columns}) ON COMMIT DELETE ROWS"
        )

    async def copy_records(
        self, table: str, columns: Sequence[str], records: Iterable[Sequence[Any]]
    ) -> None:
        """COPY tuples in; not into a table with row-level security, which COPY refuses."""
        await self.raw.copy_records_to_table(table, records=records, columns=columns)

    async def copy_binary(self, table: str, columns: Sequence[str], payload: bytes) -> None:
        """COPY a body that is already in PostgreSQL's binary format."""
        await self.raw.copy_to_table(
            table, source=BytesIO(payload), columns=columns, format="binary"
        )
