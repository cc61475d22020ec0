"""`gridtally rate`: a tariff file and a usage file in, bills out. Needs no services."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from gridtally.cli.errors import CommandError
from gridtally.cli.urdb_supplements import (
    FreeShareOption,
    MetersOption,
    PeaksOption,
    SupplementOptions,
)
from gridtally.kernel.errors import Rejected

if TYPE_CHECKING:
    from gridtally.cli.usage_file import Intervals
    from gridtally.rating.engine.bill import Bill
    from gridtally.rating.prices import PriceSeries
    from gridtally.rating.tariff import TariffVersion
    from gridtally.rating.usage import Usage


Incomplete = Annotated[
    bool,
    typer.Option(
        "--incomplete", help="Rate a URDB record without charges that cannot be imported."
    ),
]
UsageFile = Annotated[
    Path,
    typer.Argument(
        help="CSV with start_local or start_utc, minutes, and import_kwh, export_kwh "
        "or load_kwh, gen_kwh; import_kvarh, export_kvarh of reactive energy."
    ),
]
Holidays = Annotated[
    str | None,
    typer.Option(
        metavar="COUNTRY[-SUBDIVISION]|FILE",
        help="Holidays for a tariff without its own: US-CA, or a file with a date per line.",
    ),
]
PriceFiles = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FILE|NAME=FILE",
        help="Spot prices: CSV with start_local or start_utc, minutes, price_per_kwh or "
        "price_per_mwh. Once per series, by its name.",
    ),
]
StateFile = Annotated[
    Path | None,
    typer.Option(
        "--state",
        metavar="FILE",
        help="What the bill before left (ratchets, banks, counts); replaced by what this leaves. "
        "Made where there is none.",
    ),
]
Ignored = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME", help="A column of the usage or price file to pass over. Once per column."
    ),
]


ADVICE = {
    "connected_kw_missing": "give it by --connected-kw",
    "flow_missing": "the columns for it are import_kwh, export_kwh or load_kwh, gen_kwh, and "
    "import_kvarh, export_kvarh",
    "prices_missing": "give them by --prices FILE",
}
"""What to do about an answer of the rating, by its code."""


@dataclass(frozen=True, slots=True)
class Options:
    """What is asked for besides the two files, as it was typed."""

    zone: str | None
    period: str
    connected_kw: str | None
    holidays: str | None
    prices: Sequence[str]
    label: str | None
    ignored: Sequence[str]
    incomplete: bool
    state: Path | None
    beside_record: SupplementOptions


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
    usage: UsageFile,
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
    holidays: Holidays = None,
    prices: PriceFiles = None,
    label: Annotated[
        str | None, typer.Option(help="Which rate, of a URDB file with several.")
    ] = None,
    ignore_column: Ignored = None,
    state: StateFile = None,
    meters: MetersOption = None,
    system_peaks: PeaksOption = None,
    reactive_free_share: FreeShareOption = None,
    *,
    incomplete: Incomplete = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, decimals as texts.")] = False,
) -> None:
    """Rate a usage file by a tariff file: every line of every period's bill."""
    ignored = ignore_column or ()
    beside_record = SupplementOptions(meters, system_peaks, reactive_free_share)
    options = Options(
        zone=zone,
        period=period,
        connected_kw=connected_kw,
        holidays=holidays,
        prices=prices or (),
        label=label,
        ignored=ignored,
        incomplete=incomplete,
        state=state,
        beside_record=beside_record,
    )
    try:
        rated = rate_files(tariff, usage, options)
    except (CommandError, Rejected, ValueError) as error:
        _fail(_advised(error))
    for warning in rated.warnings:
        typer.echo(f"warning: {warning}", err=True)
    show = _print_json if as_json else _print_tables
    show(rated)


def _advised(error: Exception) -> str:
    """What is wrong, and which option or column helps."""
    advice = ADVICE.get(error.code) if isinstance(error, Rejected) else None
    return str(error) if advice is None else f"{error}: {advice}"


