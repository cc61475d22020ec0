"""`gridtally import payments FILE`: what a bank says came in, booked as payments."""

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gridtally.cli.options import AsJson, DataDir

if TYPE_CHECKING:
    from gridtally.cli.api import Json
    from gridtally.cli.installation import Installation

FILE = "application/octet-stream"
UNMATCHED_SHOWN_MAX = 20


def payments(
    file: Annotated[Path, typer.Argument(help="A bank statement (camt.053), or CSV.")],
    data_dir: DataDir = None,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would become of it, and book nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Book the payments of a bank statement; a payment is booked once, however often it comes.

    A payment whose text names an invoice is its customer's. The others are booked as unmatched, and
    shown with the invoices that they may be for. Exit status 1 where the file cannot be read.
    """
    from gridtally.cli.import_file import read_content
    from gridtally.cli.installation import find_installation
    from gridtally.cli.report import print_json

    content = read_content(file)
    booked = asyncio.run(_book(find_installation(os.environ, data_dir), content, dry_run=dry_run))
    if as_json:
        print_json(booked)
    else:
        _show(booked, dry_run=dry_run)


async def _book(installation: "Installation", content: bytes, *, dry_run: bool) -> "Json":
    async with installation.as_tenant() as api:
        return await api.call(
            "ledger", "POST", "/v1/payment-files", content=content, content_type=FILE,
            query={"dry_run": dry_run},
        )  # fmt: skip


def _show(booked: "Json", *, dry_run: bool) -> None:
    """Counts, and what waits for a person."""
    intro = "dry run, nothing was booked: " if dry_run else ""
    typer.echo(
        f"{intro}{len(booked['payments'])} payments: {booked['matched']} matched, "
        f"{booked['unmatched']} unmatched, {booked['present']} there already; "
        f"{booked['passed_over']} other entries"
    )
    waiting = [payment for payment in booked["payments"] if payment["state"] == "unmatched"]
    for payment in waiting[:UNMATCHED_SHOWN_MAX]:
        likely = ", ".join(invoice["number"] for invoice in payment["invoices"])
        typer.echo(
            f"unmatched: {payment['booked_on']} {payment['amount']} {payment['currency']} "
            f"{payment['payer']}: {payment['reference']!r}{likely and f'; perhaps {likely}'}"
        )
    if left := waiting[UNMATCHED_SHOWN_MAX:]:
        typer.echo(f"and {len(left)} more: GET /v1/unmatched-payments")
