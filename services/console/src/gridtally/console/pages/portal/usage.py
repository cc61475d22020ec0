"""A customer's usage, in kWh or money: the days of a month, the months of a year, or years."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from fastapi import APIRouter
from starlette.responses import Response

from gridtally.console.pages.portal import spans
from gridtally.console.pages.portal.shares import by_band, by_device
from gridtally.console.pages.portal.spans import Per, Span
from gridtally.console.pages.portal.visit import Customer, PortalVisit
from gridtally.console.upstream import Answer, Json
from gridtally.console.views import charts
from gridtally.console.views.blocks import (
    Block,
    Cell,
    Choices,
    Column,
    Drawing,
    Empty,
    Link,
    Notice,
    PageView,
    Panel,
    Stat,
    Stats,
    Table,
    address,
)
from gridtally.console.views.words import PortalWording

router = APIRouter()
PATH = "/portal/usage"
NARROW, WIDE = 340, 780
"""Widths of a drawing on a phone and elsewhere, so that its letters are as large as the text."""


@dataclass(frozen=True, slots=True)
class View:
    """How somebody looks at his usage: by what, when, and in which unit (`show`)."""

    per: Per
    span: Span
    show: str

    @property
    def is_money(self) -> bool:
        """Whether bars are of money, not of energy."""
        return self.show == "money"

    def address(
        self, *, per: Per | None = None, first: date | None = None, show: str | None = None
    ) -> str:
        """Where the page is that differs from this one in what is named."""
        chosen = per or self.per
        at = spans.address_of(chosen, first or self.span.first)
        return address(PATH, per=chosen, at=at, show=show or self.show)


@dataclass(frozen=True, slots=True)
class Used:
    """What was used in a day, month or year, and what it cost."""

    label: str
    kwh: Decimal
    cost: Decimal


@router.get(PATH)
async def show_usage(
    visit: Customer, per: str = "day", at: str = "", show: str = "kwh"
) -> Response:
    """Usage, compared with the period before."""
    chosen: Per = next((known for known in spans.PERS if known == per), "day")
    today = visit.now.date()
    span = spans.chosen(chosen, at, today)
    view = View(chosen, span, "money" if show == "money" else "kwh")
    shown = [span]
    if chosen == "year":
        first_year = span.first.year - spans.YEARS + 1
        shown = [spans.year_of(first_year + number, today) for number in range(spans.YEARS)]
    compared = _compared(visit.words, chosen, span, today)
    answers = await asyncio.gather(
        *(_cost(visit, part) for part in [*shown, *(part for _, part in compared)])
    )
    costs, earlier = answers[: len(shown)], answers[len(shown) :]
    say = visit.words.say
    blocks: list[Block | Panel] = [_choices(visit.words, view, today)]
    failure = next((cost.failure for cost in costs if cost.failure is not None), None)
    title = _title(visit.words, chosen, span)
    if failure is not None:
        blocks.append(visit.panel(title, [], failure))
    elif not any(cost.data["buckets"] for cost in costs):
        blocks.append(Panel(title, [await _nothing(visit, view)]))
    else:
        names = [name for name, _ in compared]
        blocks += await _filled(visit, view, shown, costs, list(zip(names, earlier, strict=True)))
    blocks.append(
        Notice(
            say(
                "Fixed charges are not included: what stands here is energy, and its tax. Days "
                "are counted in UTC, so that they may differ a little from those of your bill."
            )
        )
    )
    ways = [Link(say("Send a reading"), "/portal/readings")]
    return await visit.show(PageView("usage", say("Usage"), blocks, actions=ways))


async def _cost(visit: PortalVisit, span: Span) -> Answer:
    path = f"/v1/fleet/customers/{visit.customer_id}/cost"
    return await visit.get("billing", path, **span.window())


def _compared(
    words: PortalWording, per: Per, span: Span, today: date
) -> Sequence[tuple[str, Span]]:
    """What the span is compared with: the month before and a year ago; or the year before."""
    parts = [spans.before(per, span, today)]
    if per == "day":
        parts.append(spans.year_before(span, today))
    return [(_name_of(words, per, part), part) for part in parts]


def _name_of(words: PortalWording, per: Per, span: Span) -> str:
    """A month, a year, or so many days of it as are compared."""
    if span.is_unfinished:
        return words.days(span.first, span.end)
    return _name(words, per, span.first)


def _title(words: PortalWording, per: Per, span: Span) -> str:
    if per == "day":
        return words.month(span.first)
    if per == "month":
        return str(span.first.year)
    return f"{span.first.year - spans.YEARS + 1} – {span.first.year}"


def _choices(words: PortalWording, view: View, today: date) -> Choices:
    """By day, month or year; kWh or money; earlier or later."""
    say, per, span = words.say, view.per, view.span
    names = {"day": say("Days"), "month": say("Months"), "year": say("Years")}
    pers = [
        Link(names[known], view.address(per=known), is_current=known == per) for known in spans.PERS
    ]
    units = [
        Link("kWh", view.address(show="kwh"), is_current=not view.is_money),
        Link(say("Money"), view.address(show="money"), is_current=view.is_money),
    ]
    earlier = (
        spans.month_before(span.first)
        if per == "day"
        else span.first.replace(year=span.first.year - 1)
    )
    steps = [Link(f"‹ {_name(words, per, earlier)}", view.address(first=earlier))]
    if span.whole_end <= today:
        later = span.whole_end
        steps.append(Link(f"{_name(words, per, later)} ›", view.address(first=later)))
    return Choices([(say("By"), pers), (say("In"), units), (say("When"), steps)])


def _name(words: PortalWording, per: Per, first: date) -> str:
    return words.month(first) if per == "day" else str(first.year)


async def _nothing(visit: PortalVisit, view: View) -> Empty:
    """Nothing was used: the last bill's month may be what one looks for."""
    say = visit.words.say
    latest = await visit.get(
        "billing", "/v1/invoices", customer_id=visit.customer_id, state="issued", limit=1
    )
    links = []
    for bill in latest.items:
        first = date.fromisoformat(bill["start_on"])
        label = say("Show {period}, billed last", period=_name(visit.words, view.per, first))
        links.append(Link(label, view.address(first=first)))
    text = say("Usage appears here with the first readings, long before the bill.")
    return Empty(say("Nothing was measured"), text, links)


