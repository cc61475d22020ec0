"""`gridtally import-urdb`: a URDB record in, a native tariff out, and a report of the rest."""

from pathlib import Path
from typing import Annotated

import typer

from gridtally.cli.errors import CommandError
from gridtally.cli.imported_tariff import report_notes, write_document
from gridtally.cli.urdb_supplements import (
    FreeShareOption,
    MetersOption,
    PeaksOption,
    SupplementOptions,
)
from gridtally.kernel.errors import Rejected


def import_urdb(
    file: Annotated[Path, typer.Argument(help="A record of the Utility Rate Database (JSON).")],
    zone: Annotated[str, typer.Option(help="The IANA time zone, which a record does not name.")],
    output: Annotated[
        Path | None, typer.Option(help="Where the tariff goes; standard output unless given.")
    ] = None,
    label: Annotated[str | None, typer.Option(help="Which rate, of a file with several.")] = None,
    meters: MetersOption = None,
    system_peaks: PeaksOption = None,
    reactive_free_share: FreeShareOption = None,
    *,
    with_export: Annotated[
        bool,
        typer.Option(
            "--with-export", help="With the rules for own generation: meters need both flows."
        ),
    ] = False,
    incomplete: Annotated[
        bool,
        typer.Option(
            "--incomplete", help="Also without charges that cannot be imported, with a warning."
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
    from gridtally.cli.tariff_file import read_tariff_file

    try:
        tariff_file = read_tariff_file(file)
        if not tariff_file.is_urdb:
            raise CommandError(f"{file}: is no URDB record")
        imported = tariff_file.imported(
            zone,
            export="as_declared" if with_export else "left_out",
            holidays="weekend" if holidays_are_weekends else "by_weekday",
            label=label,
            supplements=SupplementOptions(meters, system_peaks, reactive_free_share).read(zone),
            incomplete=incomplete,
        )
        tariff_file.version(imported.document, None)
        write_document(imported.document, output)
    except OSError as error:
        typer.echo(f"error: {error.filename}: {error.strerror}", err=True)
        raise typer.Exit(1) from None
    except (CommandError, Rejected, ValueError) as error:
        typer.echo(f"error: {' '.join(str(error).splitlines())}", err=True)
        raise typer.Exit(1) from None
    report_notes((note.kind, note.field, note.detail) for note in imported.notes)
