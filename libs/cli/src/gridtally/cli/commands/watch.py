"""`gridtally watch`: a folder whose files are imported as they come."""

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gridtally.cli.commands.data_files import send_rows
from gridtally.cli.errors import CommandError, ServiceAway
from gridtally.cli.options import AsJson, DataDir

if TYPE_CHECKING:
    from gridtally.cli.installation import Installation
    from gridtally.cli.watched_folder import FolderDeclaration

POLL_S = 2.0


def watch(
    folder: Annotated[
        Path, typer.Argument(help="It holds import.json, with zone, layout and mapping.")
    ],
    data_dir: DataDir = None,
    *,
    once: Annotated[bool, typer.Option("--once", help="Import what lies there, and end.")] = False,
    as_json: AsJson = False,
) -> None:
    """Import each file that comes to rest in a folder, as its import.json declares.

    What is imported moves to `imported/`, what is refused to `refused/` with the reason beside it.
    With --once exit status 1 where a file is refused.
    """
    from gridtally.cli.installation import find_installation
    from gridtally.cli.report import print_json
    from gridtally.cli.watched_folder import read_declaration

    declaration = read_declaration(folder)
    installation = find_installation(os.environ, data_dir)
    outcomes = asyncio.run(watch_folder(installation, folder, declaration, once=once))
    if as_json:
        print_json(outcomes)
    if any(not outcome["imported"] for outcome in outcomes):
        raise typer.Exit(1)


async def watch_folder(
    installation: "Installation", folder: Path, declaration: "FolderDeclaration", *, once: bool
) -> list[dict[str, Any]]:
    """Import what comes to rest in a folder, for ever or once; what became of each file."""
    from gridtally.cli.watched_folder import Resting

    resting = Resting()
    outcomes: list[dict[str, Any]] = []
    list(resting.files(folder))  # what is there now has come to rest if it is the same next time
    while True:
        await asyncio.sleep(POLL_S)
        for path in resting.files(folder):
            outcomes.append(await _import(installation, path, declaration))
            typer.echo(f"{path.name}: {outcomes[-1]['detail']}", err=True)
        if once:
            return outcomes
        outcomes.clear()


async def _import(
    installation: "Installation", path: Path, declaration: "FolderDeclaration"
) -> dict[str, Any]:
    """Import one file and move it to where it belongs."""
    from gridtally.cli import import_file, watched_folder
    from gridtally.cli.data_files.register_files import has_registers
    from gridtally.cli.installation import settings_of

    name = path.name
    try:
        if has_registers(path):
            return await import_registers(settings_of(installation), path, declaration)
        content = import_file.read_content(path)
        async with installation.as_tenant() as api:
            proposed = await import_file.propose(api, name, content, declaration.zone)
            body = {
                "layout": declaration.layout,
                "mapping": declaration.mapping,
                "left_out": declaration.left_out,
            }
            done = await import_file.run(api, proposed, body, lambda *_: None)
    except ServiceAway as away:
        return {"file": name, "imported": False, "detail": f"is tried again: {away}"}
    except CommandError as error:
        watched_folder.move(path, watched_folder.REFUSED, str(error))
        return {"file": name, "imported": False, "detail": str(error)}
    detail = f"{done['accepted']} of {done['blocks']} blocks imported"
    is_whole = done["accepted"] == done["blocks"]
    reasons = [f"{r['channel']} from {r['start_at']}: {r['detail']}" for r in done["refusals"]]
    kind = watched_folder.IMPORTED if is_whole else watched_folder.REFUSED
    watched_folder.move(path, kind, None if is_whole else "\n".join([detail, *reasons]))
    return {"file": name, "imported": is_whole, "detail": detail}


async def import_registers(
    settings: dict[str, str], path: Path, declaration: "FolderDeclaration", **how: Any
) -> dict[str, Any]:
    """Enter the register readings of a NEM13 file, and move it to where it belongs; `how` is for
    the client."""
    from gridtally.cli import watched_folder
    from gridtally.cli.data_files.outcomes import Outcomes
    from gridtally.cli.data_files.register_files import read_register_rows

    outcomes = Outcomes()
    rows = read_register_rows(path, declaration.registers, has_all=False)
    await send_rows(settings, "readings", rows, outcomes, lambda _: None, **how)
    refused = outcomes.counts["refused"]
    detail = f"{outcomes.rows - refused} of {outcomes.rows} readings entered"
    reasons = [
        f"row {refusal.row} ({refusal.reference}): {refusal.reason}"
        for refusal in outcomes.refusals
    ]
    kind = watched_folder.REFUSED if refused else watched_folder.IMPORTED
    watched_folder.move(path, kind, "\n".join([detail, *reasons]) if refused else None)
    return {"file": path.name, "imported": not refused, "detail": detail}
