"""Statements of account: what a customer owed, what changed it, and what is open now.

Owns what a statement says, in the customer's language.
"""

from decimal import Decimal
from typing import Literal

from gridtally.documents.document import Document, Fact, Row, Section, Table
from gridtally.documents.language import Wording, wording_of
from gridtally.documents.letterhead import (
    buyer_lines,
    footer_of,
    seller_lines,
    text_section,
    texts_of,
)
from gridtally.documents.statement_facts import (
    ChangeKind,
    InstalmentFacts,
    PlanFacts,
    StatementFacts,
)


def compose_statement(facts: StatementFacts) -> Document:
    """The statement in the buyer's language, or the seller's."""
    wording = wording_of(facts.buyer.language, facts.seller.language)
    say, texts = wording.say, texts_of(facts.seller, wording)
    sections = (
        _changes_section(facts, wording),
        _open_section(facts, wording),
        *(_plan_section(n, plan, facts, wording) for n, plan in enumerate(facts.plans, start=1)),
        _ages_section(facts, wording),
        text_section("questions", say("Questions and complaints"), texts.questions),
    )
    days = wording.days(facts.start_on, facts.end_on)
    return Document(
        language=wording.language,
        title=say("Statement of account"),
        number=facts.buyer.number,
        accent=facts.seller.accent,
        logo=facts.seller.logo,
        seller_name=facts.seller.name,
        seller_lines=seller_lines(facts.seller, wording),
        buyer_lines=buyer_lines(facts.buyer, wording),
        facts=(
            Fact(say("Date"), wording.day(facts.today)),
            Fact(say("Period"), days),
            Fact(say("Customer number"), facts.buyer.number),
        ),
        headline=Fact(
            say("Credit" if facts.closing < 0 else "Balance to pay"),
            wording.money(abs(facts.closing), facts.currency),
        ),
        headline_note=say("at the end of the period"),
        notices=(),
        sections=tuple(section for section in sections if section is not None),
        footer=footer_of(facts.seller, texts, wording),
        page_words=(say("Page"), say("of")),
        issued_on=facts.today.isoformat(),
    )


def _changes_section(facts: StatementFacts, wording: Wording) -> Section:
    say, amount = wording.say, wording.amount
    rows = [
        Row(
            (
                wording.day(change.on),
                _kind(change.kind, wording),
                change.reference,
                wording.change(change.amount, facts.currency),
                amount(change.balance, facts.currency),
            ),
            note=change.memo,
        )
        for change in facts.changes
    ]
    head = (
        say("Day"), say("What"), say("Reference"),
        say("Amount ({currency})", currency=facts.currency), say("Balance"),
    )  # fmt: skip
    opening, closing = (amount(owed, facts.currency) for owed in (facts.opening, facts.closing))
    first = Row((say("Opening balance"), "", "", "", opening), "sum")
    last = Row((say("Closing balance"), "", "", "", closing), "total")
    nothing = () if rows else (say("Nothing changed in this time."),)
    table = Table(head, (first, *rows, last), texts=3)
    return Section("changes", say("What changed"), nothing, table=table)


def _kind(kind: ChangeKind, wording: Wording) -> str:
    """What happened, in words."""
    say = wording.say
    match kind:
        case "invoice":
            return say("Invoice")
        case "credit_note":
            return say("Credit note")
        case "payment":
            return say("Payment")
        case "refund":
            return say("Refund")
        case "write_off":
            return say("Write-off")
        case "adjustment":
            return say("Adjustment")
        case "set_off":
            return say("Deposit set off")
        case "opening_balance":
            return say("Opening balance")
        case "dunning_fee":
            return say("Dunning fee")
        case "instalment" | "deferral" | "budget_settlement":
            return _budget_kind(kind, wording)
        case "merge" | "reversal":
            return say("Accounts merged") if kind == "merge" else say("Reversal")


def _budget_kind(
    kind: Literal["instalment", "deferral", "budget_settlement"], wording: Wording
) -> str:
    """What a budget plan did, in words."""
    say = wording.say
    match kind:
        case "instalment":
            return say("Budget instalment")
        case "deferral":
            return say("Carried to the budget settlement")
        case "budget_settlement":
            return say("Budget settlement")


def _open_section(facts: StatementFacts, wording: Wording) -> Section:
    say, currency = wording.say, facts.currency
    title = say("Open on {day}", day=wording.day(facts.today))
    standings = {"due": "", "overdue": say("overdue"), "planned": say("by the payment plan")}
    rows = [
        Row(
            (
                wording.day(item.due_on),
                item.number,
                *(wording.amount(a, currency) for a in (item.total, item.paid, item.open)),
            ),
            note=standings[item.standing],
        )
        for item in facts.open_items
    ]
    nothing = () if rows else (say("Nothing is open."),)
    if facts.further:
        further = wording.amount(facts.further, currency)
        rows.append(Row((say("Further invoices"), "", "", "", further)))
    if facts.credit:
        rows.append(Row((say("Your credit"), "", "", "", wording.amount(-facts.credit, currency))))
    balance = wording.amount(facts.balance, currency)
    rows.append(Row((say("Owed on balance"), "", "", "", balance), "total"))
    head = (
        say("Due on"), say("Invoice"), say("Amount ({currency})", currency=currency), say("Paid"),
        say("Open"),
    )  # fmt: skip
    return Section("open", title, nothing, table=Table(head, tuple(rows), texts=2))


def _plan_section(number: int, plan: PlanFacts, facts: StatementFacts, wording: Wording) -> Section:
    say, currency = wording.say, facts.currency

    def amounts(of: PlanFacts | InstalmentFacts, first: Decimal) -> tuple[str, ...]:
        return tuple(wording.amount(a, currency) for a in (first, of.paid, of.open))

    rows = [
        Row(
            (wording.day(part.due_on), *amounts(part, part.amount)),
            note=say("overdue") if part.is_late else "",
        )
        for part in plan.instalments
    ]
    rows.append(Row((say("Together"), *amounts(plan, plan.total)), "total"))
    head = (
        say("Due on"), say("Amount ({currency})", currency=currency), say("Paid"), say("Open"),
    )  # fmt: skip
    title = say("Payment plan of {day}", day=wording.day(plan.agreed_on))
    return Section(f"plan-{number}", title, table=Table(head, tuple(rows)))


def _ages_section(facts: StatementFacts, wording: Wording) -> Section | None:
    ages = facts.ages
    if ages is None:
        return None
    say = wording.say
    columns = (
        (say("Not due"), ages.not_due),
        ("0–30", ages.days_0_30),
        ("31–60", ages.days_31_60),
        ("61–90", ages.days_61_90),
        ("> 90", ages.days_over_90),
        (say("Total"), ages.total),
    )
    head = (say("Days since the due day"), *(label for label, _ in columns))
    amounts = (wording.amount(amount, facts.currency) for _, amount in columns)
    row = Row((say("Amount ({currency})", currency=facts.currency), *amounts))
    return Section("ages", say("By age"), table=Table(head, (row,)))
