"""Rows out of the database by COPY, as CSV: what a file of many rows is made of.

Owns the form of that CSV, PostgreSQL's own: whole lines without headings, nothing between commas
for NULL, instants in the session's zone, UTC.
"""

from collections.abc import Callable, Coroutine
from typing import Any

import sqlalchemy as sa

from gridtally.database.connections import ReadConnection
from gridtally.database.engine import DIALECT

TakeLines = Callable[[bytes], Coroutine[Any, Any, None]]
"""Takes some whole lines; the server waits meanwhile."""

_DIALECT = sa.make_url(DIALECT).get_dialect()()


# Without sorting: where an index has the order of the rows the first are there at once, and no file
# of the server's holds them all. Asked for all rows the planner would rather sort them.
async def copy_csv(read: ReadConnection, statement: sa.Select[Any], take: TakeLines) -> None:
    """Hand every row of a query to `take`, some whole lines at a time.

    The server waits while `take` does; the snapshot is held until the last row is taken.
    """
    compiled = statement.compile(dialect=_DIALECT)
    arguments = [compiled.params[name] for name in compiled.positiontup or ()]
    await read.raw.execute("SET LOCAL enable_sort = off")
    await read.raw.copy_from_query(str(compiled), *arguments, output=take, format="csv")
