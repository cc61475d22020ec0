"""Owns a whole local Gridtally in one data directory: servers, databases, services.

The process that brought it up holds the directory's lock and takes all down when it ends. Others
look at the state file; a pid in it counts only together with the time its process started.
"""

import asyncio
import hashlib
import json
import os
import secrets
import signal
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NoReturn, Self

import psutil

from gridtally.stack import process
from gridtally.stack.cache import Report, in_silence
from gridtally.stack.errors import StackError
from gridtally.stack.postgres import write_secret
from gridtally.stack.provision import provision
from gridtally.stack.server import Server
from gridtally.stack.servers import Kind, Servers, database_urls, servers
from gridtally.stack.services import NOT_FOR_SERVICES, SERVICES, Service, services, url

STATE = "state.json"
OPERATOR_TOKEN = "operator-token"  # noqa: S105 - the name of a file
WATCH_EVERY_S = 0.5
POLL_S = 0.05
CLOCK_STEP_MAX_S = 2.0  # start times are told by a clock that may be put right
DOWN_LIMIT_S = 90.0
LEFTOVER_LIMIT_S = 20.0
RESTARTS_MAX = 3
RESTARTS_WITHIN_S = 60.0
"""A service that ends more often than that has a defect, and waiting mends nothing."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to bring the stack up. Ports are None for free ones; `http_port` is the first of four."""

    data_dir: Path
    kind: Kind = "auto"
    kafka_port: int | None = None
    postgres_port: int | None = None
    http_port: int | None = None
    log_level: str = "INFO"
    cache: Path | None = None


@dataclass(frozen=True, slots=True)
class Stack:
    """A running Gridtally. `operator_token` is a secret."""

    servers: Servers
    services: Mapping[str, Server]
    operator_token: str = field(repr=False)

    @property
    def urls(self) -> dict[str, str]:
        """Where each service answers."""
        return {name: url(server.port) for name, server in self.services.items()}

    @property
    def started(self) -> dict[str, Server]:
        """Every process of ours, by name."""
        ours = {"kafka": self.servers.broker, "postgres": self.servers.database}
        return {name: server for name, server in ours.items() if server} | dict(self.services)


@dataclass(frozen=True, slots=True)
class Running:
    """A process as the state file names it: a pid alone could be another's by now."""

    name: str
    pid: int
    started_at_s: float
    address: str

    @classmethod
    def of(cls, name: str, pid: int, address: str) -> Self:
        """The process with this pid, which is running now."""
        return cls(name, pid, psutil.Process(pid).create_time(), address)

    def find(self) -> psutil.Process | None:
        """The process, if it is still that one and no zombie."""
        with suppress(psutil.NoSuchProcess):
            found = psutil.Process(self.pid)
            zombie = found.status() == psutil.STATUS_ZOMBIE
            same = abs(found.create_time() - self.started_at_s) < CLOCK_STEP_MAX_S
            if same and not zombie:
                return found
        return None


@dataclass(frozen=True, slots=True)
class State:
    """What the state file holds; `owner` is the process that brought the rest up."""

    owner: Running
    ready: bool
    processes: tuple[Running, ...] = ()
    descriptions: tuple[str, ...] = ()

    def write(self, data_dir: Path) -> None:
        """Replace the state file in one step."""
        draft = data_dir / f"{STATE}.new"
        draft.write_text(json.dumps(asdict(self), indent=2))
        draft.replace(data_dir / STATE)


def read_state(data_dir: Path) -> State | None:
    """What the last `up` wrote; None when it ended properly or never was."""
    try:
        raw: dict[str, Any] = json.loads((data_dir / STATE).read_text())
    except FileNotFoundError:
        return None
    return State(
        owner=Running(**raw["owner"]),
        ready=raw["ready"],
        processes=tuple(Running(**one) for one in raw["processes"]),
        descriptions=tuple(raw["descriptions"]),
    )


def default_data_dir(environment: Mapping[str, str]) -> Path:
    """The user's state folder: `$XDG_STATE_HOME/gridtally` or `~/.local/state/gridtally`."""
    home = environment.get("XDG_STATE_HOME")
    return (Path(home) if home else Path.home() / ".local" / "state") / "gridtally"


