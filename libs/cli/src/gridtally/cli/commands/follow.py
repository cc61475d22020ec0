"""`gridtally follow`: what happens, as it happens.

Readings come over HTTP from any installation; whoever has its broker at hand follows all events,
see `gridtally.local_stack`.
"""

import asyncio
import os
from collections.abc import Coroutine
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from gridtally.cli.options import AsJson, DataDir

if TYPE_CHECKING:
    from gridtally.cli.installation import Installation

app = typer.Typer(
    help="Follow what happens, until Ctrl-C, which is exit status 0.", no_args_is_help=True
)

Rows = Annotated[
    int | None, typer.Option(min=1, help="End after so many. [default: never]", show_default=False)
]
Seconds = Annotated[
    int | None,
    typer.Option("--for", min=1, help="End after so many seconds. [default: never]"),
]


@app.command()
def readings(
    meter: Annotated[str | None, typer.Option(help="Only this meter's, by id.")] = None,
    property_: Annotated[
        str | None, typer.Option("--property", help="Only those of this property's meters, by id.")
    ] = None,
    flow: Annotated[
        Literal["import", "export", "load", "generation", "reactive_import", "reactive_export"]
        | None,
        typer.Option(help="Only this flow."),
    ] = None,
    rows: Rows = None,
    seconds: Seconds = None,
    data_dir: DataDir = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show readings as they are accepted, a line each: the newest state of a meter's day.

    With --json a line is one JSON document, `{"event", "id", "data"}`. Whatever cuts the
    connection, it goes on where it was.
    """
    from gridtally.cli.installation import find_installation
    from gridtally.cli.questions import checked_id

    chosen = {
        "meter_id": None if meter is None else checked_id(meter),
        "property_id": None if property_ is None else checked_id(property_),
        "flow": flow,
    }
    installation = find_installation(os.environ, data_dir)
    until_ended(_follow_readings(installation, rows, as_json=as_json, **chosen), seconds)


async def _follow_readings(
    installation: "Installation", rows: int | None, *, as_json: bool, **query: str | None
) -> None:
    from gridtally.cli.live_readings import line_of, live_readings
    from gridtally.cli.report import print_json_line

    shown = 0
    async with (
        installation.as_tenant() as api,
        aclosing(live_readings(api, lambda text: typer.echo(text, err=True), **query)) as events,
    ):
        async for event in events:
            if as_json:
                print_json_line({"event": event.name, "id": event.id, "data": event.data})
            else:
                typer.echo(line_of(event))
            shown += 1
            if shown == rows:
                return


def until_ended(following: Coroutine[Any, Any, None], seconds: int | None) -> None:
    """Follow until its end, until its time is over, or until Ctrl-C, which is no failure."""
    with suppress(KeyboardInterrupt):
        asyncio.run(_within(following, seconds))


async def _within(following: Coroutine[Any, Any, None], seconds: int | None) -> None:
    try:
        async with asyncio.timeout(seconds) as limit:
            await following
    except TimeoutError:
        if not limit.expired():
            raise
