"""The tasks of one process: when a task ends by itself, all the others are asked to stop.

Owns no deadline and cancels nothing: a task that was asked to stop finishes its batch. Whoever
runs the process ends it when that takes too long.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

log = structlog.get_logger(__name__)


class Tasks:
    """Tasks that stop together; `crashed` when one of them failed."""

    def __init__(self, stop: asyncio.Event) -> None:
        self.crashed = False
        self._stop = stop
        self._running: set[asyncio.Task[None]] = set()
        self._may_end: set[str] = set()

    def start(self, name: str, work: Coroutine[Any, Any, None], *, may_end: bool = False) -> None:
        """Run `work` until the stop event is set, or until it is done when it `may_end`."""
        if may_end:
            self._may_end.add(name)
        task = asyncio.create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._ended)

    async def join(self) -> None:
        """Wait until every task has ended, those too that are started meanwhile."""
        while self._running:
            await asyncio.wait(self._running)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        failure = None if task.cancelled() else task.exception()
        if failure is not None:
            log.critical("task crashed", task=task.get_name(), exc_info=failure)
        elif self._stop.is_set() or task.get_name() in self._may_end:
            return
        else:
            log.critical("task ended by itself", task=task.get_name())
        self.crashed = True
        self._stop.set()
