"""Merges: what moves from a duplicate's accounts, by worked figures and over random histories."""

from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples import examples
from gridtally.kernel.errors import Conflict, Rejected
from gridtally.ledger.accounts.domain import chart
from gridtally.ledger.accounts.domain.commands import Command
from gridtally.ledger.accounts.domain.customer_accounts import CustomerAccount
from gridtally.ledger.accounts.domain.merges import Merge, as_survivors, move_balances
from gridtally.ledger.accounts.domain.payments import post
from gridtally.ledger.accounts.domain.reversals import LiveAllocation, Reason, credit_short, reverse
from gridtally.ledger.accounts.domain.transactions import Posting

AT = datetime(2026, 4, 2, tzinfo=UTC)
ADA, BO, PLAN = UUID(int=1), UUID(int=2), UUID(int=9)
MERGE = Merge("t", ADA, BO, "C-1", AT, "c")


def standing(account, amount):
    return Posting(account, Decimal(amount))


def test_what_stands_on_each_account_moves_by_currency_and_nothing_else():
    """148.80 owed, 20.00 credit, a deposit of 50.00 and 90.00 asked for by a plan, in euros; 5.00
    in francs; an account that came to nothing."""
    balances = [
        standing(chart.receivable("EUR", ADA), "148.80"),
        standing(chart.prepaid("EUR", ADA), "-20"),
        standing(chart.deposit("EUR", ADA), "-50"),
        standing(chart.budget("EUR", ADA, PLAN), "-90"),
        standing(chart.export_payable("EUR", ADA), "0"),
        standing(chart.receivable("CHF", ADA), "5"),
    ]
    later = AT + timedelta(days=3)
    francs, euros = move_balances(MERGE, balances, 7, later)
    assert (francs.currency, francs.total, euros.total) == ("CHF", Decimal(5), Decimal("308.80"))
    assert {own.account: own.amount for own in euros.postings} == {
        chart.receivable("EUR", ADA): Decimal("-148.80"), chart.prepaid("EUR", ADA): Decimal(20),
        chart.deposit("EUR", ADA): Decimal(50), chart.budget("EUR", ADA, PLAN): Decimal(90),
        chart.receivable("EUR", BO): Decimal("148.80"), chart.prepaid("EUR", BO): Decimal(-20),
        chart.deposit("EUR", BO): Decimal(-50), chart.budget("EUR", BO, PLAN): Decimal(-90),
    }  # fmt: skip
    assert (euros.kind, euros.customer_id, euros.reference) == ("merge", BO, "C-1")
    assert euros.occurred_at == later, "nothing moves before it was there"
    again = move_balances(MERGE, balances, 8, AT)
    assert {own.id for own in again}.isdisjoint({francs.id, euros.id})
    assert again[0].occurred_at == AT
    assert move_balances(MERGE, balances[4:5], 8, AT) == []


def test_nobody_is_merged_into_themselves():
    with pytest.raises(ValueError, match="into themselves"):
        replace(MERGE, survivor_id=ADA)


def test_a_command_that_names_the_duplicate_is_the_survivors_and_the_same_as_before():
    command = Command("payment", UUID(int=5), ADA, "EUR", Decimal(3), "R", "", AT, "c")
    given_to = command.given_to(BO)
    assert (given_to.customer_id, given_to.digest) == (BO, command.digest)
    assert given_to.given_to(UUID(int=3)).digest == command.digest
    assert replace(command, customer_id=BO).digest != command.digest


KINDS = ("payment", "charge", "credit", "deposit", "refund", "allocation")
steps = st.lists(
    st.tuples(
        st.sampled_from(KINDS),
        st.sampled_from([ADA, BO]),
        st.decimals("0.01", 200, places=2),
        st.sampled_from(["prepaid", "deposit"]),
    ),
    min_size=1,
    max_size=25,
)


