"""`gridtally import customers|properties|meters|agreements|readings|opening-balances`: from CSV,
and register readings from NEM13."""

import asyncio
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gridtally.cli.errors import CommandError, ServiceAway
from gridtally.cli.options import AsJson, DataDir

if TYPE_CHECKING:
    from gridtally.cli.data_files.kinds import Name
    from gridtally.cli.data_files.outcomes import Outcomes, State
    from gridtally.cli.data_files.references import References
    from gridtally.cli.data_files.rows import Row
    from gridtally.client import ClientError

REFUSALS_SHOWN_MAX = 10
CHANGES: "dict[State, str]" = {
    "new": "new",
    "present": "there already",
    "undone": "removed",
    "absent": "not there",
    "refused": "refused",
}
DataFile = Annotated[
    Path,
    typer.Argument(
        help="CSV in UTF-8; the first row names the columns. Register readings also in NEM13."
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check every row, and make nothing.")]
Undo = Annotated[
    bool, typer.Option("--undo", help="Remove what the file has made and nobody has changed.")
]
Report = Annotated[
    Path | None, typer.Option(help="Write each refused row with its reason to this CSV file.")
]


def _command(name: "Name", help_: str) -> Callable[..., None]:
    """The command that imports files of one kind: all have the same options."""

    def run(
        file: DataFile,
        report: Report = None,
        data_dir: DataDir = None,
        *,
        dry_run: DryRun = False,
        undo: Undo = False,
        as_json: AsJson = False,
    ) -> None:
        _run(name, file, report, data_dir, dry_run=dry_run, undo=undo, as_json=as_json)

    run.__doc__ = help_
    return run


HELP: "dict[Name, str]" = {
    "customers": "customers: reference, name, currency; e-mail, address, language and more.",
    "properties": "properties: reference, name, zone; address, customer, the property above.",
    "meters": "meters: reference, property, meter_type; what they measure and show.",
    "agreements": "agreements: reference, customer, meter, tariff (its code), start_on; end_on, "
    "billing_starts_on.",
    "opening-balances": "what is owed: reference, customer, currency, amount, occurred_at; due_on.",
}


def readings(
    file: DataFile,
    map_: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            help="Of NEM13: REGISTER=METER ('6102000001 11=M-1'), a reference or an id; repeat.",
        ),
    ] = None,
    report: Report = None,
    data_dir: DataDir = None,
    *,
    dry_run: DryRun = False,
    undo: Undo = False,
    as_json: AsJson = False,
) -> None:
    """Import register readings: meter, read_at, kwh; flow, quality, note; or a file of NEM13."""
    _run(
        "readings", file, report, data_dir,
        map_=map_ or (), dry_run=dry_run, undo=undo, as_json=as_json,
    )  # fmt: skip


COMMANDS = {name: _command(name, f"Import {columns}") for name, columns in HELP.items()} | {
    "readings": readings
}


def _run(
    name: "Name",
    file: Path,
    report: Path | None,
    data_dir: Path | None,
    *,
    map_: Sequence[str] = (),
    dry_run: bool,
    undo: bool,
    as_json: bool,
) -> None:
    """Do it with a bar, and say what became of the rows; exit status 1 where one is refused."""
    from gridtally.cli.data_files.outcomes import Outcomes
    from gridtally.cli.installation import find_installation, settings_of
    from gridtally.cli.report import print_json

    if undo and dry_run:
        raise CommandError("give either --dry-run or --undo")
    rows = _rows(name, file, map_)
    settings = settings_of(find_installation(os.environ, data_dir))
    with Outcomes(report) as outcomes, _progress() as show:
        asyncio.run(send_rows(settings, name, rows, outcomes, show, dry_run=dry_run, undo=undo))
    counted = {state: outcomes.counts[state] for state in CHANGES if outcomes.counts[state]}
    if as_json:
        refusals = [asdict(refusal) for refusal in outcomes.refusals]
        print_json({"rows": outcomes.rows, "dry_run": dry_run, **counted, "refusals": refusals})
    else:
        _show(name, outcomes, dry_run=dry_run)
    if outcomes.counts["refused"]:
        raise typer.Exit(1)


