"""`gridtally demo`: the main job on this machine, from a gateway to a balanced ledger."""

import asyncio
import os
import secrets
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from gridtally.cli.options import AsJson

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

    from gridtally.local_stack.demo.walkthrough import Outcome

HOMES_MAX = 100_000


def demo(
    homes: Annotated[int, typer.Option(min=5, max=HOMES_MAX, help="Size of the portfolio.")] = 500,
    servers: Annotated[
        Literal["auto", "real", "wheels"],
        typer.Option(help="Real Kafka and TimescaleDB, or the stand-ins from wheels."),
    ] = "auto",
    stay_up: Annotated[  # noqa: FBT002 - a flag of the command line
        bool, typer.Option("--stay", help="Leave everything running until Ctrl-C.")
    ] = False,
    *,
    as_json: AsJson = False,
) -> None:
    """Bill a month of a portfolio of homes and explain what happened.

    Starts everything in a folder of its own and takes it down again. Exits with 1 when the
    reconciliation finds a breach.
    """
    from rich.console import Console

    from gridtally.local_stack.console import sign_in_link
    from gridtally.local_stack.demo import walkthrough
    from gridtally.local_stack.installation import LOCAL_TENANT, open_installation
    from gridtally.local_stack.stack import Options, keep_running, stack, until_stopped

    console = Console(highlight=False, stderr=as_json)

    def report(line: str) -> None:
        console.print(line, markup=False, soft_wrap=True)

    holds = False
    with until_stopped(), _folder() as folder:
        options = Options(data_dir=folder, kind=servers)
        with stack(options, os.environ, report) as running:
            installation = asyncio.run(open_installation(running, folder))
            with _progress(console) as steps:
                run_name = secrets.token_hex(3)
                outcome = asyncio.run(
                    walkthrough.run(installation, steps, count=homes, run_name=run_name)
                )
            if as_json:
                _print_json(outcome)
            else:
                _show(console, outcome)
            holds = all(finding.holds for finding in outcome.findings)
            if stay_up:
                report(f"API key of the tenant {LOCAL_TENANT}: {installation.api_key}")
                report(f"Console: {sign_in_link(running.console, installation)}")
                keep_running(running, folder, report)
    if not holds:
        raise typer.Exit(1)


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="gridtally-demo-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL runs as another user when we are root
        yield folder


class _Bars:
    """Progress bars, one a step."""

    def __init__(self, progress: "Progress") -> None:
        self._progress = progress

    def step(self, title: str, total: int) -> Callable[[int], None]:
        task = self._progress.add_task(title, total=total)
        return lambda done: self._progress.advance(task, done)


@contextmanager
def _progress(console: "Console") -> Iterator[_Bars]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn

    columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        yield _Bars(progress)


def _print_json(outcome: "Outcome") -> None:
    from gridtally.cli.report import print_json

    print_json(
        {
            "homes": outcome.homes,
            "sent": asdict(outcome.sent),
            "registered_s": outcome.registered_s,
            "published_s": outcome.published_s,
            "invoiced_after_s": outcome.invoiced_after_s,
            "corrected_after_s": outcome.corrected_after_s,
            "posted_after_s": outcome.posted_after_s,
            "invoices": len(outcome.invoices),
            "credit_notes": len(outcome.credit_notes),
            "trial_balance": outcome.trial_balance,
            "simulation": {
                "totals": outcome.simulation.totals,
                "took_s": outcome.simulation.took_s,
            },
            "findings": [asdict(finding) for finding in outcome.findings],
        }
    )


def _show(console: "Console", outcome: "Outcome") -> None:
    from gridtally.cli.report import findings_table, simulation_tables
    from gridtally.local_stack.demo.report import bill_table, trial_balance_table

    sent = outcome.sent
    console.print(
        f"\n{outcome.homes} homes registered in {outcome.registered_s:.1f} s; "
        f"{sent.readings:,} readings in {sent.messages:,} messages published in "
        f"{outcome.published_s:.1f} s ({sent.readings / outcome.published_s:,.0f} readings/s), "
        f"{sent.late} blocks late, {sent.twice} sent twice, {sent.corrections} corrected."
    )
    console.print(
        f"The last of {outcome.homes} invoices came {outcome.invoiced_after_s:.1f} s after the "
        f"last reading. Corrections after the close took {outcome.corrected_after_s:.1f} s to "
        f"become {len(outcome.credit_notes)} credit notes and new invoices; all was posted "
        f"{outcome.posted_after_s:.1f} s later.\n"
    )
    used = [invoice for invoice in outcome.invoices if all(line.amount for line in invoice.lines)]
    console.print(bill_table(max(used, key=lambda invoice: (len(invoice.lines), invoice.number))))
    console.print(trial_balance_table(outcome.trial_balance))
    console.print(findings_table(outcome.findings))
    console.print(*simulation_tables(outcome.simulation))
