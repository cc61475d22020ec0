"""The start page: what is owed and by when, the latest bill and why it differs, what is coming."""

import asyncio
from datetime import date, datetime
from decimal import Decimal

from fastapi import APIRouter
from starlette.responses import Response

from gridtally.console.pages.customers import agreements_of
from gridtally.console.pages.portal.bills import PATH, booked_bills, state_of
from gridtally.console.pages.portal.differences import bill_before, why
from gridtally.console.pages.portal.prepayments import balance_panels
from gridtally.console.pages.portal.visit import Customer, PortalVisit
from gridtally.console.pages.previews import QUIET
from gridtally.console.upstream import Answer, Failure, Json
from gridtally.console.views.blocks import (
    Block,
    Cell,
    Column,
    Empty,
    Link,
    Notice,
    PageView,
    Panel,
    Stat,
    Stats,
    Table,
)
from gridtally.console.views.words import PortalWording

router = APIRouter()
PREVIEWS_MAX = 6
OPEN_MAX = 6


@router.get("/portal")
async def show_start(visit: Customer) -> Response:
    """What matters to a customer, first things first."""
    (customer, latest, coming), (balance, booked, plans, budgets, prepaid) = await asyncio.gather(
        asyncio.gather(
            visit.get("billing", visit.customer_path),
            visit.get(
                "billing", "/v1/invoices", customer_id=visit.customer_id, state="issued", limit=1
            ),
            _coming(visit),
        ),
        asyncio.gather(
            visit.get("ledger", f"{visit.customer_path}/balance"),
            booked_bills(visit),
            visit.get("ledger", "/v1/payment-plans", customer_id=visit.customer_id, limit=10),
            visit.get("ledger", "/v1/budget-plans", customer_id=visit.customer_id, limit=10),
            balance_panels(visit),
        ),
    )
    say = visit.words.say
    owed = _owed(visit, balance, booked) if balance.ok else []
    merged = Notice(
        say("Your accounts are one now. Please ask for a new link, which shows all of it."),
        tone="warn",
    )
    blocks: list[Block | Panel] = [
        *([merged] if customer.ok and customer.data.get("merged_into") else ()),
        *prepaid,
        visit.panel(
            say("What you owe"),
            [*owed, *_instalment(visit, plans), *_monthly(visit, budgets)],
            balance.failure,
        ),
        *await _latest(visit, latest, booked),
        coming,
    ]
    title = say("Hello, {name}", name=customer.data["name"]) if customer.ok else say("Your account")
    return await visit.show(PageView("start", title, blocks))


def _owed(visit: PortalVisit, balance: Answer, booked: Answer) -> list[Block]:
    """The balance of each currency, and the open bills where there are a few."""
    words, say = visit.words, visit.words.say
    open_bills = [item for item in booked.items if item["state"] in {"open", "part_paid"}]
    stats: list[Stat] = []
    for item in balance.data["currencies"]:
        currency, owed = item["currency"], Decimal(item["balance"])
        days = [bill["due_on"] for bill in open_bills if bill["currency"] == currency]
        if owed > 0:
            stats.append(_to_pay(visit, item, min(days, default=None)))
        elif owed < 0:
            note = say("It is set off against your next bills.")
            stats.append(Stat(say("In your favour"), words.money(-owed, currency), note=note))
        else:
            amount = words.money(owed, currency)
            stats.append(Stat(say("To pay"), amount, note=say("All is paid."), tone="good"))
    if not stats:
        return [Empty(say("Nothing to pay"), say("You have had no bill yet."))]
    blocks: list[Block] = [Stats(stats)]
    if len(open_bills) > 1:
        blocks.append(_open_bills(visit, open_bills[:OPEN_MAX]))
    return blocks


def _to_pay(visit: PortalVisit, item: Json, due_on: str | None) -> Stat:
    words, say, currency = visit.words, visit.words.say, item["currency"]
    arrears = Decimal(item["arrears"])
    note = say("by {day}", day=words.day(date.fromisoformat(due_on))) if due_on else ""
    if arrears > 0:
        note = say("{amount} of it is overdue", amount=words.money(arrears, currency))
    amount = words.money(Decimal(item["balance"]), currency)
    return Stat(say("To pay"), amount, note=note, tone="bad" if arrears > 0 else "plain")


