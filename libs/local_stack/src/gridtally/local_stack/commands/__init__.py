"""The commands that need a local installation: they join `gridtally` where this is installed."""

import typer

from gridtally.cli.commands import follow
from gridtally.local_stack.commands import demo, events, stack


def register(app: typer.Typer) -> None:
    """Add `up`, `down`, `status`, `demo` and `follow events`.

    It is the entry point of the group `gridtally.commands`.
    """
    app.command()(stack.up)
    app.command()(stack.down)
    app.command()(stack.status)
    app.command()(demo.demo)
    follow.app.command()(events.events)
