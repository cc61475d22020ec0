"""`gridtally rate`: a tariff file and a usage file in, bills out. Needs no services."""

import json
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from kernel.errors import Rejected

if TYPE_CHECKING:
    from rating.bill import Bill
    from rating.usage import Usage

STEP_SHOWN = Decimal("0.00000001")
"""Of quantities and rates, in tables: as fine as a tariff can say a rate."""
Rated = list[tuple["Usage", "Bill"]]


def rate(
    tariff: Annotated[Path, typer.Argument(help="The tariff, as JSON (docs/tariffs.md).")],
    usage: Annotated[
        Path,
        typer.Argument(
            help="CSV with start_local or start_utc, minutes, and import_kwh, export_kwh "
            "or load_kwh, gen_kwh."
        ),
    ],
    zone: Annotated[
        str | None, typer.Option(help="The meter's IANA time zone; the tariff's unless given.")
    ] = None,
    period: Annotated[
        str, typer.Option(metavar="month|FROM:TO", help="Local days, TO not included.")
    ] = "month",
    connected_kw: Annotated[
        str | None, typer.Option(help="The connected load, for charges per kW.")
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, decimals as texts.")] = False,
) -> None:
    """Rate a usage file by a tariff file: every line of every period's bill."""
    try:
        rated = _rate_files(tariff, usage, zone, period, connected_kw)
    except OSError as error:
        _fail(f"{error.filename}: {error.strerror}")
    except (Rejected, ValueError) as error:
        _fail(str(error))
    if as_json:
        from rating.quote import quote_document

        usages, bills = zip(*rated, strict=True)
        typer.echo(json.dumps(quote_document(usages, bills), indent=2))
    else:
        _print_tables(rated)


def _fail(detail: str) -> NoReturn:
    typer.echo(f"error: {detail}", err=True)
    raise typer.Exit(1)


def _rate_files(
    tariff: Path, usage: Path, zone: str | None, period: str, connected_kw: str | None
) -> Rated:
    """The usage and bill of each period."""
    from gridtally.usage_file import parse_period, read_intervals
    from kernel.ids import derive_id
    from kernel.money import parse_decimal
    from kernel.periods import zone_named
    from rating.document import tariff_version
    from rating.quote import chain

    text = tariff.read_text(encoding="utf-8")
    try:
        version = tariff_version(derive_id("tariff-file", text), json.loads(text))
    except json.JSONDecodeError as error:
        raise ValueError(f"{tariff}: no JSON: {error}") from None
    except Rejected as error:
        raise ValueError(f"{tariff}: {error}") from None
    kw = None if connected_kw is None else parse_decimal(connected_kw)
    meter_zone = zone or version.zone
    zone_named(meter_zone)
    wanted = None if period == "month" else parse_period(period)
    with usage.open(encoding="utf-8-sig", newline="") as lines:
        try:
            intervals = read_intervals(lines, meter_zone)
            periods = intervals.months() if wanted is None else [wanted]
            usages = [intervals.usage(each, kw) for each in periods]
        except (Rejected, ValueError) as error:
            raise ValueError(f"{usage}: {error}") from None
    return list(zip(usages, chain(version, usages), strict=True))


def _print_tables(rated: Rated) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from rating.quote import plain

    console = Console(highlight=False)
    for usage, bill in rated:
        table = Table(
            box=box.SIMPLE_HEAD,
            title=f"{bill.period.start_on} to {bill.period.end_on} ({usage.zone})",
            title_justify="left",
        )
        for heading in ("component", "band"):
            table.add_column(heading)
        for heading in ("quantity", "unit", "rate", bill.currency):
            table.add_column(heading, justify="left" if heading == "unit" else "right")
        for line in bill.lines:
            table.add_row(
                line.item.component_id,
                line.item.band or "",
                _short(line.quantity),
                line.item.unit,
                _short(line.item.rate),
                plain(line.amount),
            )
        table.add_section()
        for name, amount in (("net", bill.net), ("tax", bill.tax), ("total", bill.total)):
            table.add_row(name, "", "", "", "", plain(amount))
        console.print(table)


def _short(number: Decimal) -> str:
    """With as many decimals as a person wants to see."""
    from rating.quote import plain

    shown = number.quantize(STEP_SHOWN)
    return plain(number if number == shown else shown)