async def _filled(
    visit: PortalVisit,
    view: View,
    shown: Sequence[Span],
    costs: Sequence[Answer],
    earlier: Sequence[tuple[str, Answer]],
) -> list[Block | Panel]:
    words, say = visit.words, visit.words.say
    used = _used(words, view.per, shown, costs)
    currency: str = costs[-1].data["currency"]
    last = costs[-1].data
    blocks: list[Block | Panel] = [_stats(words, last, shown[-1], earlier)]
    unpriced = sum(cost.data["buckets_without_tariff"] for cost in costs)
    if unpriced:
        text = say(
            "{count} hours have no price yet: their energy is counted, and costs nothing here.",
            count=words.quantity(Decimal(unpriced)),
        )
        blocks.append(Notice(text, tone="warn"))
    title = _title(words, view.per, shown[-1])
    blocks.append(Panel(title, [_chart(words, view, used, title, currency)]))
    blocks.append(Panel(say("The same as a table"), [_table(words, used, currency)], folded=True))
    blocks += by_device(words, last)
    blocks += await by_band(visit, shown[0].first, shown[-1].whole_end)
    return blocks


def _used(
    words: PortalWording, per: Per, shown: Sequence[Span], costs: Sequence[Answer]
) -> list[Used]:
    """Bars in order, those without use too."""
    zero = Decimal(0)
    daily = {}
    for cost in costs:
        for item in cost.data["daily"]:
            if item["currency"] == cost.data["currency"]:
                daily[date.fromisoformat(item["date"])] = item
    made = []
    for label, first, end in _bars(words, per, shown):
        items = [
            daily[day]
            for day in (first + timedelta(days=number) for number in range((end - first).days))
            if day in daily
        ]
        kwh = sum((Decimal(item["kwh"]) for item in items), zero)
        made.append(Used(label, kwh, sum((Decimal(item["total_cost"]) for item in items), zero)))
    return made


