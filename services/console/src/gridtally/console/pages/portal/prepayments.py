"""What a customer has paid in advance: what is left, how long it lasts, and what each day took."""

from datetime import date, timedelta
from decimal import Decimal

from gridtally.console.pages.portal.visit import PortalVisit
from gridtally.console.upstream import Json
from gridtally.console.views.blocks import (
    Block,
    Cell,
    Column,
    Empty,
    Link,
    Notice,
    Panel,
    Stat,
    Stats,
    Table,
    Tone,
)

TONES: dict[str | None, Tone] = {
    None: "good",
    "prepayment_low": "warn",
    "prepayment_empty": "bad",
}
DAYS_SHOWN = timedelta(days=62)
"""Two months: the one that has no bill yet, and the one before."""


async def balance_panels(visit: PortalVisit, *, with_days: bool = False) -> list[Panel]:
    """What is left, and with what its days took; no panel for those who pay by their bills."""
    words, say = visit.words, visit.words.say
    answer = await visit.get("billing", f"{visit.customer_path}/prepayment")
    if answer.failure is not None:
        is_none = answer.failure.status == 404
        return [] if is_none else [visit.panel(say("Paid in advance"), [], answer.failure)]
    data = answer.data
    blocks: list[Block] = [Stats([_left(visit, data)]), *_notices(visit, data)]
    links = [] if with_days else [Link(say("What each day took"), "/portal/account")]
    panels = [visit.panel(say("Paid in advance"), blocks, links=links)]
    if with_days:
        until = visit.now.date() + timedelta(days=1)
        days = await visit.get(
            "billing",
            f"{visit.customer_path}/prepayment/days",
            from_=(until - DAYS_SHOWN).isoformat(),
            to=until.isoformat(),
        )
        blocks = [_days(visit, days.data)] if days.ok else []
        panels.append(visit.panel(words.say("What each day took"), blocks, days.failure))
    return panels


def _left(visit: PortalVisit, data: Json) -> Stat:
    words, say, currency = visit.words, visit.words.say, data["currency"]
    note = ""
    if data["drawn_through"]:
        note = say("after {day}", day=words.day(date.fromisoformat(data["drawn_through"])))
    amount = words.money(Decimal(data["balance"]), currency)
    return Stat(say("Left"), amount, note=note, tone=TONES[data["alert"]])


def _notices(visit: PortalVisit, data: Json) -> list[Block]:
    """Until when it lasts; when it is to be topped up."""
    words, say = visit.words, visit.words.say
    if Decimal(data["balance"]) <= 0:
        text = say("What you have paid in advance is used up. Please pay.")
        return [Notice(text, tone="bad")]
    if data["empty_on"] is None:
        return []
    text = say(
        "At {amount} a day, as of late, it lasts until {day}.",
        amount=words.money(Decimal(data["average_per_day"]), data["currency"]),
        day=words.day(date.fromisoformat(data["empty_on"]) - timedelta(days=1)),
    )
    return [Notice(text, tone="warn" if data["alert"] else "info")]


def _days(visit: PortalVisit, data: Json) -> Table:
    words, say, currency = visit.words, visit.words.say, data["currency"]
    rows = [
        (
            Cell(
                words.day(date.fromisoformat(item["day"])),
                note=say("in a bill") if item["is_billed"] else None,
            ),
            Cell(words.money(Decimal(item["usage"]), currency)),
            Cell(words.money(Decimal(item["standing"]), currency)),
            Cell(words.money(Decimal(item["total"]), currency)),
        )
        for item in data["items"]
    ]
    columns = [
        Column(say("Day")),
        Column(say("Usage"), is_number=True),
        Column(say("Basic fees"), is_number=True),
        Column(say("Total"), is_number=True),
    ]
    text = say("As soon as there are readings, you see here what they cost.")
    empty = Empty(say("Nothing was measured of late"), text)
    return Table(say("What each day took"), columns, rows, empty)
