"""`gridtally import-urdb`: a URDB record in, a native tariff out, and a report of the rest."""

import json
from pathlib import Path
from typing import Annotated

import typer

from gridtally.errors import CommandError
from kernel.errors import Rejected


def import_urdb(
    file: Annotated[Path, typer.Argument(help="A record of the Utility Rate Database (JSON).")],
    zone: Annotated[str, typer.Option(help="The IANA time zone, which a record does not name.")],
    output: Annotated[
        Path | None, typer.Option(help="Where the tariff goes; standard output unless given.")
    ] = None,
    label: Annotated[str | None, typer.Option(help="Which rate, of a file with several.")] = None,
    *,
    with_export: Annotated[
        bool,
        typer.Option(
            "--with-export", help="With the rules for own generation: meters need both flows."
        ),
    ] = False,
    holidays_are_weekends: Annotated[
        bool,
        typer.Option(
            "--holidays-are-weekends", help="Of a calendar's holidays, which you add, on weekdays."
        ),
    ] = False,
) -> None:
    """Turn a URDB record into a native tariff document, and say what is not in it."""
    from gridtally.tariff_file import read_tariff_file

    try:
        found = read_tariff_file(file)
        if not found.is_urdb:
            raise CommandError(f"{file}: is no URDB record")
        imported = found.imported(
            zone,
            export="as_declared" if with_export else "left_out",
            holidays="weekend" if holidays_are_weekends else "by_weekday",
            label=label,
        )
        found.version(imported.document, None)
        text = json.dumps(imported.document, indent=2) + "\n"
        if output is None:
            typer.echo(text, nl=False)
        else:
            output.write_text(text, encoding="utf-8")
    except OSError as error:
        typer.echo(f"error: {error.filename}: {error.strerror}", err=True)
        raise typer.Exit(1) from None
    except (CommandError, Rejected, ValueError) as error:
        typer.echo(f"error: {' '.join(str(error).splitlines())}", err=True)
        raise typer.Exit(1) from None
    for note in imported.notes:
        if note.kind != "descriptive":
            what = "note" if note.kind == "convention" else "warning"
            typer.echo(f"{what}: {note.field}: {note.detail}", err=True)
    if left := [note.field for note in imported.notes if note.kind == "descriptive"]:
        typer.echo(f"note: these fields charge nothing: {', '.join(left)}", err=True)
