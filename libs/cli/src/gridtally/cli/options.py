"""Options that several commands have in common."""

from pathlib import Path
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, decimals as texts.")]
DataDir = Annotated[
    Path | None,
    typer.Option(help="The local stack's folder. [default: $XDG_STATE_HOME/gridtally]"),
]