class Books:
    """Two customers' accounts, and all that is posted on them."""

    def __init__(self):
        self.accounts = {id_: CustomerAccount("t", id_, "EUR") for id_ in (ADA, BO)}
        self.posted, self.merged = [], {}

    def write(self, transaction):
        self.posted.append(transaction)
        owner = transaction.customer_id
        self.accounts[owner] = self.accounts[owner].after(transaction)

    def balances(self):
        sums = defaultdict(Decimal)
        for transaction in self.posted:
            for posting in transaction.postings:
                sums[posting.account] += posting.amount
        return sums

    def carry_out(self, number, kind, who, amount, source):
        """Post a command, unless the account does not allow it."""
        command = Command(
            kind, UUID(int=100 + number), who, "EUR", amount, f"R{number}", "",
            AT + timedelta(hours=number), "c", source=source,
        )  # fmt: skip
        if who in self.merged:
            command = command.given_to(self.merged[who])
        try:
            self.write(post(self.accounts[command.customer_id], command))
        except Rejected:
            return

    def merge(self):
        """As the handler does: balances by a transaction, items by their rows."""
        balances = [Posting(own, amount) for own, amount in self.balances().items()]
        mine = [own for own in balances if own.account.customer_id == ADA]
        self.posted += move_balances(MERGE, mine, len(self.posted), AT)
        ada, bo = self.accounts[ADA], self.accounts[BO]
        self.accounts[BO] = replace(
            bo,
            prepaid=ada.prepaid + bo.prepaid,
            deposit=ada.deposit + bo.deposit,
            items={**ada.items, **bo.items},
        )
        self.accounts[ADA] = CustomerAccount("t", ADA, "EUR")
        self.merged[ADA] = BO

    def live(self, source):
        amounts = defaultdict(Decimal)
        for transaction in self.posted:
            for part in transaction.allocations:
                if part.source_id == source.id:
                    amounts[part.item_id] += part.amount
        return [
            LiveAllocation(item, source.id, source.kind, amount)
            for item, amount in amounts.items()
            if amount
        ]

    def reverse(self, original):
        """Reverse what takes no more credit than there is."""
        owner = self.merged.get(original.customer_id, original.customer_id)
        mine, live = as_survivors(original, owner), self.live(original)
        account = self.accounts[owner]
        charged = original.opens and account.items[original.opens.id].allocated
        if charged or credit_short(account, mine, live):
            return
        try:
            self.write(reverse(account, mine, live, Reason("wrong", AT + timedelta(days=9), "c")))
        except Conflict:
            return

    def by_class(self, *owners):
        sums = defaultdict(Decimal)
        for own, amount in self.balances().items():
            if own.customer_id is None or own.customer_id in owners:
                sums[own.account_class] += amount
        return {name: amount for name, amount in sums.items() if amount}


@given(steps, steps)
@examples(150)
def test_a_merge_changes_no_sum_and_leaves_nothing_with_the_duplicate(before, after):
    """Of every class of account both together have the same before and after; and from then on the
    same happens as to one person who had done all of it, whoever is named."""
    books = Books()
    for number, step in enumerate(before):
        books.carry_out(number, *step)
    sums = books.by_class(ADA, BO)
    books.merge()
    assert books.by_class(ADA, BO) == sums == books.by_class(BO)
    for number, step in enumerate(after, start=len(before)):
        books.carry_out(number, *step)
    for original in [own for own in books.posted if own.kind != "merge"][::3]:
        books.reverse(original)
    assert not any(amount for own, amount in books.balances().items() if own.customer_id == ADA), (
        "the duplicate has nothing"
    )
    assert not sum(books.balances().values())
    survivor = books.accounts[BO]
    assert survivor.prepaid == -books.balances()[chart.prepaid("EUR", BO)]
    assert survivor.deposit == -books.balances()[chart.deposit("EUR", BO)]
    owed = sum(item.open for item in survivor.items.values())
    assert owed == books.balances()[chart.receivable("EUR", BO)]