def _bars(
    words: PortalWording, per: Per, shown: Sequence[Span]
) -> Sequence[tuple[str, date, date]]:
    """The days of each bar, with its label."""
    if per == "year":
        return [(str(span.first.year), span.first, span.end) for span in shown]
    span = shown[-1]
    if per == "day":
        days = [span.first + timedelta(days=number) for number in range(span.days)]
        return [(words.short_day(day), day, day + timedelta(days=1)) for day in days]
    months = []
    first = span.first
    while first < span.end:
        months.append((words.short_month(first), first, spans.next_month(first)))
        first = spans.next_month(first)
    return months


def _stats(
    words: PortalWording, cost: Json, span: Span, earlier: Sequence[tuple[str, Answer]]
) -> Stats:
    """Energy, cost and their change."""
    say, kwh, total = words.say, Decimal(cost["total_kwh"]), Decimal(cost["total_cost"])
    return Stats(
        [
            Stat(
                say("Energy"),
                words.energy(kwh),
                note=_changes(words, kwh, "total_kwh", cost, earlier),
            ),
            Stat(
                say("Cost"),
                words.rounded(total, cost["currency"]),
                note=_changes(words, total, "total_cost", cost, earlier),
            ),
            Stat(
                say("A day on average"),
                words.energy(kwh / span.days),
                note=words.rounded(total / span.days, cost["currency"]),
            ),
        ]
    )


def _changes(
    words: PortalWording,
    now: Decimal,
    name: str,
    cost: Json,
    earlier: Sequence[tuple[str, Answer]],
) -> str:
    """`12 % less than March 2025`, for each that can be compared."""
    sentences = []
    for period, answer in earlier:
        if not answer.ok or answer.data["currency"] != cost["currency"]:
            continue
        then = Decimal(answer.data[name])
        if then <= 0:
            continue
        share = ((now - then) / then).quantize(Decimal("0.01"))
        amount = words.percent(abs(share))
        if share > 0:
            text = words.say("{amount} more than {period}", amount=amount, period=period)
        elif share < 0:
            text = words.say("{amount} less than {period}", amount=amount, period=period)
        else:
            text = words.say("as much as {period}", period=period)
        sentences.append(text)
    return "; ".join(sentences)


def _chart(
    words: PortalWording, view: View, used: Sequence[Used], title: str, currency: str
) -> Drawing:
    unit = currency if view.is_money else "kWh"
    bars = [
        charts.Bar(
            item.label,
            [(unit, item.cost, words.rounded(item.cost, currency))]
            if view.is_money
            else [(unit, item.kwh, words.energy(item.kwh))],
        )
        for item in used
    ]
    wide, narrow = (
        charts.bars(bars, [unit], f"{title}, {unit}", unit=unit, width=width, write=words.quantity)
        for width in (WIDE, NARROW)
    )
    return Drawing(wide, narrow=narrow)


def _table(words: PortalWording, used: Sequence[Used], currency: str) -> Table:
    say = words.say
    rows = [
        (
            Cell(item.label),
            Cell(words.energy(item.kwh)),
            Cell(words.rounded(item.cost, currency)),
        )
        for item in used
    ]
    columns = [
        Column(say("When")),
        Column(say("Energy"), is_number=True),
        Column(say("Cost"), is_number=True),
    ]
    return Table(say("The same as a table"), columns, rows, Empty("", ""))
