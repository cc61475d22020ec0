"""A file's rows in parts that fit into memory, each worked on by tasks of which few run at once.

The one loop of imports, dry runs and undoing: what is done with a part is the caller's business.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from itertools import islice

from gridtally.cli.data_files.kinds import Item, Kind, read_item
from gridtally.cli.data_files.outcomes import Outcomes
from gridtally.cli.data_files.references import References
from gridtally.cli.data_files.rows import Row

WINDOW_ROWS = 20_000
"""Of a file at most; some 50 MB with their bodies."""
AT_ONCE = 8
"""Requests under way; more wait for one another in the services."""

Parts = Iterable[Sequence[Item]]


async def work_through(
    unread: Iterator[Row],
    kind: Kind,
    references: References,
    outcomes: Outcomes,
    parts_of: Callable[[Sequence[Item]], Parts],
    work: Callable[[Sequence[Item]], Awaitable[None]],
    show: Callable[[int], None],
    *,
    at_once: int = AT_ONCE,
) -> None:
    """Read the items of rows and work on them part by part; rows that ask for nothing that can be
    are refused. `show` hears how many rows are done."""
    gate = asyncio.Semaphore(at_once)

    async def within(part: Sequence[Item]) -> None:
        async with gate:
            await work(part)
        show(outcomes.rows)

    while rows := list(islice(unread, WINDOW_ROWS)):
        items = []
        for row in rows:
            try:
                items.append(await read_item(kind, row, references))
            except ValueError as wrong:
                reference = row.fields.get("reference") or row.fields.get("meter") or ""
                outcomes.refuse(row.number, reference, "invalid_row", str(wrong))
        async with asyncio.TaskGroup() as tasks:
            for part in parts_of(items):
                tasks.create_task(within(part))
