"""`gridtally statements`: a customer's account as a document in a file."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from gridtally.cli.options import AsJson, DataDir, DayAfter, FirstDay, utc_window

app = typer.Typer(help="Get statements of customers' accounts.", no_args_is_help=True)


@app.command()
def pdf(
    customer: Annotated[str, typer.Argument(help="The customer's id.")],
    first: FirstDay = None,
    end: DayAfter = None,
    currency: Annotated[
        str | None, typer.Option(help="The account's currency. [default: the customer's]")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="The file. [default: statement-ID-CURRENCY-DAYS, here]")
    ] = None,
    format_: Annotated[
        Literal["pdf", "html", "csv"],
        typer.Option("--format", help="The document, or its changes as a table."),
    ] = "pdf",
    data_dir: DataDir = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Write a customer's statement, in the customer's language, into a file and print its name."""
    from gridtally.cli.document_file import write_document
    from gridtally.cli.questions import checked_id, got

    customer_id = checked_id(customer)
    if currency is None:
        currency = got(data_dir, "billing", f"/v1/customers/{customer_id}")["currency"]
    window = utc_window(first, end)
    if output is None:
        days = "-".join(instant[:10] for instant in window.values())
        output = Path(f"statement-{customer_id}-{currency}-{days}.{format_}")
    query = {"currency": currency, "format": format_, **window}
    path = f"/v1/customers/{customer_id}/statement"
    write_document(data_dir, "ledger", path, query, output, as_json=as_json)
