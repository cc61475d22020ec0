"""The command line of every service: `python -m gridtally.<service> <mode>`.

Owns the modes and the exit codes: 0 success, 1 crashed or could not start, 2 wrong settings or
arguments.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from typing import Any, Literal, NoReturn, TypeVar

import structlog
import uvloop
from fastapi import FastAPI
from pydantic import SecretStr

from gridtally.database import AccessRefused, Database
from gridtally.database.engine import engine_of
from gridtally.database.migrations import upgrade
from gridtally.http.api import build_app
from gridtally.http.context import utc_now
from gridtally.kernel.errors import Transient
from gridtally.messaging import Publisher
from gridtally.observability import logs
from gridtally.observability.health import Health
from gridtally.observability.metrics import Metrics
from gridtally.service.background import Mode
from gridtally.service.lifecycle import CannotStart, run
from gridtally.service.service import Parts, Process, Service
from gridtally.service.settings import InvalidSettings, ServiceSettings, describe_settings, load

MODES = {
    "serve": "run everything in one process: API, consumers, relay and loops",
    "api": "run the API alone",
    "work": "run consumers and loops, sharing the partitions with others that do",
    "relay": "run the outbox relay alone",
    "migrate": "bring the database to the newest schema",
    "check-config": "print the settings in force, secrets masked",
    "openapi": "print the API's OpenAPI document",
}
NOWHERE = "postgresql://nowhere/none"

S = TypeVar("S", bound=ServiceSettings)
log = structlog.get_logger(__name__)


def main(service: Service[S], argv: Sequence[str] | None = None) -> NoReturn:
    """Run in the mode that `argv` (the process's arguments) names, and exit."""
    parser = argparse.ArgumentParser(
        prog=f"python -m {service.package}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="\n".join(f"  {mode:14}{what}" for mode, what in MODES.items()),
    )
    parser.add_argument("mode", choices=MODES, metavar="mode", help="one of the modes below")
    mode = parser.parse_args(argv).mode
    if mode == "openapi":
        print(json.dumps(describe(service), indent=2))  # noqa: T201 - the document is the output
        sys.exit(0)
    try:
        settings = load(service.settings_class)
    except InvalidSettings as invalid:
        print("\n".join(invalid.lines), file=sys.stderr)  # noqa: T201 - before logs are set up
        sys.exit(2)
    if mode == "check-config":
        print("\n".join(describe_settings(settings)))  # noqa: T201 - the settings are the output
        sys.exit(0)
    logs.configure(service.name, settings.log_level)
    sys.exit(0 if _work(service, settings, mode) else 1)


def _work(service: Service[S], settings: S, mode: Mode | Literal["migrate"]) -> bool:
    try:
        if mode == "migrate":
            return _migrate(service, settings)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(run(service, settings, mode))
    except CannotStart as refused:
        log.critical("cannot start", reason=str(refused))
        return False


def _migrate(service: Service[S], settings: S) -> bool:
    try:
        upgrade(settings.database_url.get_secret_value(), package=service.package)
    except (AccessRefused, Transient) as away:
        raise CannotStart(str(away)) from away
    log.info("migrated")
    return True


def describe(service: Service[S]) -> dict[str, Any]:
    """The OpenAPI document; needs neither settings nor servers."""
    return idle_app(service).openapi()


def idle_parts(service: Service[S]) -> tuple[Process[S], Parts]:
    """What a process of the service would run, with nothing behind it."""
    # pydantic's plugin for mypy takes what a class of settings makes for its base class
    settings: S = service.settings_class.model_construct(  # type: ignore[assignment]
        database_url=SecretStr(NOWHERE), kafka_bootstrap_servers="nowhere"
    )
    database = Database(engine_of(NOWHERE))
    publisher = Publisher("nowhere", client_id=service.name)
    process = Process(service.name, settings, database, publisher, utc_now, asyncio.Event())
    return process, service.build(process)


def idle_app(service: Service[S]) -> FastAPI:
    """The API with nothing behind it: for what its routes say of themselves."""
    process, parts = idle_parts(service)
    return build_app(
        title=f"Gridtally {service.name}",
        version=service.version,
        routers=parts.routers,
        database=process.database,
        health=Health(),
        metrics=Metrics(service.name),
        settings=process.settings,
        clock=process.clock,
        state=parts.state,
        description=parts.api,
    )
