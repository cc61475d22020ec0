"""Owns a whole local Gridtally in one data directory: servers, databases, services.

The process that brought it up holds the directory's lock and takes all down when it ends. Others
look at the state file; a pid in it counts only together with the time its process started.
"""

import asyncio
import hashlib
import os
import secrets
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import psutil

from gridtally.cli.installation import SERVICES
from gridtally.cli.stack_state import OPERATOR_TOKEN, STATE, RunningProcess, StackState, read_state
from gridtally.local_stack import process
from gridtally.local_stack.cache import Report, silent
from gridtally.local_stack.console import CONSOLE, console
from gridtally.local_stack.errors import StackError
from gridtally.local_stack.fork_server import FORKS_ARE_SAFE, forking
from gridtally.local_stack.postgres import write_secret
from gridtally.local_stack.provision import provision
from gridtally.local_stack.server import Server
from gridtally.local_stack.servers import Kind, Servers, database_urls, servers
from gridtally.local_stack.services import NOT_FOR_SERVICES, Service, services, url

WATCH_EVERY_S = 0.5
POLL_S = 0.05
DOWN_LIMIT_S = 90.0
LEFTOVER_LIMIT_S = 20.0
CALLS = {"simulation": ("ingest", "tariff")}
"""Which services call which others."""
STEADY_S = 60.0
"""A service that has run for so long and ends is started again at once."""
PAUSE_S = 1.0
PAUSE_S_MAX = 60.0
"""One that ends sooner is started again after a pause, which doubles."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to bring the stack up. Ports are None for free ones; `http_port` is the first of them."""

    data_dir: Path
    kind: Kind = "auto"
    kafka_port: int | None = None
    postgres_port: int | None = None
    http_port: int | None = None
    log_level: str = "INFO"
    cache: Path | None = None
    is_forked: bool = FORKS_ARE_SAFE
    """Fork the services from one process, or start each by itself, as a deployment does."""


@dataclass(frozen=True, slots=True)
class Stack:
    """A running Gridtally. `operator_token` is a secret."""

    servers: Servers
    services: Mapping[str, Server]
    console: Server
    operator_token: str = field(repr=False)

    @property
    def urls(self) -> dict[str, str]:
        """Where each service answers."""
        return {name: url(server.port) for name, server in self.services.items()}

    @property
    def started(self) -> dict[str, Server]:
        """Every process of ours, by name."""
        ours = {"kafka": self.servers.broker, "postgres": self.servers.database}
        servers = {name: server for name, server in ours.items() if server}
        return {**servers, **self.services, CONSOLE: self.console}


@contextmanager
def stack(
    options: Options, environment: Mapping[str, str], report: Report = silent
) -> Iterator[Stack]:
    """A whole Gridtally for the length of the block, ready to be used; all of it ends after it.

    `report` gets a line for people at every step. Raises StackError when it is up already, or
    when a part does not come up.
    """
    data_dir = options.data_dir.absolute()
    _make_private(data_dir)
    taken = f"gridtally is already up in {data_dir}; see `gridtally status`"
    with process.locked(data_dir / "up.lock", wait=False, taken=taken):
        _end_last_run(data_dir)
        StackState(_owner(), ready=False).write(data_dir)
        try:
            with _started(options, data_dir, environment, report) as running:
                _write_ready(data_dir, running)
                yield running
        finally:
            (data_dir / STATE).unlink(missing_ok=True)


def keep_running(running: Stack, data_dir: Path, report: Report) -> NoReturn:
    """Watch until a signal ends `until_stopped`.

    A service that ends on its own is started again, since its watchdog ends it when the broker is
    away; one that does so over and over waits longer each time, and the others run on. StackError
    when a server ends, without which nothing works.
    """
    report("ready; Ctrl-C takes everything down")
    restarts = {name: _Restarts(time.monotonic()) for name in (*running.services, CONSOLE)}
    try:
        while True:
            time.sleep(WATCH_EVERY_S)
            for name, server in running.started.items():
                if server.pid is not None:
                    if name in restarts:
                        restarts[name].forget(now_s=time.monotonic())
                    continue
                if name not in restarts:
                    said = process.last_lines(server.log)
                    raise StackError(f"{name} ended unexpectedly; its log ends:\n{said}")
                if restarts[name].start_again(name, server, report, now_s=time.monotonic()):
                    _write_ready(data_dir, running)
    finally:
        report("taking everything down")


@dataclass(slots=True)
class _Restarts:
    """When a service that has ended is started again; moments are monotonic seconds."""

    started_s: float
    pause_s: float = 0.0
    due_s: float | None = None

    def start_again(self, name: str, server: Server, report: Report, *, now_s: float) -> bool:
        """Start it when it is due, and return whether it was.

        The first call after an end reports it: with what the log says last, if it came soon after
        the last one.
        """
        if self.due_s is None:
            self.due_s = now_s + self.pause_s
            message = f"{name} ended unexpectedly and is started again"
            if self.pause_s:
                said = process.last_lines(server.log)
                report(f"{message} in {self.pause_s:.0f} s; {server.log} ends:\n{said}")
            else:
                report(f"{message}; its log is {server.log}")
        if now_s < self.due_s:
            return False
        self.due_s, self.started_s = None, now_s
        self.pause_s = min(PAUSE_S_MAX, max(PAUSE_S, 2 * self.pause_s))
        server.launch()
        return True

    def forget(self, *, now_s: float) -> None:
        """Pause no more for one that has run for a while."""
        if now_s - self.started_s >= STEADY_S:
            self.pause_s = 0.0


