"""A customer's account: the balance, a payment plan, and every movement with the balance after."""

import asyncio
from datetime import date, datetime, timedelta
from decimal import Decimal

from fastapi import APIRouter
from starlette.responses import Response

from gridtally.console.pages.portal.prepayments import balance_panels
from gridtally.console.pages.portal.visit import Customer, PortalVisit
from gridtally.console.upstream import Answer, Json
from gridtally.console.views.blocks import (
    Block,
    Cell,
    Column,
    Empty,
    Link,
    PageView,
    Panel,
    Stat,
    Stats,
    Table,
)
from gridtally.console.views.words import PortalWording

router = APIRouter()
PATH = "/portal/account"
SHOWN = timedelta(days=366)
BEGINNING = "2000-01-01T00:00:00Z"


@router.get(PATH)
async def show_account(visit: Customer, all_: str = "") -> Response:
    """The balance, plans, and the statement of a year or of all time."""
    customer = await visit.customer()
    since = BEGINNING if all_ else rfc3339(visit.now - SHOWN)
    balance, plans, statement, prepaid = await asyncio.gather(
        visit.get("ledger", f"{visit.customer_path}/balance"),
        visit.get("ledger", "/v1/payment-plans", customer_id=visit.customer_id, limit=10),
        visit.get(
            "ledger",
            f"{visit.customer_path}/statement",
            from_=since,
            to=rfc3339(visit.now),
            currency=customer["currency"],
        ),
        balance_panels(visit, with_days=True),
    )
    say = visit.words.say
    links = [
        Link(say("The last twelve months"), PATH, is_current=not all_),
        Link(say("Since the beginning"), f"{PATH}?all_=yes", is_current=bool(all_)),
    ]
    blocks: list[Block | Panel] = [
        visit.panel(say("Balance"), _balance(visit.words, balance), balance.failure),
        *prepaid,
        *_plans(visit, plans),
        visit.panel(say("Statement"), _statement(visit.words, statement), statement.failure, links),
    ]
    return await visit.show(PageView("account", say("Account"), blocks))


def rfc3339(at: datetime) -> str:
    """An instant as APIs take it."""
    return at.isoformat().replace("+00:00", "Z")


def _balance(words: PortalWording, balance: Answer) -> list[Block]:
    if not balance.ok:
        return []
    say = words.say
    stats = []
    for item in balance.data["currencies"]:
        currency, owed = item["currency"], Decimal(item["balance"])
        label = say("In your favour") if owed < 0 else say("To pay")
        stats.append(Stat(label, words.money(abs(owed), currency)))
        for name, title, tone in (
            ("arrears", say("Overdue"), "bad"),
            ("prepaid", say("Paid in advance"), "plain"),
            ("export_payable", say("Owed to you for energy that you fed in"), "plain"),
        ):
            amount = Decimal(item[name])
            if amount:
                is_bad = tone == "bad"
                stats.append(
                    Stat(title, words.money(amount, currency), tone="bad" if is_bad else "plain")
                )
    if not stats:
        return [Empty(say("Nothing to pay"), say("You have had no bill yet."))]
    return [Stats(stats)]


def _plans(visit: PortalVisit, plans: Answer) -> list[Panel]:
    """The instalments of each plan; no panel for the many who have none."""
    say = visit.words.say
    shown = [plan for plan in plans.items if plan["state"] != "cancelled"]
    if plans.failure is not None:
        return [visit.panel(say("Payment plan"), [], plans.failure)]
    return [visit.panel(say("Payment plan"), [_instalments(visit.words, plan)]) for plan in shown]


def _instalments(words: PortalWording, plan: Json) -> Table:
    say, currency = words.say, plan["currency"]
    rows = [
        (
            Cell(words.day(date.fromisoformat(part["due_on"]))),
            Cell(words.money(Decimal(part["amount"]), currency)),
            Cell(words.money(Decimal(part["paid"]), currency)),
            Cell(words.money(Decimal(part["open"]), currency)),
        )
        for part in plan["instalments"]
    ]
    columns = [
        Column(say("Due")),
        Column(say("Amount"), is_number=True),
        Column(say("Paid"), is_number=True),
        Column(say("Open"), is_number=True),
    ]
    return Table(say("Payment plan"), columns, rows, Empty("", ""))


def _statement(words: PortalWording, statement: Answer) -> list[Block]:
    if not statement.ok:
        return []
    say, data = words.say, statement.data
    currency = data["currency"]
    rows = [
        (
            Cell(
                _kind(words, item["kind"]),
                note=item["reference"] or None,
            ),
            Cell(words.day(date.fromisoformat(item["occurred_at"][:10]))),
            Cell(words.money(Decimal(item["amount"]), currency)),
            Cell(words.money(Decimal(item["balance"]), currency)),
        )
        for item in reversed(data["entries"])
    ]
    columns = [
        Column(say("What")),
        Column(say("Day")),
        Column(say("Amount"), is_number=True),
        Column(say("Balance after it"), is_number=True),
    ]
    empty = Empty(say("No movement"), say("Bills and payments appear here as they are booked."))
    return [Table(say("Statement"), columns, rows, empty)]


def _kind(words: PortalWording, kind: str) -> str:
    say = words.say
    names = {
        "invoice": say("Bill"),
        "credit_note": say("Credit note"),
        "payment": say("Payment"),
        "refund": say("Refund"),
        "deposit": say("Deposit"),
        "opening_balance": say("Opening balance"),
        "dunning_fee": say("Reminder fee"),
        "instalment": say("Monthly amount"),
        "deferral": say("Carried to the yearly settlement"),
        "budget_settlement": say("Yearly settlement"),
        "write_off": say("Written off"),
        "adjustment": say("Adjustment"),
        "merge": say("Accounts merged"),
        "reversal": say("Reversal"),
    }
    return names.get(kind) or say("Booking")
