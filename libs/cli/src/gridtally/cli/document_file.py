"""Documents of an installation, written into files."""

from pathlib import Path

import typer

from gridtally.cli.api import Api
from gridtally.cli.errors import CommandError
from gridtally.cli.questions import asked
from gridtally.cli.report import print_json


def write_document(
    data_dir: Path | None,
    service: str,
    path: str,
    query: dict[str, str],
    output: Path,
    *,
    as_json: bool,
) -> None:
    """Write the document at a path of the API into a file and print its name; CommandError where
    the file cannot be written."""

    async def ask(api: Api) -> bytes:
        pieces = [piece async for piece in api.stream(service, path, **query)]
        return b"".join(pieces)

    document = asked(data_dir, ask)
    write_file(output, document)
    if as_json:
        print_json({"file": output, "bytes": len(document)})
    else:
        typer.echo(output)


def write_file(output: Path, content: bytes) -> None:
    """Write a file; CommandError where it cannot be written."""
    try:
        output.write_bytes(content)
    except OSError as failure:
        raise CommandError(f"cannot write {output}: {failure.strerror}") from failure