def down(data_dir: Path) -> bool:
    """End the stack of another shell, and what a crash of it left. False when nothing ran."""
    state = read_state(data_dir)
    if state is None:
        return False
    if owner := state.owner.find():
        owner.terminate()
        deadline_s = time.monotonic() + DOWN_LIMIT_S
        while state.owner.find():
            if time.monotonic() > deadline_s:
                raise StackError(f"process {owner.pid} did not end in {DOWN_LIMIT_S:.0f} s")
            time.sleep(POLL_S)
        return True
    were_running = any(running.find() for running in state.processes)
    _end_last_run(data_dir)
    (data_dir / STATE).unlink(missing_ok=True)
    return were_running


@contextmanager
def _started(
    options: Options, data_dir: Path, environment: Mapping[str, str], report: Report
) -> Iterator[Stack]:
    ports = (options.kafka_port, options.postgres_port)
    logs = data_dir / "services"
    logs.mkdir(mode=0o700, exist_ok=True)
    report("starting the broker and PostgreSQL")
    with (
        _spawning(options, logs) as spawn,
        servers(
            data_dir,
            options.kind,
            environment=environment,
            cache=options.cache,
            ports=ports,
            report=report,
        ) as given,
    ):
        for line in given.descriptions:
            report(line)
        urls = database_urls(environment) or asyncio.run(
            provision(given.admin_url, SERVICES, given.directory / "passwords.json")
        )
        token = _operator_token(data_dir)
        service_token = secrets.token_urlsafe(32)
        shared = {key: value for key, value in environment.items() if key != NOT_FOR_SERVICES} | {
            "KAFKA_BOOTSTRAP_SERVERS": given.bootstrap,
            "OPERATOR_TOKEN_SHA256": hashlib.sha256(token.encode()).hexdigest(),
            "SERVICE_TOKEN": service_token,
            "SERVICE_TOKEN_SHA256": hashlib.sha256(service_token.encode()).hexdigest(),
            "WEBHOOK_SECRET_KEY": hashlib.sha256(f"webhooks {token}".encode()).hexdigest(),
            "WEBHOOK_NETWORKS_ALLOWED": "127.0.0.0/8",
            "DISKS_WATCHED": str(data_dir),
            "LOG_LEVEL": options.log_level,
            "KAFKA_IDEMPOTENCE": str(given.idempotence).lower(),
        }
        programs = {
            name: Service(
                name,
                shared | {"DATABASE_URL": urls[name]},
                CALLS.get(name, ()),
                is_forked=options.is_forked,
            )
            for name in SERVICES
        }
        report("migrating and starting the services")
        first_port = options.http_port
        with (
            services(programs, logs, spawn=spawn, first_port=first_port, report=report) as running,
            console(
                {name: url(server.port) for name, server in running.items()},
                data_dir,
                shared,
                port=first_port and first_port + len(running),
                is_forked=options.is_forked,
                spawn=spawn,
            ) as pages,
        ):
            yield Stack(given, running, pages, token)


@contextmanager
def _spawning(options: Options, logs: Path) -> Iterator[process.Spawn]:
    if not options.is_forked:
        yield process.spawn
        return
    with forking([f"gridtally.{name}.app" for name in (*SERVICES, CONSOLE)], logs) as spawn:
        yield spawn


def _owner() -> RunningProcess:
    return RunningProcess.of("gridtally", os.getpid(), "")


def _write_ready(data_dir: Path, running: Stack) -> None:
    """Tell others what runs; the processes are those of this moment."""
    StackState(
        _owner(),
        ready=True,
        processes=tuple(_listed(running)),
        descriptions=running.servers.descriptions,
    ).write(data_dir)


def _listed(running: Stack) -> Iterator[RunningProcess]:
    for name, server in running.started.items():
        speaks_http = name == CONSOLE or name in running.services
        address = url(server.port) if speaks_http else f"{process.LOOPBACK}:{server.port}"
        if server.pid:
            yield RunningProcess.of(name, server.pid, address)


def _end_last_run(data_dir: Path) -> None:
    """End what an `up` that was killed has left running. The caller holds the lock, or saw
    that the owner is gone."""
    state = read_state(data_dir)
    left = [found for known in state.processes if (found := known.find())] if state else []
    for process_left in left:
        with suppress(psutil.NoSuchProcess):
            is_database = process_left.name() == "postgres"
            process_left.send_signal(signal.SIGINT if is_database else signal.SIGTERM)
    _, alive = psutil.wait_procs(left, timeout=LEFTOVER_LIMIT_S)
    for process_left in alive:
        with suppress(psutil.NoSuchProcess):
            process_left.kill()


def _make_private(data_dir: Path) -> None:
    """Closed to others; as root they may pass, since PostgreSQL must run as somebody else."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        data_dir.chmod(0o711 if os.geteuid() == 0 else 0o700)
    except OSError as error:
        raise StackError(f"{data_dir} cannot be the data directory: {error.strerror}") from error


def _operator_token(data_dir: Path) -> str:
    token_file = data_dir / OPERATOR_TOKEN
    if not token_file.exists():
        write_secret(token_file, secrets.token_urlsafe(32))
    return token_file.read_text()


class _Stopped(KeyboardInterrupt):
    """A signal asked us to end; of this kind, since task groups wrap all others."""


@contextmanager
def until_stopped() -> Iterator[None]:
    """SIGINT, SIGTERM or SIGHUP ends the block, quietly; later ones do not disturb the end."""
    watched = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def end(number: int, frame: object) -> NoReturn:
        del number, frame
        for watched_signal in watched:
            signal.signal(watched_signal, signal.SIG_IGN)
        raise _Stopped

    before = {number: signal.signal(number, end) for number in watched}
    try:
        with suppress(_Stopped):
            yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
