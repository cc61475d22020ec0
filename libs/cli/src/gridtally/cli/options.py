"""Options that several commands have in common."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, decimals as texts.")]
DataDir = Annotated[
    Path | None,
    typer.Option(help="The local stack's folder. [default: $XDG_STATE_HOME/gridtally]"),
]
FirstDay = Annotated[
    str | None, typer.Option("--from", help="The first UTC day. [default: 30 days ago]")
]
DayAfter = Annotated[
    str | None, typer.Option("--to", help="The UTC day after the last. [default: tomorrow]")
]
_DAYS = 30


def utc_window(first: str | None, end: str | None) -> dict[str, str]:
    """The days of `FirstDay` and `DayAfter` as APIs take them."""
    today = datetime.now(UTC).date()
    days = {
        "from": first or (today - timedelta(days=_DAYS)).isoformat(),
        "to": end or (today + timedelta(days=1)).isoformat(),
    }
    return {name: f"{day}T00:00:00Z" for name, day in days.items()}
