"""Readings as an installation publishes them: followed for ever, a line each."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any

from gridtally.cli.api import Api
from gridtally.cli.errors import ServiceAway
from gridtally.client import ServerEvent

STREAM = "/v1/readings/stream"
RECONNECT_S = 2.0
QUALITIES = {"A": "actual", "E": "estimated", "S": "substituted"}


async def live_readings(
    api: Api, tell: Callable[[str], None], **query: Any
) -> AsyncGenerator[ServerEvent, None]:
    """The events of the stream, for ever.

    The stream ends now and then, and is come back to with the last id in it, so that nothing is
    missed; what could not be sent again is a `gap`. `tell` hears when nobody answers, or not now.
    CommandError where the service refuses.
    """
    last_id: str | None = None
    while True:
        try:
            async with api.download("ingest", STREAM, **query, last_event_id=last_id) as stream:
                try:
                    async for event in stream.events():
                        yield event
                finally:
                    last_id = stream.last_event_id or last_id
        except ServiceAway as away:
            tell(f"{away}; trying again")
        await asyncio.sleep(RECONNECT_S)


def line_of(event: ServerEvent) -> str:
    """An event in one line: when, what, whose, how much."""
    said = event.data
    match event.name:
        case "reading":
            present = [value for value in said["values"] if value is not None]
            qualities = [name for mark, name in QUALITIES.items() if mark in said["quality"]]
            return (
                f"{said['recorded_at']}  {said['meter_id']}  {said['flow']} on {said['day']}:"
                f" {len(present)} of {len(said['values'])} intervals, {_kwh(sum(present))},"
                f" {', '.join(qualities) or 'none'}, version {said['version']}"
            )
        case "register":
            return (
                f"{said['read_at']}  {said['meter_id']}  {said['flow']} register:"
                f" {said['value']} kWh, {said['quality']}"
            )
        case "gap":
            return f"some events were left out ({said['reason']}): read again what you show"
        case _:
            return f"{event.name}: {said}"


def _kwh(wh: int) -> str:
    whole, part = divmod(wh, 1000)
    return f"{whole}.{part:03} kWh"
