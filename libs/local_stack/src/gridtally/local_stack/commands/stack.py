"""`gridtally up`, `down` and `status`: a whole Gridtally on this machine."""

import os
from typing import Annotated, Literal

import typer

from gridtally.cli.options import AsJson, DataDir

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
        int | None,
        typer.Option(min=1, max=65531, help="The first of five: the services' and the console's."),
    ] = None,
    log_level: Annotated[str, typer.Option(help="Of the services.")] = "INFO",
    *,
    as_json: AsJson = False,
) -> None:
    """Start servers and services, and stay until Ctrl-C.

    With KAFKA_BOOTSTRAP_SERVERS and POSTGRES_ADMIN_URL (or the four *_DATABASE_URL) set, those
    servers are used and none is started. With --json, the addresses and the key are one JSON
    document on standard output once everything is ready; the steps go to standard error.
    """
    import asyncio

    from rich.console import Console

    from gridtally.cli.report import print_json
    from gridtally.cli.stack_state import default_data_dir
    from gridtally.local_stack import stack
    from gridtally.local_stack.console import sign_in_link
    from gridtally.local_stack.installation import LOCAL_TENANT, open_installation

    console = Console(highlight=False, stderr=as_json)

    def report(line: str) -> None:
        console.print(line, markup=False, soft_wrap=True)

    options = stack.Options(
        data_dir=data_dir or default_data_dir(os.environ),
        kind=servers,
        kafka_port=kafka_port,
        postgres_port=postgres_port,
        http_port=http_port,
        log_level=log_level,
    )
    report(f"data and logs in {options.data_dir}")
    with stack.until_stopped(), stack.stack(options, os.environ, report) as running:
        installation = asyncio.run(open_installation(running, options.data_dir))
        if as_json:
            addresses = {"urls": installation.urls, "kafka": installation.bootstrap}
            print_json(
                {
                    **addresses,
                    "tenant_id": LOCAL_TENANT,
                    "api_key": installation.api_key,
                    "console": sign_in_link(running.console, installation),
                }
            )
        else:
            report(f"API key of the tenant {LOCAL_TENANT}: {installation.api_key}")
            report(f"Console: {sign_in_link(running.console, installation)}")
        stack.keep_running(running, options.data_dir, report)


def down(data_dir: DataDir = None, *, as_json: AsJson = False) -> None:
    """Take down what `gridtally up` started in another shell."""
    from gridtally.cli.report import print_json
    from gridtally.cli.stack_state import default_data_dir
    from gridtally.local_stack import stack

    was_running = stack.down(data_dir or default_data_dir(os.environ))
    if as_json:
        print_json({"was_running": was_running})
    else:
        typer.echo("everything is down" if was_running else "nothing was running")


def status(data_dir: DataDir = None, *, as_json: AsJson = False) -> None:
    """Show what runs and where. Exits with 1 when it is not up whole."""
    from gridtally.cli.report import print_json
    from gridtally.cli.stack_state import default_data_dir, read_state

    state = read_state(data_dir or default_data_dir(os.environ))
    if state is None or state.owner.find() is None:
        condition = "not running"
    else:
        condition = "running" if state.ready else "starting"
    rows = [
        (process.name, process.address, process.pid, process.find() is not None)
        for process in (state.processes if state and condition == "running" else ())
    ]
    descriptions = state.descriptions if state and rows else ()
    if as_json:
        names = ("name", "address", "pid", "alive")
        processes = [dict(zip(names, row, strict=True)) for row in rows]
        print_json({"state": condition, "processes": processes, "servers": descriptions})
    elif rows:
        _print_processes(rows, descriptions)
    else:
        typer.echo(condition)
    if not rows or not all(alive for *_, alive in rows):
        raise typer.Exit(1)


def _print_processes(rows: list[tuple[str, str, int, bool]], descriptions: tuple[str, ...]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("name", "address", "pid", "state")
    for name, address, pid, alive in rows:
        table.add_row(name, address, str(pid), "running" if alive else "ended")
    console = Console(highlight=False)
    console.print(table)
    for line in descriptions:
        console.print(line, markup=False, soft_wrap=True)
