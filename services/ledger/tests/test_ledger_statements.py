"""Statements as documents: what they call what was posted, and what of it they show."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import get_args
from uuid import UUID

import pytest

from document_facts import BUYER, SELLER
from gridtally.documents.statement_facts import ChangeKind
from gridtally.ledger.accounts.domain.balances import CustomerBalance
from gridtally.ledger.accounts.domain.chart import AccountClass
from gridtally.ledger.accounts.domain.open_items import OpenItem
from gridtally.ledger.accounts.domain.statements import (
    KINDS,
    AccountToday,
    Change,
    Statement,
    statement_facts,
)
from gridtally.ledger.accounts.domain.transactions import TransactionKind

TODAY = date(2025, 4, 15)
MARCH = (datetime(2025, 3, 1, tzinfo=UTC), datetime(2025, 4, 1, tzinfo=UTC))


def shown(items=(), *, amounts=None, is_booked=False):
    late = datetime(2025, 3, 31, 23, 59, tzinfo=UTC)
    paid = Change(
        UUID(int=1), "payment", "R-1", "thanks", MARCH[0], late, Decimal("-12.50000000")
    )  # fmt: skip
    statement = Statement(UUID(int=2), "EUR", *MARCH, is_booked, Decimal("40.00000000"), [paid])
    balance = CustomerBalance.of(
        "EUR", amounts or {}, arrears=Decimal(0), invoiced_total=Decimal(0)
    )
    account = AccountToday(TODAY, balance, items, [], None)
    return statement_facts(statement, account, SELLER, BUYER)


def test_every_kind_of_transaction_that_changes_a_balance_has_a_name():
    assert set(get_args(TransactionKind)) - KINDS.keys() == {"deposit", "settlement"}
    assert set(KINDS.values()) == set(get_args(ChangeKind))


@pytest.mark.parametrize(("is_booked", "day"), [(False, 1), (True, 31)])
def test_a_change_stands_at_the_day_by_which_it_counts(is_booked, day):
    (change,) = shown(is_booked=is_booked).changes
    assert (change.on, change.kind) == (date(2025, 3, day), "payment")
    assert (f"{change.amount}", f"{change.balance}") == ("-12.50", "27.50")


def test_the_closing_balance_is_what_is_owed_after_the_last_change():
    facts = shown()
    assert (f"{facts.opening}", f"{facts.closing}") == ("40.00", "27.50")
    assert (facts.start_on, facts.end_on) == (date(2025, 3, 1), date(2025, 4, 1))


def item(number, due_on, total, allocated="0"):
    issued_at = datetime(2025, 3, 1, tzinfo=UTC)
    id_ = UUID(int=int(Decimal(total)) + 1000)
    return OpenItem(id_, "invoice", number, Decimal(total), issued_at, due_on, Decimal(allocated))


def test_what_is_open_is_overdue_after_its_day_and_only_where_it_is_owed():
    """50 - 20 less 8 for what was fed in, less 5 that were paid in advance: 17."""
    items = [
        item("A", date(2025, 4, 14), "50", "20"),
        item("B", TODAY, "-8"),
        item("", date(2025, 4, 1), "-0.5", "-0.5"),
    ]
    amounts = {
        AccountClass.RECEIVABLE: Decimal(30),
        AccountClass.EXPORT_PAYABLE: Decimal(-8),
        AccountClass.PREPAID: Decimal(-5),
    }
    facts = shown(items, amounts=amounts)
    assert [(own.number, own.open, own.standing) for own in facts.open_items] == [
        ("A", 30, "overdue"), ("B", -8, "due"), (str(items[2].id), 0, "due"),
    ]  # fmt: skip
    assert (facts.balance, facts.credit, facts.further) == (17, 5, 0)
