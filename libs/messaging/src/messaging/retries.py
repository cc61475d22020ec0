"""Waiting and trying again: full jitter, until asked to stop.

Owns the pace of every retry in place. Only Transient failures are retried; all else passes.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_random_exponential

from kernel.errors import Transient

T = TypeVar("T")
RETRY_FIRST_S = 0.05
RETRY_MAX_S = 5.0

log = structlog.get_logger(__name__)


class Stopped(Exception):
    """The process was asked to stop while it waited."""


async def pause(stop: asyncio.Event, seconds: float) -> None:
    """Wait, but not beyond `stop`."""
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return


async def persist(
    what: str,
    attempt: Callable[[], Awaitable[T]],
    *,
    stop: asyncio.Event,
    on_retry: Callable[[], None] = lambda: None,
) -> T:
    """Run `attempt` until it is not Transient; Stopped when asked to end in between."""

    async def wait(seconds: float) -> None:
        await pause(stop, seconds)
        if stop.is_set():
            raise Stopped(what)

    def say(state: RetryCallState) -> None:
        on_retry()
        failure = state.outcome.exception() if state.outcome else None
        log.warning("retrying", what=what, attempt=state.attempt_number, reason=str(failure))

    retrying = AsyncRetrying(
        retry=retry_if_exception_type(Transient),
        wait=wait_random_exponential(multiplier=RETRY_FIRST_S, max=RETRY_MAX_S),
        before_sleep=say,
        sleep=wait,
        reraise=True,
    )

    async def once() -> T:  # tenacity awaits only what it sees to be a coroutine function
        return await attempt()

    return await retrying(once)
