"""The lines of a bill as a customer reads them: what for, how much, at which price."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from gridtally.console.pages.portal.visit import SELLER, PortalVisit
from gridtally.console.upstream import Json
from gridtally.console.views.blocks import Cell, Column, Empty, Table
from gridtally.console.views.words import PortalWording

Names = Mapping[str, Mapping[str, str]]
"""What a line is called: by the id of its component, then by language."""


async def component_names(visit: PortalVisit) -> Names:
    """The seller's own names of components; none where they cannot be had."""
    seller = await visit.get("billing", SELLER)
    names: Names = seller.data["component_names"] if seller.ok else {}
    return names


def lines_table(words: PortalWording, bill: Json, names: Names) -> Table:
    """The lines, and their total."""
    say, currency = words.say, bill["currency"]
    rows = [
        (
            Cell(line_name(words, line, names), note=_note(words, line, bill)),
            Cell(_quantity(words, line, currency)),
            Cell(_rate(words, line, currency)),
            Cell(words.amount(Decimal(line["amount"]), currency)),
        )
        for line in bill["lines"]
    ]
    columns = [
        Column(say("What for")),
        Column(say("Quantity"), is_number=True),
        Column(say("Price"), is_number=True, unit=currency),
        Column(say("Amount"), is_number=True, unit=currency),
    ]
    total = (
        Cell(say("Total")),
        Cell(""),
        Cell(""),
        Cell(words.amount(Decimal(bill["total"]), currency)),
    )
    return Table(say("How it adds up"), columns, rows, Empty("", ""), total=total)


def line_name(words: PortalWording, line: Json, names: Names) -> str:
    """The seller's name of a line's component in the customer's language, with its band."""
    own = names.get(line["component_id"], {})
    name = own.get(words.language) or readable(line["component_id"])
    return f"{name} · {readable(line['band'])}" if line["band"] else name


def readable(code: str) -> str:
    """`evening-peak` as `Evening peak`."""
    text = code.replace("_", " ").replace("-", " ").strip()
    return text[:1].upper() + text[1:]


def _quantity(words: PortalWording, line: Json, currency: str) -> str:
    quantity = Decimal(line["quantity"])
    if line["unit"] == currency:
        return words.amount(quantity, currency)
    return f"{words.quantity(quantity)}\u00a0{_unit(words, line['unit'], quantity)}"


def _rate(words: PortalWording, line: Json, currency: str) -> str:
    rate = Decimal(line["rate"])
    return words.percent(rate) if line["unit"] == currency else words.rate(rate)


def _unit(words: PortalWording, unit: str, quantity: Decimal) -> str:
    say = words.say
    units = {
        "month": (say("month"), say("months")),
        "day": (say("day"), say("days")),
        "year": (say("year"), say("years")),
    }
    single, many = units.get(unit, (unit, unit))
    return single if quantity == 1 else many


def _note(words: PortalWording, line: Json, bill: Json) -> str | None:
    notes = []
    if (line["start_on"], line["end_on"]) != (bill["start_on"], bill["end_on"]):
        first, end = (date.fromisoformat(line[name]) for name in ("start_on", "end_on"))
        notes.append(words.days(first, end))
    if line["flow"] == "export":
        notes.append(words.say("fed into the grid"))
    if line["payee"]:
        notes.append(words.say("for {name}", name=line["payee"]))
    return ", ".join(notes) or None
