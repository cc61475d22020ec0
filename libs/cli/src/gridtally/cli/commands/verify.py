"""`gridtally verify`: the live reconciliation, and whether ledger or invoices were tampered with.

Each ends with exit status 1 when something does not hold.
"""

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gridtally.cli.options import AsJson, DataDir

if TYPE_CHECKING:
    from gridtally.cli.reconciliation import Finding
    from gridtally.kernel.chain import Checkpoint

app = typer.Typer(help="Check that everything agrees, and that nothing was tampered with.")

Earlier = Annotated[
    Path | None,
    typer.Option("--checkpoint", help="A checkpoint that was saved before.", dir_okay=False),
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
    *,
    as_json: AsJson = False,
) -> None:
    """Compare what was received, billed and booked. Exits with 1 on a breach.

    While work goes on figures differ for moments: only a difference that stays is a breach.
    """
    if context.invoked_subcommand is not None:
        return
    from gridtally.cli.installation import find_installation
    from gridtally.cli.reconciliation import Finding, reconcile_until_stable
    from gridtally.cli.report import print_findings

    installation = find_installation(os.environ, data_dir)

    async def reconcile() -> list[Finding]:
        async with installation.as_tenant() as api:
            return await reconcile_until_stable(api, patience_s=patience_s)

    print_findings(asyncio.run(reconcile()), as_json=as_json)


@app.command()
def ledger(
    checkpoint: Earlier = None,
    export: Annotated[
        Path | None,
        typer.Option(help="Check this export, without a server.", exists=True, dir_okay=False),
    ] = None,
    save: Annotated[
        Path | None, typer.Option(help="Save the checkpoint reached here.", dir_okay=False)
    ] = None,
    data_dir: DataDir = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Repeat the ledger's hash chain and Merkle tree, entry by entry, from its export.

    Only a checkpoint that is kept where nobody can change it shows that history was not rewritten.
    """
    from gridtally.cli.ledger_proofs import check_file, read_checkpoint, write_checkpoint
    from gridtally.cli.report import print_findings

    earlier = read_checkpoint(checkpoint) if checkpoint else None
    if export is not None:
        finding, reached = check_file(export, earlier)
        findings = [finding]
    else:
        findings, reached = asyncio.run(_check_online(earlier, data_dir))
    holds = all(finding.holds for finding in findings)
    if save is not None and reached is not None and holds:
        write_checkpoint(save, reached)
    print_findings(findings, as_json=as_json)


@app.command()
def proof(
    path: Annotated[Path, typer.Argument(help="The answer of /v1/ledger/entries/{seq}/proof.")],
    checkpoint: Earlier = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Check, without a server, that an entry is among those of a checkpoint."""
    from gridtally.cli.ledger_proofs import check_proof, read_checkpoint
    from gridtally.cli.report import print_findings

    earlier = read_checkpoint(checkpoint) if checkpoint else None
    print_findings([check_proof(path, earlier)], as_json=as_json)


@app.command()
def invoice(
    path: Annotated[Path, typer.Argument(help="The answer of /v1/invoices/{id}/proof.")],
    root: Annotated[
        str | None, typer.Option(help="The root that the invoice itself has.", metavar="HEX")
    ] = None,
    entry: Annotated[
        Path | None,
        typer.Option(
            help="The proof of the ledger's entry (verify proof), which has the root.",
            dir_okay=False,
        ),
    ] = None,
    checkpoint: Earlier = None,
    *,
    without_root: Annotated[
        bool,
        typer.Option("--without-root", help="Take one of an invoice from before there were roots."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Compute an invoice again from its proof, without a server, and say what was tampered with.

    Only a root from elsewhere, the invoice's or the ledger's, shows that not all of it was forged.
    """
    from gridtally.cli.invoice_proofs import check_invoice
    from gridtally.cli.report import print_json

    checked = check_invoice(path, root, entry, checkpoint, may_lack_root=without_root)
    if as_json:
        print_json({"ok": checked.holds, "finding": checked.text, "root": checked.root})
    else:
        typer.echo(checked.text)
    if not checked.holds:
        raise typer.Exit(1)


async def _check_online(
    earlier: "Checkpoint | None", data_dir: Path | None
) -> tuple[list["Finding"], "Checkpoint | None"]:
    import tempfile

    from gridtally.cli.installation import find_installation
    from gridtally.cli.ledger_proofs import check_online

    installation = find_installation(os.environ, data_dir)
    with tempfile.TemporaryDirectory(prefix="gridtally-verify-") as folder:
        async with installation.as_tenant() as api:
            return await check_online(api, earlier, Path(folder) / "export.ndjson")
