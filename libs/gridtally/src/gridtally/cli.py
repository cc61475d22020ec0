"""Owns the list of commands; each one lives in a module of `gridtally.commands`."""

import typer

from gridtally.commands import demo, keys, local, rate, urdb, verify

app = typer.Typer(
    name="gridtally",
    help="Smart-meter readings into bills: a local Gridtally, and tools around it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,  # they may hold passwords
)
app.command()(local.up)
app.command()(local.down)
app.command()(local.status)
app.command()(demo.demo)
app.command()(rate.rate)
app.command()(urdb.import_urdb)
app.add_typer(verify.app, name="verify")
app.add_typer(keys.app, name="keys")
