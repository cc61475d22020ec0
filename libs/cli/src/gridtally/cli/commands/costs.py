"""`gridtally cost` and `gridtally preview`: what a customer's meters cost, and the next invoice."""

from typing import Annotated

import typer

from gridtally.cli.options import AsJson, DataDir, DayAfter, FirstDay, utc_window


def cost(
    customer: Annotated[str, typer.Argument(help="The customer's id.")],
    first: FirstDay = None,
    end: DayAfter = None,
    data_dir: DataDir = None,
    *,
    as_json: AsJson = False,
) -> None:
    """What a customer's meters used in some days, and what that costs, by device."""
    from rich.console import Console

    from gridtally.cli.questions import checked_id, got
    from gridtally.cli.report import cost_tables, print_json

    path = f"/v1/fleet/customers/{checked_id(customer)}/cost"
    answer = got(data_dir, "billing", path, **utc_window(first, end))
    if as_json:
        print_json(answer)
    else:
        Console(highlight=False).print(*cost_tables(answer))


def preview(
    agreement: Annotated[str, typer.Argument(help="The agreement's id.")],
    on: Annotated[
        str | None, typer.Option(help="A local day of the period. [default: today]")
    ] = None,
    data_dir: DataDir = None,
    *,
    as_json: AsJson = False,
) -> None:
    """What an agreement's next invoice is so far, and will probably be."""
    from rich.console import Console

    from gridtally.cli.questions import checked_id, got
    from gridtally.cli.report import preview_table, print_json

    path = f"/v1/agreements/{checked_id(agreement)}/preview"
    answer = got(data_dir, "billing", path, **({} if on is None else {"on": on}))
    if as_json:
        print_json(answer)
    else:
        Console(highlight=False).print(preview_table(answer))