def _open_bills(visit: PortalVisit, items: list[Json]) -> Table:
    words, say = visit.words, visit.words.say
    rows = [
        (
            Cell(item["number"], f"{PATH}/{item['id']}" if item["kind"] == "invoice" else None),
            Cell(words.day(date.fromisoformat(item["due_on"]))),
            Cell(words.money(Decimal(item["open"]), item["currency"])),
        )
        for item in sorted(items, key=lambda item: str(item["due_on"]))
    ]
    columns = [Column(say("Bill")), Column(say("Due")), Column(say("To pay"), is_number=True)]
    return Table(say("Open bills"), columns, rows, Empty("", ""))


def _instalment(visit: PortalVisit, plans: Answer) -> list[Block]:
    """What is to be paid next of a payment plan that is in force."""
    words = visit.words
    for plan in plans.items:
        if plan["state"] not in {"kept", "late"}:
            continue
        for part in plan["instalments"]:
            if Decimal(part["open"]) > 0:
                amount = words.money(Decimal(part["open"]), plan["currency"])
                day = words.day(date.fromisoformat(part["due_on"]))
                text = words.say(
                    "Your payment plan: {amount} by {day} next.", amount=amount, day=day
                )
                return [Notice(text, links=[Link(words.say("The whole plan"), "/portal/account")])]
    return []


def _monthly(visit: PortalVisit, budgets: Answer) -> list[Block]:
    """What is to be paid next of a budget plan, and when it is set against what was used."""
    words = visit.words
    for plan in budgets.items:
        if plan["state"] == "settled":
            continue
        settled_on = words.day(date.fromisoformat(plan["settle_on"]))
        for part in plan["instalments"]:
            open_ = Decimal(part["amount"] if part["open"] is None else part["open"])
            if open_ > 0:
                text = words.say(
                    "Your monthly amount: {amount} by {day} next. Your bills are settled with it "
                    "by {settled}.",
                    amount=words.money(open_, plan["currency"]),
                    day=words.day(date.fromisoformat(part["due_on"])),
                    settled=settled_on,
                )
                return [Notice(text)]
    return []


async def _latest(visit: PortalVisit, latest: Answer, booked: Answer) -> list[Panel]:
    """The latest bill, and why it differs from the one before."""
    words, say = visit.words, visit.words.say
    title = say("Your latest bill")
    if latest.failure is not None:
        return [visit.panel(title, [], latest.failure)]
    if not latest.items:
        text = say("It comes when its period is over and its readings are complete.")
        return [Panel(title, [Empty(say("No bill yet"), text)])]
    found = await visit.get("billing", f"/v1/invoices/{latest.items[0]['id']}")
    if found.failure is not None:
        return [visit.panel(title, [], found.failure)]
    bill: Json = found.data
    by_id = {item["id"]: item for item in booked.items}
    first, end = (date.fromisoformat(bill[name]) for name in ("start_on", "end_on"))
    badge = state_of(visit, bill, by_id.get(bill["id"]))
    path = f"{PATH}/{bill['id']}"
    stat = Stat(
        words.period(first, end),
        words.money(Decimal(bill["total"]), bill["currency"]),
        note=badge.text,
    )
    links = [
        Link(say("Look at it"), path),
        Link(say("PDF"), f"{path}/document", download=True),
    ]
    panel = visit.panel(title, [Stats([stat])], links=links)
    return [panel, *why(words, bill, await bill_before(visit, bill))]