@contextmanager
def stack(
    options: Options, environment: Mapping[str, str], report: Report = in_silence
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
        State(_owner(), ready=False).write(data_dir)
        try:
            with _started(options, data_dir, environment, report) as running:
                _write_ready(data_dir, running)
                yield running
        finally:
            (data_dir / STATE).unlink(missing_ok=True)


def stay(running: Stack, data_dir: Path, report: Report) -> NoReturn:
    """Watch until a signal ends `until_stopped`.

    A service that ends on its own is started again, since its watchdog ends it when the broker is
    away. StackError when it does so over and over, or when a server ends.
    """
    report("ready; Ctrl-C takes everything down")
    restarts: dict[str, deque[float]] = {
        name: deque(maxlen=RESTARTS_MAX) for name in running.services
    }
    try:
        while True:
            time.sleep(WATCH_EVERY_S)
            for name, server in running.started.items():
                if server.pid is None:
                    _start_again(name, server, restarts.get(name), report)
                    _write_ready(data_dir, running)
    finally:
        report("taking everything down")


def _start_again(name: str, server: Server, restarts: deque[float] | None, report: Report) -> None:
    """Start a service that has ended; `restarts` are the moments of its last ones, None for a
    server."""
    now_s = time.monotonic()
    often = restarts is not None and len(restarts) == RESTARTS_MAX
    if restarts is None or (often and now_s - restarts[0] < RESTARTS_WITHIN_S):
        said = process.last_lines(server.log)
        raise StackError(f"{name} ended unexpectedly; its log ends:\n{said}")
    report(f"{name} ended unexpectedly and is started again; its log is {server.log}")
    restarts.append(now_s)
    server.launch()


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
    found = any(one.find() for one in state.processes)
    _end_last_run(data_dir)
    (data_dir / STATE).unlink(missing_ok=True)
    return found


@contextmanager
def _started(
    options: Options, data_dir: Path, environment: Mapping[str, str], report: Report
) -> Iterator[Stack]:
    ports = (options.kafka_port, options.postgres_port)
    report("starting the broker and PostgreSQL")
    with servers(
        data_dir,
        options.kind,
        environment=environment,
        cache=options.cache,
        ports=ports,
        report=report,
    ) as given:
        for line in given.descriptions:
            report(line)
        urls = database_urls(environment) or asyncio.run(
            provision(given.admin_url, SERVICES, given.directory / "passwords.json")
        )
        token = _operator_token(data_dir)
        shared = {key: value for key, value in environment.items() if key != NOT_FOR_SERVICES} | {
            "KAFKA_BOOTSTRAP_SERVERS": given.bootstrap,
            "OPERATOR_TOKEN_SHA256": hashlib.sha256(token.encode()).hexdigest(),
            "LOG_LEVEL": options.log_level,
            "KAFKA_IDEMPOTENCE": str(given.idempotence).lower(),
        }
        programs = {name: Service(name, shared | {"DATABASE_URL": urls[name]}) for name in SERVICES}
        report("migrating and starting the services")
        logs = data_dir / "services"
        logs.mkdir(mode=0o700, exist_ok=True)
        with services(programs, logs, first_port=options.http_port, report=report) as running:
            yield Stack(given, running, token)


def _owner() -> Running:
    return Running.of("gridtally", os.getpid(), "")


def _write_ready(data_dir: Path, running: Stack) -> None:
    """Tell others what runs; the processes are those of this moment."""
    State(
        _owner(),
        ready=True,
        processes=tuple(_listed(running)),
        descriptions=running.servers.descriptions,
    ).write(data_dir)


def _listed(running: Stack) -> Iterator[Running]:
    for name, server in running.started.items():
        address = running.urls.get(name, f"{process.LOOPBACK}:{server.port}")
        if server.pid:
            yield Running.of(name, server.pid, address)


def _end_last_run(data_dir: Path) -> None:
    """End what an `up` that was killed has left running. The caller holds the lock, or saw
    that the owner is gone."""
    state = read_state(data_dir)
    left = [found for one in state.processes if (found := one.find())] if state else []
    for found in left:
        with suppress(psutil.NoSuchProcess):
            found.send_signal(signal.SIGINT if found.name() == "postgres" else signal.SIGTERM)
    _, alive = psutil.wait_procs(left, timeout=LEFTOVER_LIMIT_S)
    for found in alive:
        with suppress(psutil.NoSuchProcess):
            found.kill()


def _make_private(data_dir: Path) -> None:
    """Closed to others; as root they may pass, since PostgreSQL must run as somebody else."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        data_dir.chmod(0o711 if os.geteuid() == 0 else 0o700)
    except OSError as error:
        raise StackError(f"{data_dir} cannot be the data directory: {error.strerror}") from error


def _operator_token(data_dir: Path) -> str:
    kept = data_dir / OPERATOR_TOKEN
    if not kept.exists():
        write_secret(kept, secrets.token_urlsafe(32))
    return kept.read_text()


class _Stopped(KeyboardInterrupt):
    """A signal asked us to end; of this kind, since task groups wrap all others."""


@contextmanager
def until_stopped() -> Iterator[None]:
    """SIGINT, SIGTERM or SIGHUP ends the block, quietly; later ones do not disturb the end."""
    watched = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def end(number: int, frame: object) -> NoReturn:
        del number, frame
        for one in watched:
            signal.signal(one, signal.SIG_IGN)
        raise _Stopped

    before = {one: signal.signal(one, end) for one in watched}
    try:
        with suppress(_Stopped):
            yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
