"""`python -m gridtally.console serve | check-config`."""

import argparse
import asyncio
import os
import signal
import sys

import structlog
import uvloop
from fastapi import FastAPI

from gridtally.console.app import build
from gridtally.console.settings import Settings
from gridtally.http.api import build_operations_app
from gridtally.observability import logs
from gridtally.observability.health import Health
from gridtally.observability.metrics import Metrics
from gridtally.service.server import Server, listen
from gridtally.service.settings import InvalidSettings, load

GRACE_SHARE = 0.5

log = structlog.get_logger(__name__)


def main() -> None:
    """Exit with 0 after a stop, 1 where it cannot start, 2 for wrong settings or arguments."""
    parser = argparse.ArgumentParser(prog="python -m gridtally.console", description=__doc__)
    parser.add_argument("mode", choices=("serve", "check-config"))
    mode = parser.parse_args().mode
    try:
        settings = load(Settings)
    except InvalidSettings as invalid:
        print("\n".join(invalid.lines), file=sys.stderr)  # noqa: T201 - before logs are set up
        sys.exit(2)
    if mode == "check-config":
        for name, value in settings.model_dump().items():
            print(f"{name.upper()}={value}")  # noqa: T201 - the settings are the output
        return
    logs.configure("console", settings.log_level)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        sys.exit(runner.run(_serve(settings)))


async def _serve(settings: Settings) -> int:
    stop = asyncio.Event()
    _handle_signals(stop)
    health, metrics = Health(), Metrics("console")
    app, upstream = build(settings, health=health, metrics=metrics)
    apps: list[FastAPI] = [app]
    ports = [settings.http_port]
    if settings.health_port is not None:
        apps.append(build_operations_app(health=health, metrics=metrics))
        ports.append(settings.health_port)
    try:
        sockets = [listen(settings.http_host, port) for port in ports]
    except OSError as failure:
        log.critical("cannot start", reason=str(failure))
        return 1
    grace_s = settings.shutdown_timeout_s * GRACE_SHARE
    certificates = [settings.certificate, None]
    servers = [
        Server(served, stop=stop, grace_s=grace_s, certificate=certificate)
        for served, certificate in zip(apps, certificates, strict=False)
    ]
    log.info("ready", host=settings.http_host, port=sockets[0].getsockname()[1])
    await asyncio.gather(
        *(server.serve([socket]) for server, socket in zip(servers, sockets, strict=True))
    )
    await upstream.aclose()
    log.info("stopped")
    return 0


def _handle_signals(stop: asyncio.Event) -> None:
    """The first signal asks to stop, the second ends the process at once."""

    def handle(number: int) -> None:
        if stop.is_set():
            os._exit(128 + number)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, handle, number)


main()
