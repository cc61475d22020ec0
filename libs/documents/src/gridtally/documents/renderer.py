"""Where documents are drawn: beside the event loop, one at a time."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

T = TypeVar("T")


# Two threads draw no faster than one; a pool of its own keeps a queue of documents from taking the
# threads that recalculations and exports run in.
@cache
def _renderer() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="documents")


async def in_renderer(draw: Callable[[], T]) -> T:
    """What `draw` returns, called in the thread that draws documents."""
    return await asyncio.get_running_loop().run_in_executor(_renderer(), draw)
