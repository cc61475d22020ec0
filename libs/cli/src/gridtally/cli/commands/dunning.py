"""`gridtally dunning`: ask customers again for what is overdue, and list who was asked."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from gridtally.cli.options import AsJson, DataDir

if TYPE_CHECKING:
    from gridtally.cli.api import Api, Json

app = typer.Typer(help="Dun customers by the tenant's rules.", no_args_is_help=True)

ROWS = 50
POLL_S = 0.5


@app.command()
def run(
    day: Annotated[
        str | None, typer.Option("--on", help="What was due before this day, in UTC: today.")
    ] = None,
    data_dir: DataDir = None,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the notices, and issue none.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Have each overdue invoice rise to its next level, and wait until all customers are done.

    Each customer gets one notice in a currency, whose fee is booked. The same again does nothing.
    """
    import asyncio

    from gridtally.cli.questions import asked
    from gridtally.cli.report import print_json

    of_day = {} if day is None else {"on": day}

    async def preview(api: "Api") -> "list[Json]":
        path = "/v1/dunning-runs/preview"
        return [notice async for notice in api.items("ledger", path, **of_day)]

    async def issue(api: "Api") -> "Json":
        going = await api.post("ledger", "/v1/dunning-runs", of_day)
        while going["state"] == "running":
            await asyncio.sleep(POLL_S)
            going = await api.get("ledger", f"/v1/dunning-runs/{going['id']}")
        return going

    if dry_run:
        _show(asked(data_dir, preview), "dry run, nothing is issued", as_json=as_json)
        return
    done = asked(data_dir, issue)
    if as_json:
        print_json(done)
        return
    for total in done["totals"]:
        typer.echo(f"{total['notices']} notices, {total['fees']} {total['currency']} of fees")
    if not done["totals"]:
        typer.echo("no notices: nothing has reached its next level")


@app.command("list")
def list_notices(
    customer: Annotated[str | None, typer.Option(help="Only this customer's, by id.")] = None,
    state: Annotated[
        Literal["issued", "withdrawn"] | None,
        typer.Option(help="Only those that count, or were withdrawn."),
    ] = None,
    rows: Annotated[int, typer.Option(min=1, help="How many at most.")] = ROWS,
    data_dir: DataDir = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show notices, the oldest first."""
    from gridtally.cli.questions import asked, checked_id

    filters = {"customer_id": None if customer is None else checked_id(customer), "state": state}
    query = {name: value for name, value in filters.items() if value is not None}

    async def ask(api: "Api") -> "tuple[list[Json], bool]":
        found: list[Json] = []
        async for notice in api.items("ledger", "/v1/dunning-notices", **query):
            if len(found) == rows:
                return found, True
            found.append(notice)
        return found, False

    found, has_more = asked(data_dir, ask)
    more = f"there are more: --rows says how many are shown, {rows} here" if has_more else ""
    _show(found, more, as_json=as_json)


def _show(notices: "list[Json]", said: str, *, as_json: bool) -> None:
    """Notices, a row each, or as JSON, with what is said of them."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from gridtally.cli.report import print_json

    if as_json:
        print_json({"items": notices, "note": said})
        return
    table = Table("customer", "level", "invoices", "pay by", "state", title_justify="left")
    for heading in ("fee", "total"):
        table.add_column(heading, justify="right")
    table.add_column("currency")
    for notice in notices:
        table.add_row(
            notice["customer_id"],
            f"{notice['level']} {escape(notice['name'])}",
            str(len(notice["items"])),
            notice["pay_by"],
            notice.get("state", "not issued"),
            notice["fee"],
            notice["total"],
            notice["currency"],
        )
    table.caption = said or (None if notices else "nobody was dunned")
    Console(highlight=False).print(table)
