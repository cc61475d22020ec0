"""The overview: what needs attention first, then how the day's work stands."""

import asyncio
from collections import Counter
from collections.abc import Callable

from fastapi import APIRouter
from starlette.responses import Response

from gridtally.console.pages.visit import Visit
from gridtally.console.upstream import Answer
from gridtally.console.views import formats
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
    Tone,
)

router = APIRouter()
SAMPLE = 200
REFRESH_S = 15


@router.get("/")
async def show_overview(visit: Visit) -> Response:
    """What a supplier's day begins with."""
    (
        held,
        quarantine,
        pending,
        alerts,
        exceptions,
        intake,
        billing,
        books,
        balance,
        chain,
        ageing,
        incomplete,
        any_customer,
        any_tariff,
    ) = await asyncio.gather(
        visit.get("billing", "/v1/held-invoices", limit=SAMPLE),
        visit.get("ingest", "/v1/quarantine", limit=SAMPLE, replayed="false"),
        visit.get("ingest", "/v1/pending-blocks", limit=SAMPLE),
        visit.get("ingest", "/v1/alerts", limit=SAMPLE),
        visit.get("ingest", "/v1/register-exceptions", limit=SAMPLE),
        visit.get("ingest", "/v1/reconciliation"),
        visit.get("billing", "/v1/reconciliation"),
        visit.get("ledger", "/v1/reconciliation"),
        visit.get("ledger", "/v1/trial-balance"),
        visit.get("ledger", "/v1/ledger/status"),
        visit.get("ledger", "/v1/ageing"),
        visit.get("billing", "/v1/incomplete-agreements", limit=SAMPLE),
        visit.get("billing", "/v1/customers", limit=1),
        visit.get("tariff", "/v1/tariffs", limit=1),
    )
    checked = intake, billing, books, chain, incomplete
    view = PageView(
        area="overview",
        title="Overview",
        subtitle=f"Everything of {visit.session.tenant_id}, as of now",
        refresh_s=REFRESH_S,
        blocks=[
            *_first_steps(any_customer),
            _attention(held, quarantine, pending, alerts, exceptions, ageing, *checked, any_tariff),
            _work(intake, billing),
            _invoiced(billing),
            _ageing(ageing),
            _checks(intake, billing, books, chain),
            _trial_balance(balance),
        ],
    )
    return visit.page(view)


def _first_steps(customers: Answer) -> list[Block | Panel]:
    if not customers.ok or customers.items:
        return []
    return [
        Panel(
            "First steps",
            [
                Empty(
                    "Nothing is billed yet",
                    "A tariff, a property with its meters, a customer, an agreement between them, "
                    "and readings: with these five the first invoice makes itself.",
                    (
                        Link("Tariffs", "/tariffs"),
                        Link("Properties", "/properties"),
                        Link("Customers", "/customers"),
                        Link("How to send readings", "/developers"),
                    ),
                )
            ],
        )
    ]


def _many(answer: Answer, shown: int) -> str:
    more = answer.ok and answer.data["next_cursor"] is not None
    return f"{formats.number(shown)}{'+' if more else ''}"


def _attention(*answers: Answer) -> Panel:
    held, quarantine, pending, alerts, exceptions, ageing, *checked = answers
    intake, billing, books, chain, incomplete, _ = checked
    rows: list[tuple[Cell, Cell, Cell]] = []

    def add(tone: Tone, what: str, text: str, href: str) -> None:
        is_bad = tone == "bad"
        rows.append(
            (
                Cell("act now" if is_bad else "look", tone="bad" if is_bad else "warn"),
                Cell(what, href),
                Cell(text),
            )
        )

    _add_breaches(add, intake, billing, books, chain)
    for reason, number in Counter(item["reason"] for item in held.items).most_common():
        what = f"{_many(held, number)} held: {formats.words(reason)}"
        add("warn", what, "closed, but not billed yet", f"/held?reason={reason}")
    for reason, number in Counter(item["reason"] for item in quarantine.items).most_common():
        what = f"{_many(quarantine, number)} in quarantine: {formats.words(reason)}"
        add("warn", what, "refused readings, to be replayed once repaired", "/operations")
    for kind, number in Counter(item["kind"] for item in alerts.items).most_common():
        noun = "alert" if number == 1 else "alerts"
        what = f"{_many(alerts, number)} open {noun}: {formats.words(kind)}"
        add("warn", what, "what meters send is odd, or nothing", f"/operations/alerts?kind={kind}")
    _add_incomplete(add, incomplete)
    if pending.items:
        what = f"{_many(pending, len(pending.items))} unknown meters send readings"
        add("warn", what, "register them, and their readings are stored", "/operations/pending")
    if exceptions.items:
        what = f"{_many(exceptions, len(exceptions.items))} register exceptions"
        add("warn", what, "two register readings that make no energy", "/operations/registers")
    for currency in ageing.data["currencies"] if ageing.ok else ():
        if not formats.is_zero(currency["overdue"]):
            amount = formats.money(currency["overdue"], currency["currency"])
            add("warn", f"{amount} overdue", "invoices past their due date", "/ledger/ageing")
    away = [answer.failure for answer in answers if answer.failure and not answer.failure.status]
    for service in dict.fromkeys(failure.service for failure in away):
        add("bad", f"{service} does not answer", "what it knows is missing below", "/operations")
    columns = [Column("Urgency"), Column("What"), Column("Why")]
    if not rows:
        text = "Nothing is held, refused, waiting or overdue, and every check holds."
        return Panel("Needs attention", [Notice(text, tone="good", title="All is well.")])
    nothing = Empty("All is well", "")
    return Panel("Needs attention", [Table("Needs attention", columns, rows, nothing)])


