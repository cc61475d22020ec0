"""Booking the payments of a bank's file: whose they are, and what they pay."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Literal
from uuid import UUID

from gridtally.database import WriteConnection
from gridtally.kernel.ids import derive_id
from gridtally.kernel.resources import Cause
from gridtally.ledger.accounts.domain.commands import Command
from gridtally.ledger.accounts.domain.payment_files.bank_payments import BankPayment
from gridtally.ledger.accounts.domain.payment_files.matches import (
    Match,
    NamedInvoice,
    exact_match,
    keys_of,
    suggest,
)
from gridtally.ledger.accounts.domain.transactions import transaction_id
from gridtally.ledger.accounts.handlers.payments import post_received
from gridtally.ledger.accounts.store import adopted_payments, transactions
from gridtally.ledger.accounts.store import payment_files as store

BATCH_PAYMENTS = 250
"""Booked in one transaction, which locks their customers."""
REFERENCE_CHARS_MAX = 200
State = Literal["matched", "unmatched", "present"]


@dataclass(frozen=True, slots=True)
class BookedPayment:
    """What became of a payment of a file.

    id        the transaction that books it
    state     given to a customer, booked for nobody, or booked before
    invoices  which it names where it is matched, which it may be for where it is not
    """

    payment: BankPayment
    id: UUID
    state: State
    customer_id: UUID | None = None
    invoices: tuple[NamedInvoice, ...] = ()


async def book_payments(
    tx: WriteConnection,
    cause: Cause,
    payments: Sequence[BankPayment],
    now: datetime,
    *,
    dry_run: bool,
) -> list[BookedPayment]:
    """Book those payments that were not booked before; what became of each, in their order.

    An invoice's number in the text says whose a payment is. All others are booked as unmatched,
    with suggestions. A dry run books nothing.
    """
    tenant_id = cause.tenant_id
    ids = [payment.id_for(tenant_id) for payment in payments]
    transaction_ids = [transaction_id(tenant_id, id_) for id_ in ids]
    booked = await transactions.fetch_digests(tx, [(tenant_id, id_) for id_ in transaction_ids])
    waiting = await adopted_payments.fetch_waiting(tx, [(tenant_id, id_) for id_ in ids])
    keys = {key for payment in payments for key in keys_of(payment.text)}
    named = await store.fetch_named(tx, tenant_id, keys)
    amounts = {(payment.currency, payment.amount) for payment in payments}
    same_amount = await store.fetch_same_amount(tx, tenant_id, amounts)
    outcomes, commands = [], []
    for payment, id_, transaction in zip(payments, ids, transaction_ids, strict=True):
        if (tenant_id, transaction) in booked or (tenant_id, id_) in waiting:
            outcomes.append(BookedPayment(payment, transaction, "present"))
            continue
        of_currency = named.get(payment.currency, ())
        match = exact_match(payment.text, of_currency)
        commands.append((tenant_id, _command(cause, payment, id_, match, now)))
        if match is not None:
            matched = BookedPayment(
                payment, transaction, "matched", match.customer_id, match.invoices
            )
            outcomes.append(matched)
        else:
            likely = same_amount.get((payment.currency, payment.amount), ())
            suggested = suggest(payment.text, of_currency, likely)
            outcomes.append(BookedPayment(payment, transaction, "unmatched", invoices=suggested))
    if not dry_run:
        await post_received(tx, commands)
    return outcomes


def _command(
    cause: Cause, payment: BankPayment, id_: UUID, match: Match | None, now: datetime
) -> Command:
    """The command that books a payment; one of nobody who is known names a customer that no tenant
    has, so that it stands in suspense."""
    customer_id = match.customer_id if match else derive_id("unknown_payer", cause.tenant_id)
    return Command(
        kind="payment",
        id=id_,
        customer_id=customer_id,
        currency=payment.currency,
        amount=payment.amount,
        reference=payment.text[:REFERENCE_CHARS_MAX],
        memo=f"bank transfer of {payment.payer}"[:REFERENCE_CHARS_MAX].removesuffix(" of "),
        occurred_at=min(datetime.combine(payment.booked_on, time.min, UTC), now),
        correlation_id=cause.correlation_id,
        allocations=match.allocations(payment.amount) if match else None,
    )