async def _coming(visit: PortalVisit) -> Panel:
    """What the open period costs so far, and what its bill will probably be."""
    words, say = visit.words, visit.words.say
    title = say("This period so far")
    found = await agreements_of(visit, visit.customer_id)
    if found.failure is not None:
        return visit.panel(title, [], found.failure)
    today = visit.now.date().isoformat()
    current = [item for item in found.items if not item["end_on"] or item["end_on"] >= today]
    shown = current[:PREVIEWS_MAX]
    answers = await asyncio.gather(
        *(visit.get("billing", f"/v1/agreements/{item['id']}/preview") for item in shown)
    )
    previews = [answer.data for answer in answers if answer.ok]
    if not previews:
        failure = _worst(answers)
        if failure is not None:
            return visit.panel(title, [], failure)
        text = say("As soon as there are readings, you see here what they cost.")
        empty = Empty(say("Nothing was measured of late"), text)
        return Panel(title, [empty], links=_ways(words)[1:])
    if len(previews) == 1:
        blocks: list[Block] = [_preview(words, previews[0])]
    else:
        blocks = [_previews(words, previews, await _meter_names(visit, previews))]
    if len(current) > len(shown):
        count = str(len(current) - len(shown))
        blocks.append(Notice(say("{count} more contracts are not shown here.", count=count)))
    blocks.append(Notice(say("A forecast, and no bill: it changes with each reading.")))
    return visit.panel(title, blocks, links=_ways(words))


def _ways(words: PortalWording) -> list[Link]:
    say = words.say
    return [
        Link(say("Your usage"), "/portal/usage"),
        Link(say("Send a reading"), "/portal/readings"),
    ]


def _worst(answers: list[Answer]) -> Failure | None:
    """Why there is no preview, unless that is nothing that anybody would look for."""
    failures = [answer.failure for answer in answers if answer.failure is not None]
    return next((failure for failure in failures if failure.code not in QUIET), None)


def _preview(words: PortalWording, data: Json) -> Stats:
    say, currency = words.say, data["currency"]
    first, end = (date.fromisoformat(data[name]) for name in ("start_on", "end_on"))
    until = data["used_until"]
    note = ""
    if until:
        moment = words.moment(datetime.fromisoformat(until), data["zone"])
        note = say("readings until {moment}", moment=moment)
    low, high = _spread(words, data)
    return Stats(
        [
            Stat(say("So far"), words.money(Decimal(data["so_far"]["total"]), currency), note=note),
            Stat(
                say("Expected for {period}", period=words.period(first, end)),
                words.money(Decimal(data["forecast"]["total"]), currency),
                note=say("probably between {low} and {high}", low=low, high=high),
            ),
        ]
    )


def _spread(words: PortalWording, data: Json) -> tuple[str, str]:
    spread = data["forecast"]["spread"]
    low, high = (words.rounded(Decimal(spread[name]), data["currency"]) for name in ("low", "high"))
    return low, high


def _previews(words: PortalWording, previews: list[Json], names: dict[str, str]) -> Table:
    say = words.say
    rows = []
    for number, data in enumerate(previews, start=1):
        first, end = (date.fromisoformat(data[name]) for name in ("start_on", "end_on"))
        low, high = _spread(words, data)
        expected = words.money(Decimal(data["forecast"]["total"]), data["currency"])
        name = names.get(data["meter_id"]) or say("Meter {number}", number=str(number))
        rows.append(
            (
                Cell(name, note=words.period(first, end)),
                Cell(words.money(Decimal(data["so_far"]["total"]), data["currency"])),
                Cell(expected, note=f"{low} – {high}"),
            )
        )
    columns = [
        Column(say("Meter")),
        Column(say("So far"), is_number=True),
        Column(say("Expected"), is_number=True),
    ]
    return Table(say("This period so far"), columns, rows, Empty("", ""))


async def _meter_names(visit: PortalVisit, previews: list[Json]) -> dict[str, str]:
    """The names of the meters, as the costs of their open period have them."""
    start_on = min(data["start_on"] for data in previews)
    cost = await visit.get(
        "billing",
        f"/v1/fleet/customers/{visit.customer_id}/cost",
        from_=f"{start_on}T00:00:00Z",
        to=visit.now.isoformat(),
    )
    if not cost.ok:
        return {}
    return {item["device_id"]: item["device_name"] for item in cost.data["per_device"]}
