"""Dunning notices: what is overdue, what that costs, and by when it is to be paid."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from gridtally.documents.document import Document, Fact, Row, Section, Table
from gridtally.documents.facts import Buyer, Seller
from gridtally.documents.language import Wording, wording_of
from gridtally.documents.letterhead import (
    buyer_lines,
    footer_of,
    seller_lines,
    text_section,
    texts_of,
)


@dataclass(frozen=True, slots=True)
class OverdueItem:
    """An invoice or charge, and how much of it is overdue since when."""

    number: str
    due_on: date
    open: Decimal


@dataclass(frozen=True, slots=True)
class NoticeFacts:
    """Everything that a notice is made of; amounts are in `currency`.

    name    what the seller calls this level, which is the letter's title
    items   what this notice is for, the oldest due first
    others  what else is overdue
    credit  what the customer has as credit
    total   what is to be paid
    """

    seller: Seller
    buyer: Buyer
    name: str
    issued_on: date
    currency: str
    items: Sequence[OverdueItem]
    others: Decimal
    fee: Decimal
    credit: Decimal
    total: Decimal
    pay_by: date


def compose_notice(facts: NoticeFacts) -> Document:
    """The notice in the buyer's language, or the seller's."""
    wording = wording_of(facts.buyer.language, facts.seller.language)
    say, texts = wording.say, texts_of(facts.seller, wording)
    sections = (
        _overdue_section(facts, wording),
        text_section("questions", say("Questions and complaints"), texts.questions),
    )
    return Document(
        language=wording.language,
        title=facts.name,
        number=wording.day(facts.issued_on),
        accent=facts.seller.accent,
        logo=facts.seller.logo,
        seller_name=facts.seller.name,
        seller_lines=seller_lines(facts.seller, wording),
        buyer_lines=buyer_lines(facts.buyer, wording),
        facts=(
            Fact(say("Date"), wording.day(facts.issued_on)),
            Fact(say("Customer number"), facts.buyer.number),
            Fact(say("To be paid by"), wording.day(facts.pay_by)),
        ),
        headline=Fact(say("Amount due"), wording.money(facts.total, facts.currency)),
        headline_note=say("Please pay by {day}.", day=wording.day(facts.pay_by)),
        notices=(),
        sections=tuple(section for section in sections if section is not None),
        footer=footer_of(facts.seller, texts, wording),
        page_words=(say("Page"), say("of")),
        issued_on=facts.issued_on.isoformat(),
    )


def _overdue_section(facts: NoticeFacts, wording: Wording) -> Section:
    say = wording.say

    def amount(of: Decimal) -> str:
        return wording.amount(of, facts.currency)

    rows = [Row((own.number, wording.day(own.due_on), amount(own.open))) for own in facts.items]
    further = (
        (say("Other amounts that are overdue"), facts.others),
        (say("Fee for this letter"), facts.fee),
        (say("Your credit"), -facts.credit),
    )
    rows += [Row((label, "", amount(of))) for label, of in further if of]
    rows.append(Row((say("Amount due"), "", amount(facts.total)), "total"))
    head = (say("Invoice"), say("Due on"), say("Amount ({currency})", currency=facts.currency))
    sentence = say(
        "These amounts are overdue. If you have paid them meanwhile, please disregard this letter."
    )
    return Section(
        "overdue", say("What is overdue"), (sentence,), table=Table(head, tuple(rows), texts=2)
    )
