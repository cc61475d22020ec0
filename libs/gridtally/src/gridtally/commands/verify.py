"""`gridtally verify`: the live reconciliation, and whether the ledger was tampered with.

Each ends with exit status 1 when something does not hold.
"""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gridtally.commands.local import DataDir

if TYPE_CHECKING:
    from gridtally.reconciliation import Finding
    from kernel.chain import Checkpoint

app = typer.Typer(help="Check that everything agrees, and that nothing was tampered with.")

Earlier = Annotated[
    Path | None,
    typer.Option("--checkpoint", help="A checkpoint that was kept from before.", dir_okay=False),
]


@app.callback(invoke_without_command=True)
def verify(
    context: typer.Context,
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
    if context.invoked_subcommand is not None:
        return
    from gridtally.installation import find_installation
    from gridtally.reconciliation import Finding, settle
    from gridtally.stack.local import default_data_dir

    found = find_installation(os.environ, data_dir or default_data_dir(os.environ))

    async def ask() -> list[Finding]:
        async with found.as_tenant() as api:
            return await settle(api, patience_s=patience_s)

    _report(asyncio.run(ask()))


@app.command()
def ledger(
    checkpoint: Earlier = None,
    export: Annotated[
        Path | None,
        typer.Option(help="Check this export, without a server.", exists=True, dir_okay=False),
    ] = None,
    save: Annotated[
        Path | None, typer.Option(help="Keep the checkpoint reached here.", dir_okay=False)
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Repeat the ledger's hash chain and Merkle tree, entry by entry, from its export.

    Only a checkpoint that is kept where nobody can change it shows that history was not made anew.
    """
    from gridtally.ledger_check import check_file, read_checkpoint, write_checkpoint

    earlier = read_checkpoint(checkpoint) if checkpoint else None
    if export is not None:
        finding, reached = check_file(export, earlier)
        findings = [finding]
    else:
        findings, reached = asyncio.run(_online(earlier, data_dir))
    holds = all(finding.holds for finding in findings)
    if save is not None and reached is not None and holds:
        write_checkpoint(save, reached)
    _report(findings)


@app.command()
def proof(
    path: Annotated[Path, typer.Argument(help="The answer of /v1/ledger/entries/{seq}/proof.")],
    checkpoint: Earlier = None,
) -> None:
    """Check, without a server, that an entry is among those of a checkpoint."""
    from gridtally.ledger_check import check_proof, read_checkpoint

    _report([check_proof(path, read_checkpoint(checkpoint) if checkpoint else None)])


async def _online(
    earlier: "Checkpoint | None", data_dir: Path | None
) -> tuple[list["Finding"], "Checkpoint | None"]:
    import tempfile

    from gridtally.installation import find_installation
    from gridtally.ledger_check import check_online
    from gridtally.stack.local import default_data_dir

    found = find_installation(os.environ, data_dir or default_data_dir(os.environ))
    with tempfile.TemporaryDirectory(prefix="gridtally-verify-") as folder:
        async with found.as_tenant() as api:
            return await check_online(api, earlier, Path(folder) / "export.ndjson")


def _report(findings: Sequence["Finding"]) -> None:
    from rich.console import Console

    from gridtally.report import findings_table

    Console(highlight=False).print(findings_table(findings))
    if not all(finding.holds for finding in findings):
        raise typer.Exit(1)
