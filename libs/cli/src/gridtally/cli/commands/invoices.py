"""`gridtally invoices`: a tenant's invoices, one with its lines, and its document as a file."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from gridtally.cli.errors import CommandError
from gridtally.cli.options import AsJson, DataDir

app = typer.Typer(help="List and show invoices, and get their documents.", no_args_is_help=True)

Invoice = Annotated[str, typer.Argument(help="The invoice's number or id.")]
ROWS = 50


@app.command("list")
def list_invoices(
    customer: Annotated[str | None, typer.Option(help="Only this customer's, by id.")] = None,
    first: Annotated[
        str | None, typer.Option("--from", help="Periods from this local day on.")
    ] = None,
    end: Annotated[
        str | None,
        typer.Option("--to", help="Periods that end by this day, not included."),
    ] = None,
    state: Annotated[
        Literal["issued", "void"] | None, typer.Option(help="Only those that stand, or are void.")
    ] = None,
    rows: Annotated[int, typer.Option(min=1, help="How many at most.")] = ROWS,
    data_dir: DataDir = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show invoices, the newest first."""
    from rich.console import Console

    from gridtally.cli.api import Api, Json
    from gridtally.cli.questions import asked, checked_id
    from gridtally.cli.report import invoices_table, print_json

    filters = {
        "customer_id": None if customer is None else checked_id(customer),
        "from": first, "to": end, "state": state,
    }  # fmt: skip
    query = {name: value for name, value in filters.items() if value is not None}

    async def ask(api: Api) -> tuple[list[Json], bool]:
        found: list[Json] = []
        async for item in api.items("billing", "/v1/invoices", **query):
            if len(found) == rows:
                return found, True
            found.append(item)
        return found, False

    found, has_more = asked(data_dir, ask)
    if as_json:
        print_json({"items": found, "has_more": has_more})
        return
    table = invoices_table(found)
    if has_more:
        table.caption = f"there are more: --rows says how many are shown, {rows} here"
    Console(highlight=False).print(table)


@app.command()
def show(invoice: Invoice, data_dir: DataDir = None, *, as_json: AsJson = False) -> None:
    """Show an invoice line by line."""
    from rich.console import Console

    from gridtally.cli.questions import got
    from gridtally.cli.report import invoice_table, print_json

    found = got(data_dir, "billing", f"/v1/invoices/{_id_of(invoice, data_dir)}")
    if as_json:
        print_json(found)
    else:
        Console(highlight=False).print(invoice_table(found))


@app.command()
def pdf(
    invoice: Invoice,
    output: Annotated[
        Path | None, typer.Option(help="The file. [default: the invoice's number, here]")
    ] = None,
    format_: Annotated[
        Literal["pdf", "html", "cii", "ubl"],
        typer.Option("--format", help="The document, or the e-invoice of EN 16931 alone."),
    ] = "pdf",
    data_dir: DataDir = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Write an invoice's document into a file and print its name."""
    from gridtally.cli.document_file import write_document
    from gridtally.cli.questions import got

    invoice_id = _id_of(invoice, data_dir)
    if output is None:
        number = got(data_dir, "billing", f"/v1/invoices/{invoice_id}")["number"]
        suffix = format_ if format_ in ("pdf", "html") else f"{format_}.xml"
        output = Path(f"{number.replace('/', '-')}.{suffix}")
    path = f"/v1/invoices/{invoice_id}/document"
    write_document(data_dir, "billing", path, {"format": format_}, output, as_json=as_json)


def _id_of(invoice: str, data_dir: Path | None) -> str:
    """The id of the invoice that is named by its id or number; CommandError where there is none."""
    from uuid import UUID

    from gridtally.cli.questions import got

    try:
        return str(UUID(invoice))
    except ValueError:
        found = got(data_dir, "billing", "/v1/invoices", number=invoice)["items"]
    if not found:
        raise CommandError(f"no invoice has the number {invoice!r}")
    invoice_id: str = found[0]["id"]
    return invoice_id
