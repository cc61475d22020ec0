"""The background work of a process: consumers, the relay, a service's loops, and their watch.

Owns which of them each mode runs, the watchdog, and the figures that need a query.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Literal

import structlog
from sqlalchemy import text

from gridtally.database import ALL_TENANTS, Database, snapshot
from gridtally.http.adoption_gate import AdoptionGate
from gridtally.kernel.errors import Transient
from gridtally.messaging import (
    Adopter,
    Consumer,
    Progress,
    Subscription,
    check_identity,
    ensure_topics,
    run_relay,
)
from gridtally.messaging.dead_letters import LetterQuota
from gridtally.messaging.retries import Stopped, pause, retry_transient
from gridtally.observability.health import Health
from gridtally.service.service import Loop, Parts, Process
from gridtally.service.settings import ServiceSettings

Mode = Literal["serve", "api", "work", "relay"]
WATCH_EVERY_S = 1.0
OUTBOX_EVERY_S = 5.0
OUTBOX_COUNTED_MAX = 100_000

log = structlog.get_logger(__name__)


class Stalled(Exception):
    """Tasks have had work pending for too long and got nothing done."""


@dataclass(frozen=True, slots=True)
class Job:
    """One task to be, with the progress that it will write."""

    progress: Progress
    run: Callable[[], Coroutine[Any, Any, None]]


def jobs_of(mode: Mode, parts: Parts, process: Process[ServiceSettings]) -> list[Job]:
    """The work of a mode: `serve` has all, alone; `work` shares the partitions with others."""
    jobs: list[Job] = []
    if mode in ("serve", "work"):
        grouped = mode == "work"
        jobs.extend(
            _consumer(subscription, process, grouped=grouped)
            for subscription in parts.subscriptions
        )
        jobs.extend(_loop(loop, process) for loop in parts.loops)
    if mode in ("serve", "relay"):
        jobs.append(_relay(process))
    return jobs


def api_jobs_of(mode: Mode, parts: Parts, process: Process[ServiceSettings]) -> list[Job]:
    """The work of processes that answer requests."""
    return [_loop(loop, process) for loop in parts.api_loops if mode in ("serve", "api")]


def _consumer(
    subscription: Subscription, process: Process[ServiceSettings], *, grouped: bool
) -> Job:
    progress = Progress(
        f"{process.service}.{subscription.event.TOPIC}", heartbeat=subscription.heartbeat
    )
    consumer = Consumer(
        process.database,
        process.settings.kafka_bootstrap_servers,
        process.service,
        subscription,
        progress=progress,
        stop=process.stop,
        assignment="group" if grouped else "all",
        quota=LetterQuota(
            process.settings.dead_letters_max, process.settings.dead_letter_bytes_max
        ),
        access=process.settings.broker_access,
    )
    return Job(progress, consumer.run)


def _relay(process: Process[ServiceSettings]) -> Job:
    progress = Progress("relay")
    return Job(
        progress, lambda: run_relay(process.database, process.publisher, progress, process.stop)
    )


def _loop(loop: Loop, process: Process[ServiceSettings]) -> Job:
    progress = Progress(loop.name)

    async def run() -> None:
        progress.ready = True
        await loop.run(progress, process.stop)

    return Job(progress, run)


async def prepare_broker(process: Process[ServiceSettings]) -> bool:
    """Create missing topics and check that the log is the one we know; False when stopped first."""

    bootstrap, access = process.settings.kafka_bootstrap_servers, process.settings.broker_access

    async def prepare() -> None:
        await ensure_topics(bootstrap, replicas=process.settings.kafka_replicas, access=access)
        await check_identity(process.database, bootstrap, access)

    try:
        await retry_transient("broker", prepare, stop=process.stop)
    except Stopped:
        return False
    return True


async def adopt(process: Process[ServiceSettings], parts: Parts, gate: AdoptionGate) -> bool:
    """Take over what the service has published and its database does not know, and open the gate
    once nobody needs to wait for that; False when stopped first."""
    settings = process.settings

    async def locker() -> Database:
        return await Database.connect(
            settings.database_url.get_secret_value(),
            application=process.service,
            pool_connections_max=1,
        )

    adopter = Adopter(
        process.database,
        settings.kafka_bootstrap_servers,
        process.service,
        parts.adoptions,
        locker,
        access=settings.broker_access,
    )
    try:
        if parts.adoptions:
            await retry_transient(
                "adopt", adopter.run, stop=process.stop, on_retry=lambda _: gate.open()
            )
    except Stopped:
        return False
    finally:
        gate.open()
    return True


async def watch(health: Health, stop: asyncio.Event) -> None:
    """Return once `stop` is set; raise Stalled as soon as a task is."""
    while not stop.is_set():
        if stalled := health.stalled():
            raise Stalled(", ".join(stalled))
        await pause(stop, WATCH_EVERY_S)


# The pending rows, counted no further than `most`: a long count would cost more than it tells.
_COUNT = text("SELECT count(*) FROM (SELECT FROM outbox LIMIT :most) AS pending")


@dataclass(slots=True)
class Outbox:
    """How many rows are pending in the outbox, up to `OUTBOX_COUNTED_MAX`."""

    rows: int = 0

    async def count(self, process: Process[ServiceSettings]) -> None:
        """Count every `OUTBOX_EVERY_S` until the process is asked to stop."""
        while not process.stop.is_set():
            try:
                async with snapshot(process.database, tenant=ALL_TENANTS) as read:
                    self.rows = int(await read.scalar(_COUNT, {"most": OUTBOX_COUNTED_MAX}))
            except Transient as failure:
                log.warning("outbox not counted", reason=str(failure))
            await pause(process.stop, OUTBOX_EVERY_S)
