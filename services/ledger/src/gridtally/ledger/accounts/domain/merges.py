"""Merges: two customers turned out to be one, and what is open, credit or held of one is the
other's from then on.

Owns what moves from the duplicate's accounts to those of the survivor, and as whose what was posted
for the duplicate counts when it is undone later. What was posted stays on the account where it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from gridtally.kernel.ids import derive_id
from gridtally.ledger.accounts.domain import chart
from gridtally.ledger.accounts.domain.chart import Account, AccountClass
from gridtally.ledger.accounts.domain.transactions import (
    Posting,
    Transaction,
    digest_of,
    ledger_amount,
    sum_of,
    transaction_id,
)


@dataclass(frozen=True, slots=True)
class Merge:
    """That one customer of a tenant is another one.

    duplicate_id  whose accounts are emptied
    survivor_id   who owes and owns what stood on them
    reference     what people call the duplicate: its number
    occurred_at   the date of value of what moves
    """

    tenant_id: str
    duplicate_id: UUID
    survivor_id: UUID
    reference: str
    occurred_at: datetime
    correlation_id: str

    def __post_init__(self) -> None:
        if self.duplicate_id == self.survivor_id:
            raise ValueError("nobody is merged into themselves")


def move_balances(
    merge: Merge, balances: Sequence[Posting], version: int, last_at: datetime
) -> list[Transaction]:
    """What empties the duplicate's accounts, one transaction for each currency, of those of
    `balances` that have something on them.

    `version` counts the changes of the duplicate's accounts, so that each move has an id of its
    own. `last_at` is the latest date of value on them: nothing moves before it was there.
    """
    moved = [balance for balance in balances if balance.amount]
    currencies = sorted({balance.account.currency for balance in moved})
    return [
        _move(
            merge,
            currency,
            [own for own in moved if own.account.currency == currency],
            version,
            max(merge.occurred_at, last_at),
        )
        for currency in currencies
    ]


def _move(
    merge: Merge, currency: str, balances: Sequence[Posting], version: int, occurred_at: datetime
) -> Transaction:
    named = merge.tenant_id, merge.duplicate_id, currency, version
    document_id = derive_id("merge", *named)
    postings = [
        *(Posting(own.account, -own.amount) for own in balances),
        *(Posting(owned_by(own.account, merge.survivor_id), own.amount) for own in balances),
    ]
    parts = [f"{posting.account.code}={ledger_amount(posting.amount):f}" for posting in postings]
    return Transaction(
        id=transaction_id(merge.tenant_id, document_id),
        tenant_id=merge.tenant_id,
        kind="merge",
        document_id=document_id,
        reference=merge.reference,
        reverses_id=None,
        customer_id=merge.survivor_id,
        currency=currency,
        total=sum_of(abs(own.amount) for own in balances),
        occurred_at=occurred_at,
        correlation_id=merge.correlation_id,
        postings=tuple(postings),
        digest=digest_of(["merge", str(document_id), *parts]),
    )


def owned_by(account: Account, customer_id: UUID) -> Account:
    """The account of the same class, or the same budget plan, of another customer."""
    if account.account_class is AccountClass.BUDGET:
        return chart.budget(account.currency, customer_id, chart.plan_of(account))
    return chart.customer_account(account.currency, account.account_class, customer_id)


def as_survivors(posted: Transaction, survivor_id: UUID) -> Transaction:
    """What was posted for a duplicate as it would stand had the survivor been named: so its
    reversal takes from, and gives to, the accounts to which all was moved."""
    duplicate_id = posted.customer_id
    return replace(
        posted,
        customer_id=survivor_id,
        postings=tuple(
            replace(posting, account=owned_by(posting.account, survivor_id))
            if posting.account.customer_id is not None
            and posting.account.customer_id == duplicate_id
            else posting
            for posting in posted.postings
        ),
    )
