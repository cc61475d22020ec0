"""The life of a process: how it starts, reports that it is ready, and ends.

Owns start-up (socket, database, schema, broker), readiness and the two ends: by a signal, with
everything at hand finished, or by a crash. Refuses to know what the tasks do.
"""

import asyncio
import os
import signal
import socket
import threading
from collections.abc import Awaitable, Sequence
from contextlib import AsyncExitStack
from typing import TypeVar

import structlog
from sqlalchemy import text
from sqlalchemy.pool import QueuePool

from gridtally.database import ALL_TENANTS, AccessRefused, Database, snapshot
from gridtally.database.migrations import pending
from gridtally.http.adoption_gate import AdoptionGate
from gridtally.http.api import build_app, build_operations_app
from gridtally.http.context import utc_now
from gridtally.kernel.errors import Transient
from gridtally.messaging import BrokerMismatch, Publisher
from gridtally.messaging.retries import Stopped, pause, retry_transient
from gridtally.observability.health import Check, Health
from gridtally.observability.metrics import Metrics
from gridtally.service.background import (
    Job,
    Mode,
    Outbox,
    adopt,
    api_jobs_of,
    jobs_of,
    prepare_broker,
    watch,
)
from gridtally.service.server import Server, listen
from gridtally.service.service import Parts, Process, Service
from gridtally.service.settings import ServiceSettings
from gridtally.service.tasks import Tasks

CONNECT_LIMIT_S = 60.0
READY_EVERY_S = 0.2
HTTP_SHARE_OF_STOP = 0.5
"""Of the time there is to stop: after that requests at hand are cut."""
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)

S = TypeVar("S", bound=ServiceSettings)
log = structlog.get_logger(__name__)


class CannotStart(Exception):
    """The process must not run as things are; the message is for an operator."""


async def run(service: Service[S], settings: S, mode: Mode) -> bool:
    """Run until a signal or a crash; True when everything ended as it should.

    CannotStart when the address is taken, the database stays away or refuses us, or its schema is
    behind.
    """
    stop = asyncio.Event()
    _handle_signals(stop)
    async with AsyncExitStack() as resources:
        sockets = [resources.enter_context(_listen(settings, settings.http_port))]
        if settings.health_port is not None:
            sockets.append(resources.enter_context(_listen(settings, settings.health_port)))
        database = await _connect(service, settings, stop)
        if database is None:
            return True
        await resources.enter_async_context(database)
        publisher = await resources.enter_async_context(
            Publisher(
                settings.kafka_bootstrap_servers,
                client_id=service.name,
                idempotent=settings.kafka_idempotence,
                access=settings.broker_access,
            )
        )
        process = Process(service.name, settings, database, publisher, utc_now, stop)
        tasks = _start(service, mode, process, sockets)
        await stop.wait()
        _end_within(settings.shutdown_timeout_s)
        log.info("stopping")
        await tasks.join()
    log.info("stopped")
    return not tasks.crashed


def _start(
    service: Service[S], mode: Mode, process: Process[S], sockets: Sequence[socket.socket]
) -> Tasks:
    """Start every task of this mode. The second socket, if there is one, is for health."""
    settings = process.settings
    parts = service.build(process)
    jobs = jobs_of(mode, parts, process)
    api_jobs = api_jobs_of(mode, parts, process)
    progress = [job.progress for job in (*jobs, *api_jobs)]
    outbox = Outbox()
    health = Health(
        checks={"process": _not_stopping(process.stop), "database": _answers(process.database)},
        tasks=progress,
    )
    metrics = Metrics(service.name)
    metrics.watch(progress)
    metrics.disks(settings.disks_watched.split(":"))
    metrics.gauge("outbox_rows", "Rows that are pending in the outbox", lambda: outbox.rows)
    metrics.gauge(
        "database_connections_in_use",
        "Connections of the pool that are in use",
        lambda: _in_use(process.database),
    )
    gate = AdoptionGate(process.database, parts.open_paths)
    app = build_app(
        title=f"Gridtally {service.name}",
        version=service.version,
        routers=parts.routers if mode in ("serve", "api") else (),
        database=process.database,
        health=health,
        metrics=metrics,
        settings=settings,
        clock=process.clock,
        state=parts.state,
        description=parts.api,
        has_operations=len(sockets) == 1,
        adoption_gate=gate if parts.adoptions else None,
    )
    apps = {"http": app, "health": build_operations_app(health=health, metrics=metrics)}
    grace_s = settings.shutdown_timeout_s * HTTP_SHARE_OF_STOP
    tasks = Tasks(process.stop)
    certificates = {"http": settings.certificate}
    for (name, served), listening in zip(apps.items(), sockets, strict=False):
        server = Server(
            served, stop=process.stop, grace_s=grace_s, certificate=certificates.get(name)
        )
        tasks.start(name, server.serve([listening]))
    tasks.start("watchdog", watch(health, process.stop))
    tasks.start("outbox", outbox.count(process))
    tasks.start("readiness", _report_ready(mode, health, sockets, process.stop), may_end=True)
    for job in api_jobs:
        tasks.start(job.progress.name, job.run())
    if jobs:
        tasks.start("broker", _start_jobs(tasks, jobs, parts, gate, process), may_end=True)
    elif parts.adoptions:
        tasks.start("adoption", _adopt_for_readers(parts, gate, process), may_end=True)
    return tasks