def _print_json(rated: Rated) -> None:
    from gridtally.rating.quote import quote_document

    typer.echo(json.dumps(quote_document(rated.usages, rated.bills), indent=2))


def _print_tables(rated: Rated) -> None:
    from rich.console import Console

    from gridtally.cli.bill_tables import bill_tables

    console = Console(highlight=False)
    for table in bill_tables(rated.usages, rated.bills):
        console.print(table)


def _fail(detail: str) -> NoReturn:
    typer.echo(f"error: {' '.join(detail.splitlines())}", err=True)
    raise typer.Exit(1)


def rate_files(tariff: Path, usage: Path, options: Options) -> Rated:
    """The bills of a usage file, period after period; ValueError where a file is wrong."""
    from gridtally.cli.tariff_file import read_holidays, read_tariff_file
    from gridtally.cli.usage_file import parse_period
    from gridtally.kernel.money import parse_decimal
    from gridtally.kernel.periods import zone_named

    file = read_tariff_file(tariff)
    holidays = None if options.holidays is None else read_holidays(options.holidays)
    if options.label is not None and not file.is_urdb:
        raise ValueError(f"--label: {tariff} is no file of URDB records")
    options.beside_record.check_needed(is_urdb=file.is_urdb)
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
    intervals = _read_usage(usage, zone, options.ignored)
    warnings: list[str] = []
    if version is None:
        exports = {"export", "generation"} & set(intervals.energy)
        imported = file.imported(
            zone,
            export="as_declared" if exports else "left_out",
            holidays="by_weekday" if holidays is None else "weekend",
            label=options.label,
            incomplete=options.incomplete,
            supplements=options.beside_record.read(zone),
        )
        warnings = [f"{note.field}: {note.detail}" for note in imported.warnings]
        version = file.version(imported.document, holidays)
    prices = _prices(options, zone, version)
    try:
        usages = [
            intervals.usage(month, kw) for month in ([wanted] if wanted else intervals.months())
        ]
    except (Rejected, ValueError) as error:
        raise ValueError(f"{usage}: {error}") from None
    bills, added = _bills(version, usages, prices, options.state)
    warnings += [
        f"{name}: is new to {options.state}, and begins with nothing carried forward"
        for name in added
    ]
    return Rated(usages, bills, warnings)


def _bills(
    version: "TariffVersion",
    usages: "list[Usage]",
    prices: "dict[str, PriceSeries]",
    state_file: Path | None,
) -> "tuple[list[Bill], tuple[str, ...]]":
    """The bills, from the state in a file on, if one is given; it then has what they leave.

    And the components that the file did not know.
    """
    from gridtally.cli.state_file import read_state_file, write_state_file
    from gridtally.rating.quote import rate_in_sequence

    if state_file is None:
        return rate_in_sequence(version, usages, prices=prices), ()
    before = read_state_file(state_file, version, usages[0].period)
    bills = rate_in_sequence(version, usages, state=before.state, prices=prices)
    write_state_file(state_file, version, usages[-1].period, bills[-1].state)
    return bills, before.added


def _read_usage(path: Path, zone: str, ignored: Sequence[str]) -> "Intervals":
    from gridtally.cli.interval_file import read_text
    from gridtally.cli.usage_file import read_intervals

    text = read_text(path, "csv")
    try:
        return read_intervals(text, zone, ignored)
    except (Rejected, ValueError) as error:
        raise ValueError(f"{path}: {error}") from None


def _prices(options: Options, zone: str, version: "TariffVersion") -> "dict[str, PriceSeries]":
    """The series by the names that the tariff asks for."""
    from gridtally.cli.price_file import read_prices
    from gridtally.rating.tariff import price_series_codes

    asked = price_series_codes(version)
    given = read_prices(options.prices, zone, version.currency, options.ignored)
    if given and not asked:
        raise ValueError("--prices: the tariff asks for no series")
    if "" in given:
        return dict.fromkeys(asked, given[""])
    if unknown := sorted(set(given) - asked):
        raise ValueError(f"--prices {unknown[0]}: the tariff asks for no such series")
    return given
