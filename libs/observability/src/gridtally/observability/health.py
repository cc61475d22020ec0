"""Health: whether a process lives and is ready, measured by what it gets done.

Owns the checks of a process and the view of its background tasks. A task that has work pending and
moves nothing is stalled: then the process is not live, and whoever runs it ends it. Refuses to know
Kafka, SQL and HTTP: checks are given to it.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

CHECK_TIMEOUT_S = 2.0

Check = Callable[[], Awaitable[str | None]]
"""Answers None when all is well, else what is wrong, in words fit for an operator."""


class Progress(Protocol):
    """What health and metrics read of a background task; `messaging.Progress` is one.

    `lag` counts messages or rows that are pending; `moved_s` is on the monotonic clock.
    """

    name: str
    ready: bool
    handled: int
    dead: int
    dropped: int
    paused: int
    retries: int
    lag: int
    moved_s: float | None

    def stalled(self, *, now_s: float) -> bool:
        """Whether work has been pending too long without any progress."""


@dataclass(frozen=True, slots=True)
class Report:
    """Each check's name and its finding; `ok` when none found anything wrong."""

    ok: bool
    checks: dict[str, str]


@dataclass(frozen=True, slots=True)
class Health:
    """The checks and background tasks of one process."""

    clock_s: Callable[[], float] = time.monotonic
    checks: Mapping[str, Check] = field(default_factory=dict)
    tasks: Sequence[Progress] = ()

    def stalled(self) -> list[str]:
        """The names of the tasks that have work pending and move nothing."""
        now_s = self.clock_s()
        return [task.name for task in self.tasks if task.stalled(now_s=now_s)]

    def live(self) -> Report:
        """Whether this process should continue to run."""
        stalled = self.stalled()
        return Report(not stalled, dict.fromkeys(stalled, "stalled"))

    async def ready(self) -> Report:
        """Whether this process can do its work now: checks answer, tasks run, none stalls."""
        faults = dict(zip(self.checks, await self._run_checks(), strict=True))
        faults |= {task.name: None if task.ready else "not started" for task in self.tasks}
        faults |= dict.fromkeys(self.stalled(), "stalled")
        checks = {name: fault or "ok" for name, fault in faults.items()}
        return Report(not any(faults.values()), checks)

    async def _run_checks(self) -> list[str | None]:
        return await asyncio.gather(*(_within_time(check) for check in self.checks.values()))


async def _within_time(check: Check) -> str | None:
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S):
            return await check()
    except TimeoutError:
        return f"no answer within {CHECK_TIMEOUT_S:g} s"
