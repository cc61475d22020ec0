"""`gridtally import-tariff`: a portal tariff in, a native tariff out, and a report of the rest."""

from pathlib import Path
from typing import Annotated

import typer

from gridtally.cli.imported_tariff import report_notes, write_document
from gridtally.kernel.errors import Rejected


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
        write_document(imported.document, output)
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
    report_notes((note.kind, note.path, note.detail) for note in imported.notes)
