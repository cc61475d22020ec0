"""Owns the choice of servers: those the environment names, else the real ones, else the wheels."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from gridtally.cli.installation import SERVICES
from gridtally.local_stack.cache import Report, default_cache, silent
from gridtally.local_stack.errors import StackError, Unavailable
from gridtally.local_stack.kafka import Kafka, kafka
from gridtally.local_stack.postgres import Postgres, admin_url, wheel
from gridtally.local_stack.process import LOOPBACK
from gridtally.local_stack.server import Server
from gridtally.local_stack.tansu import Tansu, tansu
from gridtally.local_stack.timescale import timescale

Kind = Literal["auto", "real", "wheels"]
Real = TypeVar("Real")
Wheel = TypeVar("Wheel")
BOOTSTRAP, ADMIN_URL = "KAFKA_BOOTSTRAP_SERVERS", "POSTGRES_ADMIN_URL"
IDEMPOTENCE = "KAFKA_IDEMPOTENCE"


@dataclass(frozen=True, slots=True)
class Servers:
    """Where the broker and PostgreSQL are, and a line about each for people.

    `broker` and `database` are the processes we started; None when the environment named them.
    `admin_url` is empty when the environment names each service's own database instead.
    `directory` is where what belongs to these servers' data is kept. `idempotence` says whether
    the broker takes idempotent producers: Apache Kafka does, Tansu does not.
    """

    bootstrap: str
    admin_url: str
    descriptions: tuple[str, ...]
    directory: Path
    broker: Server | None = None
    database: Server | None = None
    idempotence: bool = True


@contextmanager
def servers(
    data_dir: Path,
    kind: Kind = "auto",
    *,
    environment: Mapping[str, str],
    cache: Path | None = None,
    ports: tuple[int | None, int | None] = (None, None),
    report: Report = silent,
) -> Iterator[Servers]:
    """The servers for the length of the block; those that were started are stopped after it.

    `ports` are the broker's and PostgreSQL's; None takes a free one. Every pair of programs has a
    folder of its own in `data_dir`, so that a log and the databases that belong to it stay
    together. A pair with a broker that forgets starts with empty databases. `report` hears of
    what is fetched.
    Raises Unavailable when `kind` is real and a real server cannot be had.
    """
    if named := external(data_dir, environment):
        yield named
        return
    broker, database, notes = choose(kind, cache or default_cache(), report)
    directory = data_dir / f"{broker.folder}-{database.folder}"
    if isinstance(broker, Tansu):
        shutil.rmtree(directory, ignore_errors=True)
        notes = (*notes, "the broker keeps nothing, so everything starts empty each time")
    running = (
        Server(broker, directory / "broker", ports[0]),
        Server(database, directory / "postgres", ports[1]),
    )
    with ExitStack() as started:
        for server in running:
            started.callback(server.stop)
            server.launch()
        for server in running:
            server.wait_ready()
        described = (f"{server.program.title} on {LOOPBACK}:{server.port}" for server in running)
        yield Servers(
            bootstrap=f"{LOOPBACK}:{running[0].port}",
            admin_url=admin_url(running[1]),
            descriptions=(*described, *notes),
            directory=directory,
            broker=running[0],
            database=running[1],
            idempotence=not isinstance(broker, Tansu),
        )


def external(data_dir: Path, environment: Mapping[str, str]) -> Servers | None:
    """The servers that the environment names: a broker and databases, or neither."""
    bootstrap, admin = environment.get(BOOTSTRAP), environment.get(ADMIN_URL, "")
    databases = bool(admin or database_urls(environment))
    if not bootstrap and not databases:
        return None
    if not bootstrap or not databases:
        raise StackError(f"set both {BOOTSTRAP} and {ADMIN_URL}, or neither")
    directory = data_dir / "external"
    directory.mkdir(parents=True, exist_ok=True)
    described = (f"Kafka at {bootstrap} (given)", "PostgreSQL (given)")
    idempotence = environment.get(IDEMPOTENCE, "true").lower() != "false"
    return Servers(bootstrap, admin, described, directory, idempotence=idempotence)


def database_urls(environment: Mapping[str, str]) -> dict[str, str] | None:
    """Each service's own database, where the environment names them: all of them, or none."""
    named = {name: environment.get(f"{name.upper()}_DATABASE_URL", "") for name in SERVICES}
    if not any(named.values()):
        return None
    if missing := [name.upper() for name, url in named.items() if not url]:
        raise StackError(f"set {missing[0]}_DATABASE_URL too: all services' databases, or none")
    return named


def choose(
    kind: Kind, cache: Path, report: Report = silent
) -> tuple[Kafka | Tansu, Postgres, tuple[str, ...]]:
    """The broker, the database, and why a wheel stands in for a real one, where it does."""
    notes: list[str] = []

    def first(real: Callable[[Path, Report], Real], stand_in: Callable[[], Wheel]) -> Real | Wheel:
        if kind == "wheels":
            return stand_in()
        try:
            return real(cache, report)
        except Unavailable as reason:
            if kind == "real":
                raise
            notes.append(str(reason))
            return stand_in()

    broker = first(kafka, tansu)
    database = first(timescale, wheel)
    return broker, database, tuple(notes)
