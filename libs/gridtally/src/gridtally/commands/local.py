"""`gridtally up`, `down` and `status`: a whole Gridtally on this machine."""

import os
from pathlib import Path
from typing import Annotated, Literal

import typer

DataDir = Annotated[
    Path | None,
    typer.Option(help="Where everything is kept. [default: $XDG_STATE_HOME/gridtally]"),
]
Port = Annotated[int | None, typer.Option(min=1, max=65535)]


def up(
    data_dir: DataDir = None,
    servers: Annotated[
        Literal["auto", "real", "wheels"],
        typer.Option(help="Real Kafka and TimescaleDB, or the stand-ins from wheels."),
    ] = "auto",
    kafka_port: Port = None,
    postgres_port: Port = None,
    http_port: Annotated[
        int | None, typer.Option(min=1, max=65532, help="The first of four, one per service.")
    ] = None,
    log_level: Annotated[str, typer.Option(help="Of the services.")] = "INFO",
) -> None:
    """Start servers and services, and stay until Ctrl-C.

    With KAFKA_BOOTSTRAP_SERVERS and POSTGRES_ADMIN_URL (or the four *_DATABASE_URL) set, those
    servers are used and none is started.
    """
    import asyncio

    from rich.console import Console

    from gridtally.installation import LOCAL_TENANT, of_stack
    from gridtally.stack import local

    console = Console(highlight=False)

    def report(line: str) -> None:
        console.print(line, markup=False, soft_wrap=True)

    options = local.Options(
        data_dir=data_dir or local.default_data_dir(os.environ),
        kind=servers,
        kafka_port=kafka_port,
        postgres_port=postgres_port,
        http_port=http_port,
        log_level=log_level,
    )
    report(f"data and logs in {options.data_dir}")
    with local.until_stopped(), local.stack(options, os.environ, report) as running:
        found = asyncio.run(of_stack(running, options.data_dir))
        report(f"API key of the tenant {LOCAL_TENANT}: {found.api_key}")
        local.stay(running, options.data_dir, report)


def down(data_dir: DataDir = None) -> None:
    """Take down what `gridtally up` started in another shell."""
    from gridtally.stack import local

    ran = local.down(data_dir or local.default_data_dir(os.environ))
    typer.echo("everything is down" if ran else "nothing was running")


def status(data_dir: DataDir = None) -> None:
    """Show what runs and where. Exits with 1 when it is not up whole."""
    from rich.console import Console
    from rich.table import Table

    from gridtally.stack import local

    state = local.read_state(data_dir or local.default_data_dir(os.environ))
    if state is None or state.owner.find() is None:
        typer.echo("not running")
        raise typer.Exit(1)
    if not state.ready:
        typer.echo("starting")
        raise typer.Exit(1)
    table = Table("name", "address", "pid", "state")
    alive = {one: one.find() is not None for one in state.processes}
    for one, lives in alive.items():
        table.add_row(one.name, one.address, str(one.pid), "running" if lives else "ended")
    console = Console(highlight=False)
    console.print(table)
    for line in state.descriptions:
        console.print(line, markup=False, soft_wrap=True)
    if not all(alive.values()):
        raise typer.Exit(1)
