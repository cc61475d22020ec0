"""Waiting for something to come true, but never for ever."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

LIMIT_S = 120.0
POLL_S = 0.1


async def until(
    what: str, holds: Callable[[], Awaitable[object]], *, limit_s: float = LIMIT_S
) -> None:
    """Ask until it holds; TimeoutError that names `what` when it does not in time."""
    deadline_s = time.monotonic() + limit_s
    while not await holds():
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"{what}: not within {limit_s:.0f} s")
        await asyncio.sleep(POLL_S)


async def until_nothing(
    left: Callable[[], Awaitable[Sequence[str]]], *, limit_s: float = LIMIT_S
) -> None:
    """Ask until nothing is left; TimeoutError that tells what is when the time is over."""
    deadline_s = time.monotonic() + limit_s
    while rest := await left():
        if time.monotonic() > deadline_s:
            left_over = "; ".join(rest)
            raise TimeoutError(f"after {limit_s:.0f} s: {left_over}")
        await asyncio.sleep(POLL_S)