async def _start_jobs(
    tasks: Tasks, jobs: list[Job], parts: Parts, gate: AdoptionGate, process: Process[S]
) -> None:
    if await prepare_broker(process) and await adopt(process, parts, gate):
        for job in jobs:
            tasks.start(job.progress.name, job.run())


async def _adopt_for_readers(parts: Parts, gate: AdoptionGate, process: Process[S]) -> None:
    """Adopt in a process that only answers requests, and needs no broker for that."""
    try:
        await adopt(process, parts, gate)
    except BrokerMismatch as mismatch:
        log.warning("not adopted", reason=str(mismatch))


async def _report_ready(
    mode: Mode, health: Health, sockets: Sequence[socket.socket], stop: asyncio.Event
) -> None:
    """Log once that the process is ready, and where it listens."""
    while not (await health.ready()).ok:
        await pause(stop, READY_EVERY_S)
        if stop.is_set():
            return
    host, port = sockets[0].getsockname()[:2]
    health_port = sockets[-1].getsockname()[1]
    log.info("ready", mode=mode, host=host, port=port, health_port=health_port)


def _listen(settings: ServiceSettings, port: int) -> socket.socket:
    try:
        return listen(settings.http_host, port)
    except OSError as failure:
        where = f"{settings.http_host}:{port}"
        raise CannotStart(f"cannot listen on {where}: {failure.strerror}") from failure


async def _connect(service: Service[S], settings: S, stop: asyncio.Event) -> Database | None:
    """The database, once it answers and has its newest schema; None when stopped meanwhile."""

    def connect() -> Awaitable[Database]:
        return Database.connect(
            settings.database_url.get_secret_value(),
            application=service.name,
            pool_connections_max=settings.pool_connections_max,
        )

    try:
        async with asyncio.timeout(CONNECT_LIMIT_S):
            database = await retry_transient("connect", connect, stop=stop)
    except Stopped:
        return None
    except AccessRefused as refused:
        raise CannotStart(str(refused)) from refused
    except TimeoutError:
        raise CannotStart("the database does not answer; see DATABASE_URL") from None
    async with snapshot(database, tenant=ALL_TENANTS) as read:
        newest = await pending(read, package=service.package)
    if newest is not None:
        await database.aclose()
        raise CannotStart(
            f"the schema is not at {newest}: run `python -m {service.package} migrate` first"
        )
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


def _in_use(database: Database) -> int:
    pool = database.engine.pool
    return pool.checkedout() if isinstance(pool, QueuePool) else 0


def _handle_signals(stop: asyncio.Event) -> None:
    """The first signal asks everything to stop, the second ends the process at once."""

    def handle(number: int) -> None:
        if stop.is_set():
            os._exit(128 + number)
        log.info("signal", signal=signal.Signals(number).name)
        stop.set()

    for number in STOP_SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, handle, number)


def _end_within(timeout_s: float) -> None:
    """End the process for good by then, even one whose event loop is stuck."""

    def give_up() -> None:
        log.critical("not stopped in time", timeout_s=timeout_s)
        os._exit(1)

    timer = threading.Timer(timeout_s, give_up)
    timer.daemon = True
    timer.start()
