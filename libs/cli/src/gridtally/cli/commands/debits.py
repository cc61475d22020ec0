"""`gridtally debits`: collect what is due from customers' banks, and list what came of it."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gridtally.cli.options import AsJson, DataDir

if TYPE_CHECKING:
    from gridtally.cli.api import Api, Json

app = typer.Typer(help="Collect by SEPA direct debit.", no_args_is_help=True)

PATH = "/v1/direct-debits"


@app.command()
def collect(
    due_through: Annotated[
        str | None, typer.Option(help="The last due day of what is collected, in UTC: today.")
    ] = None,
    day: Annotated[
        str | None,
        typer.Option("--on", help="When the bank collects: after the creditor's days of lead."),
    ] = None,
    directory: Annotated[Path, typer.Option(help="Where the files for the bank go.")] = Path(),
    data_dir: DataDir = None,
    *,
    returned_too: Annotated[
        bool, typer.Option("--returned-too", help="Also what came back from the bank before.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what the first batch would be, and make none.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make batches of direct debits of all that is due, and write the file for the bank of each.

    What a debit collects is in no other one, so the same again makes nothing.
    """
    from gridtally.cli.document_file import write_file
    from gridtally.cli.questions import asked
    from gridtally.cli.report import print_json

    async def ask(api: "Api") -> "list[Json]":
        today = datetime.now(UTC).date()
        body = {
            "due_through": due_through or str(today),
            "collection_on": day or await _first_day(api, today),
            "returned_too": returned_too,
            "dry_run": dry_run,
        }
        batches: list[Json] = []
        while True:
            batch = await api.post("ledger", PATH, body)
            if batch["id"] is not None:  # its file before the next batch is made
                name = directory / f"direct-debits-{batch['id']}.xml"
                file = api.stream("ledger", f"{PATH}/{batch['id']}/file")
                write_file(name, b"".join([piece async for piece in file]))
                batch["file"] = str(name)
            if batch["debits"]:
                batches.append(batch)
            if dry_run or not batch["more"]:
                return batches

    batches = asked(data_dir, ask)
    if as_json:
        print_json({"batches": batches, "dry_run": dry_run})
    else:
        _show(batches, "dry run, nothing is collected" if dry_run else "nothing is due")


async def _first_day(api: "Api", today: date) -> str:
    settings = await api.get("ledger", "/v1/direct-debit-settings")
    return str(today + timedelta(days=settings["lead_days"]))


@app.command("list")
def list_batches(data_dir: DataDir = None, *, as_json: AsJson = False) -> None:
    """Show all batches, the oldest first, and how many of their debits came in."""
    from gridtally.cli.questions import asked
    from gridtally.cli.report import print_json

    async def ask(api: "Api") -> "list[Json]":
        return [batch async for batch in api.items("ledger", PATH)]

    batches = asked(data_dir, ask)
    if as_json:
        print_json({"items": batches})
    else:
        _show(batches, "no batch was made")


@app.command()
def file(
    batch: Annotated[str, typer.Argument(help="The batch's id.")],
    output: Annotated[
        Path | None, typer.Option(help="The file. [default: direct-debits-ID.xml, here]")
    ] = None,
    data_dir: DataDir = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Write the file for the bank of a batch (pain.008) once more, and print its name."""
    from gridtally.cli.document_file import write_document
    from gridtally.cli.questions import checked_id

    batch_id = checked_id(batch)
    name = output or Path(f"direct-debits-{batch_id}.xml")
    write_document(data_dir, "ledger", f"{PATH}/{batch_id}/file", {}, name, as_json=as_json)


def _show(batches: "list[Json]", said: str) -> None:
    """Batches, a row each; what is said stands below, of a dry run or where there are none."""
    from rich.console import Console
    from rich.table import Table

    table = Table("batch", "due through", "collected on", "state", title_justify="left")
    for heading in ("debits", "total", "came in"):
        table.add_column(heading, justify="right")
    table.add_column("file")
    for batch in batches:
        table.add_row(
            batch["id"] or "",
            batch["due_through"],
            batch["collection_on"],
            batch["state"] or "not made",
            str(batch["count"]),
            f"{batch['total']} {batch['currency']}",
            str(batch["collected"]),
            batch.get("file", ""),
        )
    if not batches or batches[0]["id"] is None:
        table.caption = said
    Console(highlight=False).print(table)
