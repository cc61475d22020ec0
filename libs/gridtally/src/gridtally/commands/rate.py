"""`gridtally rate`: a tariff file and a usage file in, bills out. Needs no services."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from gridtally.errors import CommandError
from kernel.errors import Rejected

if TYPE_CHECKING:
    from gridtally.usage_file import Intervals
    from rating.bill import Bill
    from rating.prices import PriceSeries
    from rating.tariff import TariffVersion
    from rating.usage import Usage


@dataclass(frozen=True, slots=True)
class Options:
    """What is asked for besides the two files, as it was typed."""

    zone: str | None
    period: str
    connected_kw: str | None
    holidays: str | None
    prices: Sequence[str]
    label: str | None


@dataclass(frozen=True, slots=True)
class Rated:
    """The usage and the bill of each period, in turn, and what a reader should be warned of."""

    usages: list["Usage"]
    bills: list["Bill"]
    warnings: list[str]


def rate(
    tariff: Annotated[
        Path, typer.Argument(help="The tariff, as JSON: native (docs/tariffs.md) or of the URDB.")
    ],
    usage: Annotated[
        Path,
        typer.Argument(
            help="CSV with start_local or start_utc, minutes, and import_kwh, export_kwh "
            "or load_kwh, gen_kwh."
        ),
    ],
    zone: Annotated[
        str | None,
        typer.Option(help="The meter's IANA time zone; the tariff's unless given (URDB has none)."),
    ] = None,
    period: Annotated[
        str, typer.Option(metavar="month|FROM:TO", help="Local days, TO not included.")
    ] = "month",
    connected_kw: Annotated[
        str | None, typer.Option(help="The connected load, for charges per kW.")
    ] = None,
    holidays: Annotated[
        str | None,
        typer.Option(
            metavar="COUNTRY[-SUBDIVISION]|FILE",
            help="Holidays for a tariff without its own: US-CA, or a file with a date per line.",
        ),
    ] = None,
    prices: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE|NAME=FILE",
            help="Spot prices: CSV with start_local or start_utc, minutes, price_per_kwh or "
            "price_per_mwh. Once per series, by its name.",
        ),
    ] = None,
    label: Annotated[
        str | None, typer.Option(help="Which rate, of a URDB file with several.")
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, decimals as texts.")] = False,
) -> None:
    """Rate a usage file by a tariff file: every line of every period's bill."""
    options = Options(zone, period, connected_kw, holidays, prices or (), label)
    try:
        rated = rate_files(tariff, usage, options)
    except (CommandError, Rejected, ValueError) as error:
        _fail(str(error))
    for warning in rated.warnings:
        typer.echo(f"warning: {warning}", err=True)
    show = _print_json if as_json else _print_tables
    show(rated)


def _print_json(rated: Rated) -> None:
    from rating.quote import quote_document

    typer.echo(json.dumps(quote_document(rated.usages, rated.bills), indent=2))


def _print_tables(rated: Rated) -> None:
    from rich.console import Console

    from gridtally.bill_tables import bill_tables

    console = Console(highlight=False)
    for table in bill_tables(rated.usages, rated.bills):
        console.print(table)


def _fail(detail: str) -> NoReturn:
    typer.echo(f"error: {' '.join(detail.splitlines())}", err=True)
    raise typer.Exit(1)


def rate_files(tariff: Path, usage: Path, options: Options) -> Rated:
    """The bills of a usage file, period after period; ValueError where a file is wrong."""
    from gridtally.tariff_file import read_holidays, read_tariff_file
    from gridtally.usage_file import parse_period
    from kernel.money import parse_decimal
    from kernel.periods import zone_named
    from rating.quote import chain

    file = read_tariff_file(tariff)
    holidays = None if options.holidays is None else read_holidays(options.holidays)
    if options.label is not None and not file.is_urdb:
        raise ValueError(f"--label: {tariff} is no file of URDB records")
    version = None if file.is_urdb else file.version(file.document, holidays)
    zone = options.zone or file.zone
    if zone is None:
        raise ValueError(f"{tariff}: a URDB record names no time zone: give --zone")
    zone_named(zone)
    try:
        kw = None if options.connected_kw is None else parse_decimal(options.connected_kw)
    except ValueError as error:
        raise ValueError(f"--connected-kw: {error}") from None
    wanted = None if options.period == "month" else parse_period(options.period)
    intervals = _read_usage(usage, zone)
    warnings: list[str] = []
    if version is None:
        exports = {"export", "generation"} & set(intervals.energy)
        imported = file.imported(
            zone,
            export="as_declared" if exports else "left_out",
            holidays="by_weekday" if holidays is None else "weekend",
            label=options.label,
        )
        warnings = [f"{note.field}: {note.detail}" for note in imported.warnings]
        version = file.version(imported.document, holidays)
    prices = _prices(options.prices, zone, version)
    try:
        usages = [
            intervals.usage(each, kw) for each in ([wanted] if wanted else intervals.months())
        ]
    except (Rejected, ValueError) as error:
        raise ValueError(f"{usage}: {error}") from None
    return Rated(usages, chain(version, usages, prices=prices), warnings)


def _read_usage(path: Path, zone: str) -> "Intervals":
    from gridtally.interval_file import read_text
    from gridtally.usage_file import read_intervals

    text = read_text(path)
    try:
        return read_intervals(text.splitlines(), zone)
    except (Rejected, ValueError) as error:
        raise ValueError(f"{path}: {error}") from None


def _prices(named: Sequence[str], zone: str, version: "TariffVersion") -> "dict[str, PriceSeries]":
    """The series by the names that the tariff asks for."""
    from gridtally.price_file import read_prices
    from rating.tariff import series_named

    asked = series_named(version)
    given = read_prices(named, zone, version.currency)
    if given and not asked:
        raise ValueError("--prices: the tariff asks for no series")
    if "" in given:
        return dict.fromkeys(asked, given[""])
    if unknown := sorted(set(given) - asked):
        raise ValueError(f"--prices {unknown[0]}: the tariff asks for no such series")
    return given
