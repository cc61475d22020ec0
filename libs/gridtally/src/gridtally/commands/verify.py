"""`gridtally verify`: the live reconciliation, with an exit status."""

import asyncio
import os
from typing import Annotated

import typer

from gridtally.commands.local import DataDir


def verify(
    data_dir: DataDir = None,
    patience_s: Annotated[
        float,
        typer.Option(
            "--patience", min=0, max=600, help="Seconds until a difference counts as a breach."
        ),
    ] = 30,
) -> None:
    """Set against one another what was received, billed and booked. Exits with 1 on a breach.

    While work goes on figures differ for moments: a difference that does not go is a breach.
    """
    from rich.console import Console

    from gridtally.installation import find_installation
    from gridtally.reconciliation import Finding, settle
    from gridtally.report import findings_table
    from gridtally.stack.local import default_data_dir

    found = find_installation(os.environ, data_dir or default_data_dir(os.environ))

    async def ask() -> list[Finding]:
        async with found.as_tenant() as api:
            return await settle(api, patience_s=patience_s)

    findings = asyncio.run(ask())
    Console(highlight=False).print(findings_table(findings))
    if not all(finding.holds for finding in findings):
        raise typer.Exit(1)
