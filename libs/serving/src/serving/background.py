"""The background work of a process: consumers, the relay, a service's loops, and their watch.

Owns which of them each word runs, the watchdog, and the figures that only a query can tell.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Literal

import structlog
from sqlalchemy import text

from database import ALL_TENANTS, Database, snapshot
from kernel.errors import Transient
from messaging import (
    Consumer,
    Progress,
    Publisher,
    Subscription,
    check_identity,
    ensure_topics,
    run_relay,
)
from messaging.retries import Stopped, pause, persist
from observability.health import Health
from serving.service import Loop, Parts
from serving.settings import ServiceSettings

Word = Literal["serve", "api", "work", "relay"]
WATCH_EVERY_S = 1.0
OUTBOX_EVERY_S = 5.0
OUTBOX_COUNTED_MAX = 100_000
_COUNT = text("SELECT count(*) FROM (SELECT FROM outbox LIMIT :most) AS waiting")

log = structlog.get_logger(__name__)


class Stalled(Exception):
    """Tasks have had work waiting for too long and got nothing done."""


@dataclass(frozen=True, slots=True)
class Process:
    """What all tasks of one process share."""

    service: str
    settings: ServiceSettings
    database: Database
    publisher: Publisher
    stop: asyncio.Event


@dataclass(frozen=True, slots=True)
class Job:
    """One task to be, with the progress that it will write."""

    progress: Progress
    run: Callable[[], Coroutine[Any, Any, None]]


def jobs_of(word: Word, parts: Parts, process: Process) -> list[Job]:
    """The work of a word: `serve` has all, alone; `work` shares the partitions with others."""
    jobs: list[Job] = []
    if word in ("serve", "work"):
        grouped = word == "work"
        jobs.extend(_consumer(one, process, grouped=grouped) for one in parts.subscriptions)
        jobs.extend(_loop(loop, process) for loop in parts.loops)
    if word in ("serve", "relay"):
        jobs.append(_relay(process))
    return jobs


def _consumer(subscription: Subscription, process: Process, *, grouped: bool) -> Job:
    progress = Progress(f"{process.service}.{subscription.event.TOPIC}")
    consumer = Consumer(
        process.database,
        process.settings.kafka_bootstrap_servers,
        process.service,
        subscription,
        progress=progress,
        stop=process.stop,
        assignment="group" if grouped else "all",
    )
    return Job(progress, consumer.run)


def _relay(process: Process) -> Job:
    progress = Progress("relay")
    return Job(
        progress, lambda: run_relay(process.database, process.publisher, progress, process.stop)
    )


def _loop(loop: Loop, process: Process) -> Job:
    progress = Progress(loop.name)

    async def run() -> None:
        progress.ready = True
        await loop.run(progress, process.stop)

    return Job(progress, run)


async def prepare_broker(process: Process) -> bool:
    """See that the topics are there and the log is the one we know; False when stopped first."""

    bootstrap = process.settings.kafka_bootstrap_servers

    async def prepare() -> None:
        await ensure_topics(bootstrap, replicas=process.settings.kafka_replicas)
        await check_identity(process.database, bootstrap)

    try:
        await persist("broker", prepare, stop=process.stop)
    except Stopped:
        return False
    return True


async def watch(health: Health, stop: asyncio.Event) -> None:
    """Stalled as soon as a task is."""
    while not stop.is_set():
        if stalled := health.stalled():
            raise Stalled(", ".join(stalled))
        await pause(stop, WATCH_EVERY_S)


@dataclass(slots=True)
class Outbox:
    """How many rows wait in the outbox, up to `OUTBOX_COUNTED_MAX`; counted now and then."""

    rows: int = 0

    async def count(self, process: Process) -> None:
        """Count until told to stop."""
        while not process.stop.is_set():
            try:
                async with snapshot(process.database, tenant=ALL_TENANTS) as read:
                    self.rows = int(await read.scalar(_COUNT, {"most": OUTBOX_COUNTED_MAX}))
            except Transient as failure:
                log.warning("outbox not counted", reason=str(failure))
            await pause(process.stop, OUTBOX_EVERY_S)
