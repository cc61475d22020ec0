"""Running a service: how a process starts, tells that it is ready, and ends.

Owns start-up (socket, database, schema, broker), readiness and the two ends: asked to by a signal,
with everything at hand finished, or by a crash. Refuses to know what the tasks do.
"""

import asyncio
import os
import signal
import socket
import threading
from collections.abc import Awaitable
from contextlib import AsyncExitStack
from typing import TypeVar

import structlog
from sqlalchemy import text
from sqlalchemy.pool import QueuePool

from database import ALL_TENANTS, AccessRefused, Database, snapshot
from database.migrations import pending
from kernel.errors import Transient
from messaging import Publisher
from messaging.retries import Stopped, pause, persist
from observability.health import Check, Health
from observability.metrics import Metrics
from serving.api import build_app
from serving.background import Job, Outbox, Process, Word, jobs_of, prepare_broker, watch
from serving.http import Server, listen
from serving.service import Service
from serving.settings import ServiceSettings
from serving.tasks import Tasks

CONNECT_LIMIT_S = 60.0
READY_EVERY_S = 0.2
HTTP_SHARE_OF_STOP = 0.5
"""Of the time there is to stop, requests at hand may take so much before they are cut."""
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)

S = TypeVar("S", bound=ServiceSettings)
log = structlog.get_logger(__name__)


class CannotStart(Exception):
    """The process must not run as things are; the message tells an operator why."""


async def run(service: Service[S], settings: S, word: Word) -> bool:
    """Run until a signal or a crash; True when everything ended as it should.

    CannotStart when the address is taken, the database stays away or refuses us, or its schema is
    behind.
    """
    stop = asyncio.Event()
    _heed_signals(stop)
    async with AsyncExitStack() as resources:
        listening = resources.enter_context(_listen(settings))
        database = await _connect(service.name, settings, stop)
        if database is None:
            return True
        await resources.enter_async_context(database)
        publisher = await resources.enter_async_context(
            Publisher(
                settings.kafka_bootstrap_servers,
                client_id=service.name,
                idempotent=settings.kafka_idempotence,
            )
        )
        process = Process(service.name, settings, database, publisher, stop)
        tasks = _start(service, settings, word, process, listening)
        await stop.wait()
        _end_within(settings.shutdown_timeout_s)
        log.info("stopping")
        await tasks.join()
    log.info("stopped")
    return not tasks.crashed


def _start(
    service: Service[S], settings: S, word: Word, process: Process, listening: socket.socket
) -> Tasks:
    """Start every task of this word."""
    parts = service.build(settings, process.database, process.publisher)
    jobs = jobs_of(word, parts, process)
    progress = [job.progress for job in jobs]
    outbox = Outbox()
    health = Health(
        checks={"process": _not_stopping(process.stop), "database": _answers(process.database)},
        tasks=progress,
    )
    metrics = Metrics(service.name)
    metrics.watch(progress)
    metrics.gauge("outbox_rows", "Rows that wait in the outbox", lambda: outbox.rows)
    metrics.gauge(
        "database_connections_in_use", "Connections taken", lambda: _taken(process.database)
    )
    app = build_app(
        title=f"Gridtally {service.name}",
        version=service.version,
        routers=parts.routers if word in ("serve", "api") else (),
        database=process.database,
        health=health,
        metrics=metrics,
        settings=settings,
    )
    grace_s = settings.shutdown_timeout_s * HTTP_SHARE_OF_STOP
    server = Server(app, stop=process.stop, grace_s=grace_s)
    tasks = Tasks(process.stop)
    tasks.start("http", server.serve([listening]))
    tasks.start("watchdog", watch(health, process.stop))
    tasks.start("outbox", outbox.count(process))
    tasks.start("announce", _announce(word, health, listening, process.stop), may_end=True)
    if jobs:
        tasks.start("broker", _start_jobs(tasks, jobs, process), may_end=True)
    return tasks


async def _start_jobs(tasks: Tasks, jobs: list[Job], process: Process) -> None:
    if await prepare_broker(process):
        for job in jobs:
            tasks.start(job.progress.name, job.run())


async def _announce(
    word: Word, health: Health, listening: socket.socket, stop: asyncio.Event
) -> None:
    """Say once that the process is ready, and where."""
    while not (await health.ready()).ok:
        await pause(stop, READY_EVERY_S)
        if stop.is_set():
            return
    host, port = listening.getsockname()[:2]
    log.info("ready", word=word, host=host, port=port)


def _listen(settings: ServiceSettings) -> socket.socket:
    try:
        return listen(settings.http_host, settings.http_port)
    except OSError as failure:
        where = f"{settings.http_host}:{settings.http_port}"
        raise CannotStart(f"cannot listen on {where}: {failure.strerror}") from failure


async def _connect(name: str, settings: ServiceSettings, stop: asyncio.Event) -> Database | None:
    """The database, once it answers and has its newest schema; None when stopped meanwhile."""

    def connect() -> Awaitable[Database]:
        return Database.connect(
            settings.database_url.get_secret_value(),
            application=name,
            pool_connections_max=settings.pool_connections_max,
        )

    try:
        async with asyncio.timeout(CONNECT_LIMIT_S):
            database = await persist("connect", connect, stop=stop)
    except Stopped:
        return None
    except AccessRefused as refused:
        raise CannotStart(str(refused)) from refused
    except TimeoutError:
        raise CannotStart("the database does not answer; see DATABASE_URL") from None
    async with snapshot(database, tenant=ALL_TENANTS) as read:
        newest = await pending(read, package=name)
    if newest is not None:
        await database.aclose()
        raise CannotStart(f"the schema is not at {newest}: run `python -m {name} migrate` first")
    return database


def _answers(database: Database) -> Check:
    async def check() -> str | None:
        try:
            async with snapshot(database, tenant=ALL_TENANTS) as read:
                await read.scalar(text("SELECT 1"))
        except Transient:
            return "does not answer"
        return None

    return check


def _not_stopping(stop: asyncio.Event) -> Check:
    async def check() -> str | None:
        return "stopping" if stop.is_set() else None

    return check


def _taken(database: Database) -> int:
    pool = database.engine.pool
    return pool.checkedout() if isinstance(pool, QueuePool) else 0


def _heed_signals(stop: asyncio.Event) -> None:
    """The first signal asks everything to stop, the second ends the process at once."""

    def heed(number: int) -> None:
        if stop.is_set():
            os._exit(128 + number)
        log.info("signal", signal=signal.Signals(number).name)
        stop.set()

    for number in STOP_SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, heed, number)


def _end_within(timeout_s: float) -> None:
    """End the process for good by then, even one whose event loop is stuck."""

    def give_up() -> None:
        log.critical("not stopped in time", timeout_s=timeout_s)
        os._exit(1)

    timer = threading.Timer(timeout_s, give_up)
    timer.daemon = True
    timer.start()
