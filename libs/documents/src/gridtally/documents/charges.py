"""The charges of a document: its lines, grouped by who receives the money, and its taxes."""

from collections.abc import Sequence
from decimal import Decimal

from gridtally.documents.document import Row, Section, Table
from gridtally.documents.facts import InvoiceFacts, Seller
from gridtally.documents.language import Wording
from gridtally.rating.engine.lines import Line
from gridtally.rating.field_types import ROUNDING_ID

ZERO = Decimal(0)


def charges_section(facts: InvoiceFacts, wording: Wording) -> Section:
    """The lines in their groups, then net, taxes and total."""
    say = wording.say
    head = (
        say("Charge"),
        say("Quantity"),
        say("Rate"),
        say("Exact"),
        say("Amount ({currency})", currency=facts.currency),
    )
    rows = _section_rows(facts, wording) if facts.sections else _group_rows(facts, wording)
    taxes = [line for line in facts.lines if line.item.kind == "tax"]
    rows.append(_sum_row(say("Net"), facts.net, facts, wording, "sum"))
    if not facts.sections:
        rows += (_line_row(line, facts, wording) for line in taxes)
    if facts.sections or len(taxes) != 1:
        rows.append(_sum_row(say("Taxes"), facts.tax, facts, wording, "sum"))
    rows.append(_sum_row(say("Total"), facts.total, facts, wording, "total"))
    return Section("charges", say("Charges"), table=Table(head, tuple(rows)))


def _group_rows(facts: InvoiceFacts, wording: Wording) -> list[Row]:
    """The lines that are no taxes, by who receives them where there are several."""
    rows: list[Row] = []
    groups = _groups(facts)
    for payee, lines in groups.items():
        if len(groups) > 1:
            name = wording.say("Received by {name}", name=payee)
            rows.append(Row((name, "", "", "", ""), "group"))
        rows += (_line_row(line, facts, wording) for line in lines)
        if len(groups) > 1:
            rows.append(_together(lines, facts, wording))
    return rows


def _section_rows(facts: InvoiceFacts, wording: Wording) -> list[Row]:
    """The lines of each section with their taxes, which are rounded there."""
    rows: list[Row] = []
    first = 0
    for number, section in enumerate(facts.sections, start=1):
        lines = facts.lines[first : first + section.line_count]
        first += section.line_count
        title = wording.say(
            "{number}. Meter {meter}, {period}",
            number=str(number),
            meter=section.meter,
            period=wording.days(section.start_on, section.end_on),
        )
        rows.append(Row((title, "", "", "", ""), "group"))
        rows += (_line_row(line, facts, wording) for line in lines)
        rows.append(_together(lines, facts, wording))
    return rows


def _together(lines: Sequence[Line], facts: InvoiceFacts, wording: Wording) -> Row:
    amount = wording.amount(sum((line.amount for line in lines), ZERO), facts.currency)
    return Row((wording.say("Together"), "", "", "", amount), "sum")


def _groups(facts: InvoiceFacts) -> dict[str, list[Line]]:
    """The lines that are no taxes by who receives them: the seller first."""
    groups: dict[str, list[Line]] = {facts.seller.name: []}
    for line in facts.lines:
        if line.item.kind != "tax":
            groups.setdefault(line.item.payee or facts.seller.name, []).append(line)
    return {payee: lines for payee, lines in groups.items() if lines}


def _sum_row(label: str, amount: Decimal, facts: InvoiceFacts, wording: Wording, style: str) -> Row:
    cells = (label, "", "", "", wording.amount(amount, facts.currency))
    return Row(cells, "total" if style == "total" else "sum")


def _line_row(line: Line, facts: InvoiceFacts, wording: Wording) -> Row:
    item = line.item
    of_money = item.unit == facts.currency
    quantity = (
        wording.amount(line.quantity, facts.currency)
        if of_money
        else f"{wording.quantity(line.quantity)}\u00a0{_unit(item.unit, line.quantity, wording)}"
    )
    cells = (
        line_name(line, facts.seller, wording),
        quantity,
        wording.percent(item.rate) if of_money else wording.rate(item.rate),
        wording.exact(line.amount_exact),
        wording.amount(line.amount, facts.currency),
    )
    return Row(cells, note="; ".join(_notes(line, facts, wording)))


def _unit(unit: str, quantity: Decimal, wording: Wording) -> str:
    """A unit that is a word in the reader's language; the others are symbols."""
    say = wording.say
    words = {
        "month": (say("month"), say("months")),
        "day": (say("day"), say("days")),
        "year": (say("year"), say("years")),
    }
    one, many = words.get(unit, (unit, unit))
    return one if quantity == 1 else many


def line_name(line: Line, seller: Seller, wording: Wording) -> str:
    """What a line is called: by the seller's own name for its component, with its band."""
    component_id = line.item.component_id
    names = seller.component_names.get(component_id, {})
    own = names.get(wording.language) or names.get(seller.language.partition("-")[0])
    if own is None and component_id == ROUNDING_ID:
        own = wording.say("Rounding")
    plain = component_id.replace("-", " ").replace("_", " ")
    name = own or plain[:1].upper() + plain[1:]
    return name if line.item.band is None else f"{name} · {line.item.band}"


def _notes(line: Line, facts: InvoiceFacts, wording: Wording) -> Sequence[str]:
    """What tells a line from others of its charge, and what of it is no actual reading."""
    notes = []
    days = line.item.part
    if (days.start_on, days.end_on) != (facts.start_on, facts.end_on):
        notes.append(wording.days(days.start_on, days.end_on))
    quality = line.quality
    if quality is not None and quality.estimated_intervals:
        kwh = f"{wording.quantity(quality.estimated_kwh)}\u00a0{line.item.unit}"
        notes.append(wording.say("{energy} of it estimated", energy=kwh))
    if quality is not None and quality.substituted_intervals:
        kwh = f"{wording.quantity(quality.substituted_kwh)}\u00a0{line.item.unit}"
        notes.append(wording.say("{energy} of it substituted", energy=kwh))
    if quality is not None and quality.missing_intervals:
        count = wording.quantity(Decimal(quality.missing_intervals))
        notes.append(wording.say("{count} intervals without a value", count=count))
    return notes
