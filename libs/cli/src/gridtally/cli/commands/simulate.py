"""`gridtally simulate`: what the houses below a node would pay in a month under a policy."""

import asyncio
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from gridtally.cli.errors import CommandError
from gridtally.cli.options import AsJson, DataDir

if TYPE_CHECKING:
    from gridtally.cli.simulation import SimulationOutcome


def simulate(
    node: Annotated[str, typer.Argument(help="The property at or below which the houses are.")],
    policy: Annotated[
        Path,
        typer.Option(help="The policy as a JSON file.", exists=True, dir_okay=False),
    ],
    month: Annotated[str, typer.Option(help="The billing month, YYYY-MM.")],
    source: Annotated[
        Literal["stored", "generated"], typer.Option(help="Where readings come from.")
    ] = "stored",
    profile: Annotated[
        Path | None,
        typer.Option(
            help="For generated readings: latitude, longitude, kWp and the like, as a JSON file.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="For generated readings.")] = 0,
    name: Annotated[str, typer.Option(help="What the run is called.")] = "gridtally simulate",
    patience_s: Annotated[
        float, typer.Option("--patience", min=1, help="Seconds until a run takes too long.")
    ] = 3600,
    data_dir: DataDir = None,
    *,
    missing_is_zero: Annotated[
        bool, typer.Option("--missing-is-zero", help="Missing intervals count as no energy.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Simulate a month of bills and print the totals and the extremes."""
    run: dict[str, Any] = {
        "name": name,
        **_month(month),
        "topology_root_node_id": node,
        "source": source,
        "policy": _read(policy),
        "seed": seed,
        "missing": "counts_as_zero" if missing_is_zero else "refused",
    }
    if profile is not None:
        run["profile"] = _read(profile)
    _follow(run, data_dir, patience_s, as_json=as_json)


def _follow(
    run: dict[str, Any], data_dir: Path | None, patience_s: float, *, as_json: bool
) -> None:
    """Simulate with a progress bar, and print what came out."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn

    from gridtally.cli.installation import find_installation
    from gridtally.cli.report import print_json, simulation_tables
    from gridtally.cli.simulation import simulate as follow

    installation = find_installation(os.environ, data_dir)
    columns = ("houses", BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(highlight=False, stderr=as_json)
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("houses", total=None)

        def advance(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        async def ask() -> "SimulationOutcome":
            async with installation.as_tenant() as api:
                return await follow(api, run, advance, patience_s=patience_s)

        outcome = asyncio.run(ask())
    if as_json:
        print_json(
            {
                "run": outcome.run,
                "totals": outcome.totals,
                "highest": outcome.highest,
                "lowest": outcome.lowest,
            }
        )
    else:
        console.print(*simulation_tables(outcome))


def _month(text: str) -> dict[str, int]:
    year, _, month = text.partition("-")
    if not (year.isdecimal() and month.isdecimal()):
        raise CommandError(f"{text!r} is no month: name it as 2025-10")
    return {"billing_cycle_year": int(year), "billing_cycle_month": int(month)}


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text())
    except ValueError as broken:
        raise CommandError(f"{path} is not JSON: {broken}") from None
