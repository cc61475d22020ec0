"""Ingest over HTTP: intake, reading back, periods, and what was kept aside."""

from collections.abc import Callable
from datetime import datetime

from fastapi import APIRouter

from ingest.api import aside, meters, periods, readings, reconciliation
from ingest.handlers.recording import Recorder
from messaging import Publisher


def routers(
    recorder: Recorder, publisher: Publisher, clock: Callable[[], datetime]
) -> tuple[APIRouter, ...]:
    """All of them; `clock` tells the present instant."""
    return (
        readings.router(publisher, clock),
        meters.router(),
        periods.router(clock),
        aside.router(recorder, clock),
        reconciliation.router(),
    )
