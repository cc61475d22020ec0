"""Waiting and trying again: full jitter, until asked to stop.

Owns how quickly anything is tried again. Only Transient failures are; all others are raised.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_random_exponential

from gridtally.kernel.errors import Transient

T = TypeVar("T")
RETRY_FIRST_S = 0.05
RETRY_MAX_S = 5.0

log = structlog.get_logger(__name__)


class Stopped(Exception):
    """The process was asked to stop while it waited."""


async def pause(stop: asyncio.Event, seconds: float) -> None:
    """Wait for so many seconds, or until `stop` is set."""
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return


async def retry_transient(
    what: str,
    attempt: Callable[[], Awaitable[T]],
    *,
    stop: asyncio.Event,
    on_retry: Callable[[Transient], None] = lambda _: None,
) -> T:
    """What `attempt` returns once it is not Transient; Stopped when asked to end in between.

    An attempt that has begun is never cut: `stop` only ends the waiting between two. `what` names
    the work in the log, and `on_retry` is told the failure before each wait.
    """

    async def wait(seconds: float) -> None:
        await pause(stop, seconds)
        if stop.is_set():
            raise Stopped(what)

    def report(state: RetryCallState) -> None:
        failure = state.outcome.exception() if state.outcome else None
        if isinstance(failure, Transient):
            on_retry(failure)
        log.warning("retrying", what=what, attempt=state.attempt_number, reason=str(failure))

    retrying = AsyncRetrying(
        retry=retry_if_exception_type(Transient),
        wait=wait_random_exponential(multiplier=RETRY_FIRST_S, max=RETRY_MAX_S),
        before_sleep=report,
        sleep=wait,
        reraise=True,
    )

    async def attempt_again() -> T:  # tenacity awaits only what it sees to be a coroutine function
        return await attempt()

    return await retrying(attempt_again)
