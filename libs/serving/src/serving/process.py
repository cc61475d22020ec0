"""The command line of every service: `python -m <service> <word>`.

Owns the words and the exit codes: 0 well, 1 crashed or could not start, 2 wrong settings or words.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from typing import Any, Literal, NoReturn, TypeVar

import structlog
import uvloop
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import create_async_engine

from database import AccessRefused, Database
from database.engine import driver_url
from database.migrations import upgrade
from kernel.errors import Transient
from messaging import Publisher
from observability import logs
from observability.health import Health
from observability.metrics import Metrics
from serving.api import build_app
from serving.background import Word
from serving.running import CannotStart, run
from serving.service import Service
from serving.settings import InvalidSettings, ServiceSettings, load, shown

WORDS = {
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
    """Do as `argv` (the process's arguments) says, and exit."""
    parser = argparse.ArgumentParser(
        prog=f"python -m {service.name}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="\n".join(f"  {word:14}{what}" for word, what in WORDS.items()),
    )
    parser.add_argument("word", choices=WORDS, metavar="word", help="one of the words below")
    word = parser.parse_args(argv).word
    if word == "openapi":
        print(json.dumps(describe(service), indent=2))  # noqa: T201 - the document is the output
        sys.exit(0)
    try:
        settings = load(service.settings_class)
    except InvalidSettings as invalid:
        print("\n".join(invalid.lines), file=sys.stderr)  # noqa: T201 - before logs are set up
        sys.exit(2)
    if word == "check-config":
        print("\n".join(shown(settings)))  # noqa: T201 - the settings are the output
        sys.exit(0)
    logs.configure(service.name, settings.log_level)
    sys.exit(0 if _work(service, settings, word) else 1)


def _work(service: Service[S], settings: S, word: Word | Literal["migrate"]) -> bool:
    try:
        if word == "migrate":
            return _migrate(service, settings)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(run(service, settings, word))
    except CannotStart as why:
        log.critical("cannot start", reason=str(why))
        return False


def _migrate(service: Service[S], settings: S) -> bool:
    try:
        upgrade(settings.database_url.get_secret_value(), package=service.name)
    except (AccessRefused, Transient) as away:
        raise CannotStart(str(away)) from away
    log.info("migrated")
    return True


def describe(service: Service[S]) -> dict[str, Any]:
    """The OpenAPI document; needs neither settings nor servers."""
    # pydantic's plugin for mypy takes what a class of settings makes for its base class
    settings: S = service.settings_class.model_construct(  # type: ignore[assignment]
        database_url=SecretStr(NOWHERE), kafka_bootstrap_servers="nowhere"
    )
    database = Database(create_async_engine(driver_url(NOWHERE)))
    parts = service.build(settings, database, Publisher("nowhere", client_id=service.name))
    app = build_app(
        title=f"Gridtally {service.name}",
        version=service.version,
        routers=parts.routers,
        database=database,
        health=Health(),
        metrics=Metrics(service.name),
        settings=settings,
    )
    return app.openapi()
