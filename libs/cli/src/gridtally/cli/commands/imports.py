"""`gridtally import`: what files hold, into an installation.

A file of interval readings is imported once somebody has looked at it: `import FILE`. What other
files are is said before their name: `import customers FILE`.
"""

import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from gridtally.cli.commands import data_files, payment_file
from gridtally.cli.errors import CommandError
from gridtally.cli.options import AsJson, DataDir

if TYPE_CHECKING:
    from gridtally.cli.import_file import Goals
    from gridtally.cli.installation import Installation

REFUSALS_SHOWN_MAX = 10
CHANNELS_SHOWN_MAX = 50
INTERVALS = "intervals"


class _Imports(TyperGroup):
    """A file whose kind is not named is one of interval readings, in any of their formats."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        names_kind = args and (args[0] in self.commands or args[0] == "--help")
        if args and not names_kind:
            args = [INTERVALS, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_Imports,
    help="Import files: readings in any format (`import FILE`), or tables of master data.",
    no_args_is_help=True,
)


@app.command(INTERVALS)
def import_file(
    file: Annotated[Path, typer.Argument(help="CSV, NEM12 or Green Button XML.")],
    zone: Annotated[
        str, typer.Option(help="The IANA time zone of its times, where the file does not say.")
    ],
    meter: Annotated[
        str | None, typer.Option(help="The meter's id, for a file of one channel.")
    ] = None,
    flow: Annotated[
        str | None,
        typer.Option(help="With --meter: what it measures, where the file does not say."),
    ] = None,
    map_: Annotated[
        list[str] | None,
        typer.Option("--map", help="CHANNEL=METER_ID or CHANNEL=METER_ID:FLOW; repeat."),
    ] = None,
    leave_out: Annotated[
        list[str] | None, typer.Option(help="A channel that is not imported; repeat.")
    ] = None,
    layout: Annotated[
        Path | None, typer.Option(help="How the file is laid out (JSON); else one is proposed.")
    ] = None,
    data_dir: DataDir = None,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check every value, and import nothing.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Take the proposed layout without asking.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Import a file of readings: its layout is shown and confirmed, each value is checked.

    A file that was imported is replayed: what is stored changes nothing, what was refused is tried
    again. Exit status 1 where a block is refused or the file cannot be read.
    """
    from gridtally.cli.import_file import parse_goals, read_content, read_layout
    from gridtally.cli.installation import find_installation
    from gridtally.cli.report import print_json

    goals = parse_goals(map_ or [], leave_out or [], meter, flow)
    declared = None if layout is None else read_layout(layout)
    installation = find_installation(os.environ, data_dir)
    result, refused = asyncio.run(
        send_file(
            installation,
            file,
            read_content(file),
            zone,
            goals,
            declared,
            dry_run=dry_run,
            yes=yes or as_json,
        )
    )
    if as_json:
        print_json(result)
    if refused:
        raise typer.Exit(1)


for kind, command in data_files.COMMANDS.items():
    app.command(kind)(command)
app.command()(payment_file.payments)


async def send_file(
    installation: "Installation",
    file: Path,
    content: bytes,
    zone: str,
    goals: "Goals",
    layout: Any,
    *,
    dry_run: bool,
    yes: bool,
) -> tuple[Any, int]:
    """Show what a file seems to be, and check or import it: the last answer of the service, and how
    many blocks it refuses. CommandError where nobody confirms the layout."""
    from gridtally.cli import import_file

    async with installation.as_tenant() as api:
        proposed = await import_file.propose(api, file.name, content, zone)
        _show(proposed)
        if layout is None and proposed["detail"] is not None:
            raise CommandError(f"{file}: {proposed['detail']}")
        mapping = goals.mapping(proposed["channels"]) if layout is None else goals.by_channel
        if layout is None and not dry_run:
            _confirm(yes=yes)
        declaration = {
            "layout": layout or proposed["layout"],
            "mapping": mapping,
            "left_out": list(goals.left_out),
        }
        if dry_run:
            checked = await import_file.check(api, proposed["id"], declaration)
            _say(f"{checked['blocks']} blocks with {checked['values']} values: "
                 f"{checked['refused']} would be refused")  # fmt: skip
            _show_refusals(checked["refusals"])
            return checked, checked["refused"]
        with _progress() as show:
            done = await import_file.run(api, proposed, declaration, show)
    _say(f"{done['accepted']} of {done['blocks']} blocks imported")
    _show_refusals(done["refusals"])
    return done, done["blocks"] - done["accepted"]


def _say(text: str) -> None:
    """People read standard error; standard output is for `--json`."""
    typer.echo(text, err=True)


def _show(proposed: Any) -> None:
    """The layout, what was taken for granted, and the channels."""
    from gridtally.cli import import_file

    for name, value in (proposed["layout"] or {}).items():
        if value not in (None, "", 0):
            _say(f"  {name}: {value}")
    for note in proposed["notes"]:
        _say(f"note: {note}")
    for channel in proposed["channels"][:CHANNELS_SHOWN_MAX]:
        _say(import_file.described(channel))
    if left := proposed["channels"][CHANNELS_SHOWN_MAX:]:
        _say(f"and {len(left)} more channels")


def _confirm(*, yes: bool) -> None:
    """Somebody says that the proposed layout is right; CommandError where nobody can."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise CommandError("the layout is a proposal: give --layout, or --yes where it is right")
    if not typer.confirm("Is the file laid out so?", err=True):
        raise CommandError("nothing was imported: give the right layout with --layout")


def _progress() -> Any:
    """A bar on standard error, while a file is imported."""
    from contextlib import contextmanager

    from rich.console import Console
    from rich.progress import Progress

    @contextmanager
    def bar() -> Any:
        with Progress(console=Console(stderr=True)) as progress:
            task = progress.add_task("importing", total=None)
            yield lambda done, blocks: progress.update(task, completed=done, total=blocks)

    return bar()


def _show_refusals(refusals: list[Any]) -> None:
    for refusal in refusals[:REFUSALS_SHOWN_MAX]:
        _say(f"refused: {refusal['channel']} from {refusal['start_at']}, {refusal['values']} "
             f"values: {refusal['detail']}")  # fmt: skip
    if len(refusals) > REFUSALS_SHOWN_MAX:
        _say(f"and {len(refusals) - REFUSALS_SHOWN_MAX} more")
