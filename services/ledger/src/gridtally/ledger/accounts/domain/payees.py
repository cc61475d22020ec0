"""Payees: whom lines of invoices name, what they are owed, and settling it.

Owns what a settlement posts. Refuses more than is owed, unless whoever settles says that it is
meant, and amounts that nobody can pay.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from gridtally.kernel.errors import Fault, Rejected
from gridtally.kernel.money import EXACT, in_currency, is_payable, plain
from gridtally.ledger.accounts.domain import chart
from gridtally.ledger.accounts.domain.chart import Account
from gridtally.ledger.accounts.domain.payments import finer_than_currency
from gridtally.ledger.accounts.domain.transactions import (
    Posting,
    Transaction,
    digest_of,
    ledger_amount,
    transaction_id,
)


@dataclass(frozen=True, slots=True)
class Settlement:
    """Money that is paid to a payee.

    id           names it for ever: the transaction's id follows from it
    payee        the account of what the payee is owed, of one of `chart.PAYEE_CLASSES`
    amount       above zero
    reference    what people call it
    memo         a reason or method, for people
    occurred_at  the date of value
    is_dated     whether that was asked for and is not just the moment of asking
    """

    id: UUID
    tenant_id: str
    payee: Account
    amount: Decimal
    reference: str
    memo: str
    occurred_at: datetime
    correlation_id: str
    is_dated: bool = True

    @property
    def digest(self) -> bytes:
        """SHA-256 of what was asked for."""
        return digest_of(
            [
                "settlement", str(self.id), self.payee.currency, self.payee.code,
                f"{ledger_amount(self.amount):f}", self.reference, self.memo,
                self.occurred_at.isoformat() if self.is_dated else "",
            ]
        )  # fmt: skip


def settle(settlement: Settlement) -> Transaction:
    """The transaction of a settlement: what the payee is owed against cash."""
    payee, amount = settlement.payee, ledger_amount(settlement.amount)
    postings = (
        Posting(payee, amount),
        Posting(chart.cash(payee.currency), EXACT.minus(amount)),
    )
    return Transaction(
        id=transaction_id(settlement.tenant_id, settlement.id),
        tenant_id=settlement.tenant_id,
        kind="settlement",
        document_id=settlement.id,
        reference=settlement.reference,
        reverses_id=None,
        customer_id=None,
        currency=payee.currency,
        total=amount,
        occurred_at=settlement.occurred_at,
        correlation_id=settlement.correlation_id,
        postings=postings,
        digest=settlement.digest,
        memo=settlement.memo,
    )


def require_owed(settlement: Settlement, owed: Decimal, *, in_advance: bool) -> None:
    """Rejected for more than is owed, unless it is said to be paid in advance, and for an amount
    that is finer than the currency's minor unit."""
    currency = settlement.payee.currency
    if not is_payable(settlement.amount, currency):
        raise finer_than_currency(currency)
    if settlement.amount > owed and not in_advance:
        written = plain(in_currency(owed, currency))
        fault = Fault("/amount", f"must be at most {written}, or `in_advance` be true")
        raise Rejected("more_than_owed", f"the payee is owed {written} {currency}", (fault,))


def account_of(posted: Transaction) -> Account:
    """The payee's account of a settlement or its reversal."""
    [payee] = (
        posting.account
        for posting in posted.postings
        if posting.account.account_class in chart.PAYEE_CLASSES
    )
    return payee
