"""How quoted bills look on a terminal: lines, totals by kind, the peak, and what is handed on."""

from collections.abc import Iterator, Sequence
from decimal import Context, Decimal
from typing import Literal

from rich import box
from rich.markup import escape
from rich.table import Table

from gridtally.kernel.money import plain
from gridtally.kernel.periods import Period
from gridtally.rating.engine.bill import Bill
from gridtally.rating.engine.exact import DIGITS_MAX, add_up, exact_number
from gridtally.rating.engine.lines import KINDS
from gridtally.rating.quote import peak_kw
from gridtally.rating.state import (
    Bank,
    CoincidentPeaks,
    ComponentState,
    Credit,
    Peaks,
    RunningTotal,
)
from gridtally.rating.usage import Usage

STEP_SHOWN = Decimal("0.00000001")
"""Of quantities and rates: as fine as a tariff can say a rate."""
_WIDE = Context(prec=DIGITS_MAX)


def bill_tables(usages: Sequence[Usage], bills: Sequence[Bill]) -> Iterator[Table]:
    """A table per period, and one of totals where there are several."""
    for usage, bill in zip(usages, bills, strict=True):
        yield _bill_table(usage, bill)
    if len(bills) > 1:
        yield _totals_table(bills)


def _bill_table(usage: Usage, bill: Bill) -> Table:
    table = Table(
        box=box.SIMPLE_HEAD,
        title=f"{bill.period.start_on} to {bill.period.end_on} ({usage.zone})",
        title_justify="left",
    )
    partial = any(line.item.part != bill.period for line in bill.lines)
    for heading in ("component", "band", *(["days"] if partial else [])):
        table.add_column(heading, overflow="fold")
    for heading in ("quantity", "unit", "rate", bill.currency):
        justify: Literal["left", "right"] = "left" if heading == "unit" else "right"
        table.add_column(heading, justify=justify, overflow="fold")  # no figure is cut off
    for line in bill.lines:
        table.add_row(
            line.item.component_id,
            line.item.band or "",
            *([_days(line.item.part)] if partial else []),
            short(line.quantity),
            line.item.unit,
            short(line.item.rate),
            plain(line.amount),
        )
    table.add_section()
    blank = [""] * (len(table.columns) - 2)
    for kind, amount in bill.totals().items():
        if amount and kind != "tax":  # which stands between net and total
            table.add_row(kind.replace("_", " "), *blank, plain(amount))
    for name, amount in (("net", bill.net), ("tax", bill.tax), ("total", bill.total)):
        table.add_row(name, *blank, plain(amount), style="bold")
    for payee, amount in bill.payees().items():
        table.add_row(f"of it for {escape(payee)}", *blank, plain(amount))
    handed = [
        ("peak", "" if (kw := peak_kw(usage)) is None else f"{short(kw)} kW"),
        *((name, describe_state(state)) for name, state in bill.state.items()),
    ]
    table.caption = "; ".join(f"{name}: {text}" for name, text in handed if text)
    table.caption_justify = "left"
    return table


def _totals_table(bills: Sequence[Bill]) -> Table:
    title = f"{bills[0].period.start_on} to {bills[-1].period.end_on}, all periods"
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", min_width=len(title))
    table.add_column("kind")
    table.add_column(bills[0].currency, justify="right")
    for kind in KINDS:
        if amount := add_up(bill.totals()[kind] for bill in bills):
            table.add_row(kind.replace("_", " "), plain(amount))
    table.add_section()
    table.add_row("total", plain(add_up(bill.total for bill in bills)), style="bold")
    return table


def _days(part: Period) -> str:
    """What a line is for where that is not the whole bill."""
    return f"{part.start_on} to {part.end_on} ({part.days})"


def describe_state(state: ComponentState) -> str:
    """What a component hands to the next bill, in words."""
    match state:
        case Bank():
            return f"{short(add_up(lot.kwh for lot in state.lots))} kWh in the bank"
        case Credit():
            return f"{plain(state.amount)} of credit"
        case Peaks():
            peaks_kw = (exact_number(peak.kw, peak.parts) for peak in state.peaks)
            highest = max(peaks_kw, default=Decimal(0))
            return f"{len(state.peaks)} earlier peaks, up to {short(highest)} kW"
        case CoincidentPeaks():
            return f"kW at {len(state.peaks)} peaks of the system"
        case RunningTotal():
            return f"{plain(state.amount)} counted since {state.since_on}"
        case _:
            used = add_up(band.kwh for band in state.used)
            return f"{short(used)} kWh in tiers since {state.since_on}"


def short(number: Decimal) -> str:
    """With as many decimals as a person wants to see."""
    shown = number.quantize(STEP_SHOWN, context=_WIDE)
    return plain(number if number == shown else shown)