def _rows(name: "Name", file: Path, map_: Sequence[str]) -> "Iterator[Row]":
    """The rows of a file: of a table, or of a market's file of register readings."""
    from gridtally.cli.data_files.kinds import KINDS
    from gridtally.cli.data_files.register_files import (
        has_registers,
        parse_mapping,
        read_register_rows,
    )
    from gridtally.cli.data_files.rows import read_rows

    mapping = parse_mapping(map_)
    if name == "readings" and has_registers(file):
        return read_register_rows(file, mapping)
    if mapping:
        raise CommandError("--map is for NEM13: a table names the meter of each reading itself")
    return read_rows(file, KINDS[name].columns)


async def send_rows(
    settings: dict[str, str],
    name: "Name",
    rows: "Iterator[Row]",
    outcomes: "Outcomes",
    show: Callable[[int], None],
    *,
    dry_run: bool = False,
    undo: bool = False,
    **how: Any,
) -> None:
    """Check, make or remove what rows name; `how` is for the client. CommandError where the key may
    not do it, ServiceAway where a service is away: the rows that are done stay done."""
    from gridtally.cli.data_files.references import References
    from gridtally.client import AsyncClient, ClientError, Retries

    try:
        async with AsyncClient.from_environment(
            settings, retries=Retries(attempts=8), **how
        ) as client:
            tenant_id = (await client.billing.get_identity()).tenant_id
            references = References(tenant_id, client)
            await _work_as(references, name, rows, outcomes, show, dry_run=dry_run, undo=undo)
    except (ClientError, ExceptionGroup) as failure:
        [stopped, *_] = failure.exceptions if isinstance(failure, ExceptionGroup) else [failure]
        if not isinstance(stopped, ClientError):
            raise
        raise _stopped(stopped, outcomes.rows) from failure


def _stopped(failure: "ClientError", rows: int) -> CommandError:
    """Why an import ends before its file does."""
    from gridtally.client import NotAllowed, NotNow
    from gridtally.client import ServiceAway as NobodyAnswers

    if isinstance(failure, NotAllowed):
        return CommandError(f"the key may not do this: {failure}")
    if isinstance(failure, NobodyAnswers | NotNow):
        return ServiceAway(
            f"{failure}; {rows} rows are done: run it again, which changes nothing of them"
        )
    return CommandError(str(failure))


async def _work_as(
    references: "References",
    name: "Name",
    rows: "Iterator[Row]",
    outcomes: "Outcomes",
    show: Callable[[int], None],
    *,
    dry_run: bool,
    undo: bool,
) -> None:
    """Check, make or remove what the file names."""
    from gridtally.cli.data_files.checks import Checker
    from gridtally.cli.data_files.imports import IN_ORDER, Importer, parts_of
    from gridtally.cli.data_files.kinds import KINDS
    from gridtally.cli.data_files.undo import Undoer
    from gridtally.cli.data_files.windows import AT_ONCE, work_through

    if dry_run:
        work = Checker(name, references.client, outcomes).check
    elif undo:
        work = Undoer(name, references.client, outcomes).remove
    else:
        work = Importer(name, references.client, outcomes).send
    await work_through(
        rows, KINDS[name], references, outcomes, lambda items: parts_of(name, items), work, show,
        at_once=1 if name in IN_ORDER else AT_ONCE,
    )  # fmt: skip


def _show(name: str, outcomes: "Outcomes", *, dry_run: bool) -> None:
    """People read standard error; standard output is for `--json`."""
    parts = [
        f"{outcomes.counts[state]} {text}"
        for state, text in CHANGES.items()
        if outcomes.counts[state]
    ]
    intro = "dry run, nothing was made: " if dry_run else ""
    typer.echo(f"{intro}{outcomes.rows} {name}: {', '.join(parts) or 'no row'}", err=True)
    for refusal in outcomes.refusals[:REFUSALS_SHOWN_MAX]:
        typer.echo(f"refused: row {refusal.row} ({refusal.reference}): {refusal.reason}", err=True)
    if (left := outcomes.counts["refused"] - REFUSALS_SHOWN_MAX) > 0:
        typer.echo(f"and {left} more; --report FILE has them all", err=True)


def _progress() -> Any:
    """A bar on standard error, with the rows that are done."""
    from contextlib import contextmanager

    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    @contextmanager
    def bar() -> Any:
        columns = (SpinnerColumn(), TextColumn("{task.completed} rows"), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True)) as progress:
            task = progress.add_task("", total=None)
            yield lambda rows: progress.update(task, completed=rows)

    return bar()
