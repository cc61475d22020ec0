"""Owns the list of commands; each one lives in a module of `gridtally.cli.commands`.

Others may come with what else is installed: each entry point of the group `gridtally.commands` is a
function that takes the application and adds to it. The local stack does so.
"""

from collections.abc import Mapping
from importlib.metadata import entry_points, version
from typing import Annotated, NoReturn

import typer

from gridtally.cli.commands import (
    costs,
    debits,
    dunning,
    first_steps,
    follow,
    imports,
    invoices,
    keys,
    portal_tariff,
    rate,
    simulate,
    statements,
    urdb,
    verify,
    watch,
)
from gridtally.cli.errors import CommandError

LOCAL_COMMANDS = {
    "up": "Start servers and services on this machine.",
    "down": "Take down what `gridtally up` started.",
    "status": "Show what runs on this machine, and where.",
    "demo": "Bill a month of a portfolio of homes on this machine.",
}
"""Of the extra `local`, which says so itself where it is not installed."""
LOCAL_FOLLOWING = {"events": "Show events as they are published, a line each."}
"""The same, of `follow`."""

app = typer.Typer(
    name="gridtally",
    help="Rates usage by tariffs, and talks to any installation of Gridtally.",
    no_args_is_help=True,
    rich_markup_mode="markdown",  # else what stands in brackets, such as an extra's name, is lost
    pretty_exceptions_show_locals=False,  # they may hold passwords
)


def _print_version(asked: bool) -> None:  # noqa: FBT001 - typer calls it with the flag's value
    if asked:
        typer.echo(f"gridtally {version('gridtally')}")
        raise typer.Exit


@app.callback()
def main(
    *,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show it.")
    ] = False,
) -> None:
    """Rates usage by tariffs, and talks to any installation of Gridtally.

    Exit status: 0 success; 1 something to put right, or a check that does not hold; 2 wrong
    arguments.
    """


def _add_what_is_installed() -> None:
    """Add the commands of other packages; in place of missing local ones, a sentence each."""
    for entry_point in entry_points(group="gridtally.commands"):
        entry_point.load()(app)
    _refuse_missing(app, LOCAL_COMMANDS)
    _refuse_missing(follow.app, LOCAL_FOLLOWING)


def _refuse_missing(group: typer.Typer, commands: Mapping[str, str]) -> None:
    registered = group.registered_commands
    present = {command.callback.__name__ for command in registered if command.callback}
    for name, description in commands.items():
        if name not in present:
            group.command(
                name,
                help=f"{description} Needs `pip install 'gridtally[local]'`.",
                context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
            )(_refuse_local)


def _refuse_local() -> NoReturn:
    raise CommandError("the local stack is not installed: run pip install 'gridtally[local]'")


app.command()(first_steps.quickstart)
app.command()(first_steps.env)
app.command()(rate.rate)
app.command()(urdb.import_urdb)
app.command()(portal_tariff.import_tariff)
app.command()(simulate.simulate)
app.command()(costs.cost)
app.command()(costs.preview)
app.add_typer(invoices.app, name="invoices")
app.add_typer(statements.app, name="statements")
app.add_typer(dunning.app, name="dunning")
app.add_typer(debits.app, name="debits")
app.add_typer(imports.app, name="import")
app.command()(watch.watch)
app.add_typer(follow.app, name="follow")
app.add_typer(verify.app, name="verify")
app.add_typer(keys.app, name="keys")
_add_what_is_installed()
