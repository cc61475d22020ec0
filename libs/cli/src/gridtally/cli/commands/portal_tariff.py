"""`gridtally import-tariff`: a portal tariff in, a native tariff out, and a report of the rest."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gridtally.kernel.errors import Rejected

if TYPE_CHECKING:
    from gridtally.portal_tariffs import Imported


def import_tariff(
    file: Annotated[Path, typer.Argument(help="A tariff as a customer portal stores it (JSON).")],
    output: Annotated[
        Path | None, typer.Option(help="Where the tariff goes; standard output unless given.")
    ] = None,
    zone: Annotated[
        str | None, typer.Option(help="The IANA time zone, unless the document names it.")
    ] = None,
    currency: Annotated[
        str | None, typer.Option(help="The currency of its cents, unless the document names it.")
    ] = None,
    *,
    incomplete: Annotated[
        bool,
        typer.Option(
            "--incomplete", help="Also without charges that cannot be imported, with a warning."
        ),
    ] = False,
) -> None:
    """Turn a portal's tariff (time_bands, components, rate_schedule) into a native one."""
    from gridtally.cli.tariff_file import read_portal_tariff
    from gridtally.portal_tariffs import import_portal_tariff

    try:
        imported = import_portal_tariff(
            read_portal_tariff(file),
            zone=zone,
            currency=currency,
            incomplete="accepted" if incomplete else "refused",
        )
        text = json.dumps(imported.document, indent=2) + "\n"
        if output is None:
            typer.echo(text, nl=False)
        else:
            output.write_text(text, encoding="utf-8")
    except OSError as error:
        typer.echo(f"error: {error.filename}: {error.strerror}", err=True)
        raise typer.Exit(1) from None
    except Rejected as error:
        way_out = "; --incomplete leaves that out" * (error.code == "incomplete_portal_tariff")
        typer.echo(f"error: {file}: {' '.join(error.detail.split())}{way_out}", err=True)
        raise typer.Exit(1) from None
    except ValueError as error:
        typer.echo(f"error: {' '.join(str(error).splitlines())}", err=True)
        raise typer.Exit(1) from None
    _report(imported)


def _report(imported: "Imported") -> None:
    """Prints what is not in the tariff, what was assumed and what charges nothing."""
    for note in imported.notes:
        if note.kind != "descriptive":
            what = "note" if note.kind == "convention" else "warning"
            typer.echo(f"{what}: {note.path}: {note.detail}", err=True)
    if left := [note.path for note in imported.notes if note.kind == "descriptive"]:
        typer.echo(f"note: these fields charge nothing: {', '.join(left)}", err=True)
