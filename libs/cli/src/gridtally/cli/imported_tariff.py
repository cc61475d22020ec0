"""A tariff that was read from another form: written out as a native one, and a report of the rest.

Owns what `import-urdb` and `import-tariff` do alike, once their own reader has read the file.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import typer


def write_document(document: Mapping[str, object], output: Path | None) -> None:
    """Write a tariff document as JSON, to standard output unless a file is named; OSError."""
    text = json.dumps(document, indent=2) + "\n"
    if output is None:
        typer.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8")


def report_notes(notes: Iterable[tuple[str, str, str]]) -> None:
    """Print what is not in the tariff, what was assumed and what charges nothing: notes by kind,
    where they belong, and detail."""
    descriptive = []
    for kind, where, detail in notes:
        if kind == "descriptive":
            descriptive.append(where)
        else:
            typer.echo(
                f"{'note' if kind == 'convention' else 'warning'}: {where}: {detail}", err=True
            )
    if descriptive:
        typer.echo(f"note: these fields charge nothing: {', '.join(descriptive)}", err=True)