def _add_incomplete(add: Callable[[Tone, str, str, str], None], incomplete: Answer) -> None:
    for missing in ("meter", "tariff"):
        lacking = [item for item in incomplete.items if missing in item["missing"]]
        if lacking:
            what = f"{_many(incomplete, len(lacking))} agreements name an unknown {missing}"
            text = f"nothing is billed by them, by the oldest for {lacking[0]['age_hours']} hours"
            add("warn", what, text, f"/customers/{lacking[0]['agreement']['customer_id']}")


def _add_breaches(
    add: Callable[[Tone, str, str, str], None],
    intake: Answer,
    billing: Answer,
    books: Answer,
    chain: Answer,
) -> None:
    if intake.ok and not intake.data["holds"]:
        add("bad", "Intake does not add up", "received is not stored + refused", "/operations")
    if billing.ok and not billing.data["ok"]:
        add("bad", "Billing does not add up", "; ".join(billing.data["breaches"]), "/operations")
    if books.ok and not books.data["ok"]:
        add("bad", "The ledger differs from its invoices", "see the reconciliation", "/ledger")
    if chain.ok and not chain.data["whole"]:
        add("bad", "The ledger's chain is broken", "an entry was changed or removed", "/ledger")
    if chain.ok and not chain.data["in_time"]:
        add("warn", "Entries wait to be sealed", "sealing is late", "/ledger")


def _work(intake: Answer, billing: Answer) -> Stats:
    counted = intake.data["counted"] if intake.ok else {}
    values = intake.data["values"] if intake.ok else {}
    return Stats(
        [
            Stat(
                "Reading blocks received",
                formats.number(counted.get("received")),
                note=f"{formats.number(values.get('new'))} values, "
                f"{formats.number(values.get('corrected'))} corrected",
                href="/operations",
            ),
            Stat(
                "Periods closed",
                formats.number(intake.data["closed_periods"] if intake.ok else None),
                note="each billed, or held with a reason",
                href="/operations/periods",
            ),
            Stat(
                "Periods invoiced",
                formats.number(billing.data["invoiced"] if billing.ok else None),
                note=f"{formats.number(billing.data['held'] if billing.ok else None)} held",
                href="/invoices",
            ),
            Stat(
                "Energy billed",
                formats.energy(formats.kwh_of(billing.data["energy_wh"] if billing.ok else None)),
                "kWh",
                note="import and export",
            ),
        ]
    )


def _invoiced(billing: Answer) -> Panel:
    rows = [
        (
            Cell(item["currency"]),
            Cell(formats.number(item["invoices"])),
            Cell(formats.money(item["invoiced"])),
            Cell(formats.money(item["credited"]), note=formats.count(item["credit_notes"], "note")),
            Cell(formats.money(item["live_total"])),
        )
        for item in (billing.data["currencies"] if billing.ok else ())
    ]
    columns = [
        Column("Currency"),
        Column("Invoices", is_number=True),
        Column("Invoiced", is_number=True),
        Column("Credited", is_number=True),
        Column("In force", is_number=True),
    ]
    empty = Empty("No invoices yet", "The first one is issued when a period closes.")
    return Panel(
        "Invoiced",
        [Table("Invoiced, by currency", columns, rows, empty)],
        failure=billing.failure,
        width=6,
        links=(Link("All invoices", "/invoices"),),
    )


def _ageing(ageing: Answer) -> Panel:
    rows = [
        (
            Cell(item["currency"]),
            Cell(formats.money(item["not_due"])),
            Cell(formats.money(item["overdue"])),
            Cell(formats.money(item["total"])),
        )
        for item in (ageing.data["currencies"] if ageing.ok else ())
    ]
    columns = [
        Column("Currency"),
        Column("Not due", is_number=True),
        Column("Overdue", is_number=True),
        Column("Open", is_number=True),
    ]
    empty = Empty("Nobody owes anything", "Open invoices appear here, by how late they are.")
    return Panel(
        "Open amounts",
        [Table("Open amounts, by currency", columns, rows, empty)],
        failure=ageing.failure,
        width=6,
        links=(Link("Ageing", "/ledger/ageing"),),
    )


def _checks(intake: Answer, billing: Answer, books: Answer, chain: Answer) -> Panel:
    found = [
        ("Intake: every block has one outcome", intake, "holds"),
        ("Billing: lines add up to invoices, numbers have no gap", billing, "ok"),
        ("Ledger: postings agree with invoices, to the cent", books, "ok"),
        ("Chain: no entry was changed or removed", chain, "whole"),
    ]
    rows = [
        (
            Cell(what),
            Cell("unknown", tone="plain")
            if not answer.ok
            else Cell("holds", tone="good")
            if answer.data[field]
            else Cell("broken", tone="bad"),
        )
        for what, answer, field in found
    ]
    columns = [Column("Check"), Column("State")]
    table = Table("Checks", columns, rows, Empty("No checks", ""))
    return Panel("Checks that must hold", [table], width=6)


def _trial_balance(balance: Answer) -> Panel:
    blocks: list[Block] = []
    for item in balance.data["currencies"] if balance.ok else ():
        is_zero = formats.is_zero(item["difference"])
        text = (
            f"{item['currency']}: debits {formats.money(item['debits'])}, credits "
            f"{formats.money(item['credits'])}, difference {formats.money(item['difference'])}"
        )
        blocks.append(Notice(text, tone="good" if is_zero else "bad"))
    if not blocks:
        blocks.append(Empty("The books are empty", "The first invoice makes the first posting."))
    return Panel(
        "Trial balance",
        blocks,
        failure=balance.failure,
        width=6,
        links=(Link("Ledger", "/ledger"),),
    )
