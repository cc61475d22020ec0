"""Booking the payments of a bank's file: whose they are, and what they pay."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Literal
from uuid import UUID

from gridtally.database import ReadConnection, WriteConnection
from gridtally.kernel.errors import Transient
from gridtally.kernel.ids import derive_id
from gridtally.kernel.resources import Cause
from gridtally.ledger.accounts.domain.commands import Command
from gridtally.ledger.accounts.domain.direct_debits import CURRENCY, RETURNED
from gridtally.ledger.accounts.domain.payment_files.bank_payments import BankPayment, BankReturn
from gridtally.ledger.accounts.domain.payment_files.matches import (
    Match,
    NamedInvoice,
    exact_match,
    keys_of,
    suggest,
)
from gridtally.ledger.accounts.domain.reversals import Reason
from gridtally.ledger.accounts.domain.transactions import transaction_id
from gridtally.ledger.accounts.handlers.payments import post_received
from gridtally.ledger.accounts.handlers.reversals import reverse_transaction
from gridtally.ledger.accounts.store import adopted_payments, direct_debits, transactions
from gridtally.ledger.accounts.store import payment_files as store
from gridtally.ledger.accounts.store.direct_debits import DebitedInvoice

BATCH_PAYMENTS = 250
"""Booked in one transaction, which locks their customers."""
BATCH_RETURNS = 50
"""Reversed in one transaction, one after another."""
REFERENCE_CHARS_MAX = 200
State = Literal["matched", "unmatched", "present"]
ReturnState = Literal["returned", "present", "unknown"]


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


@dataclass(frozen=True, slots=True)
class BookedReturn:
    """What became of a direct debit that came back: its payment was reversed, had been before, or
    nobody knows it; then there is no debit."""

    returned: BankReturn
    state: ReturnState
    debit: DebitedInvoice | None


async def book_payments(
    tx: WriteConnection,
    cause: Cause,
    payments: Sequence[BankPayment],
    now: datetime,
    *,
    dry_run: bool,
) -> list[BookedPayment]:
    """Book those payments that were not booked before; what became of each, in their order.

    A direct debit is called by its own id from end to end: it pays its invoice, under that id. Else
    an invoice's number in the text says whose a payment is. All others are booked as unmatched,
    with suggestions. A dry run books nothing.
    """
    tenant_id = cause.tenant_id
    debited = await _debited(tx, tenant_id, payments)
    ids = _ids_of(tenant_id, payments, debited)
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
        if id_ in debited:
            debit = debited[id_]
            match: Match | None = debit.match
            command = _debit_command(cause, id_, debit, payment.booked_on, now)
        else:
            match = exact_match(payment.text, of_currency)
            command = _command(cause, payment, id_, match, now)
        commands.append((tenant_id, command))
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


async def _debited(
    read: ReadConnection, tenant_id: str, payments: Sequence[BankPayment]
) -> Mapping[UUID, DebitedInvoice]:
    """The direct debits that payments name, by their ids."""
    named = {payment.debit_id for payment in payments if payment.debit_id is not None}
    return await direct_debits.fetch_debited(read, tenant_id, named)


def _ids_of(
    tenant_id: str, payments: Sequence[BankPayment], debited: Mapping[UUID, DebitedInvoice]
) -> list[UUID]:
    """The id of each payment: the debit's that brought it, where just what was asked for came in,
    and of the first where it is there twice; else by what the bank says. What comes in after the
    bank gave a debit back is not that debit, whatever it is called."""
    taken = set[UUID]()
    ids = []
    for payment in payments:
        id_ = payment.debit_id
        debit = debited.get(id_) if id_ is not None else None
        if id_ is None or debit is None or id_ in taken or not _brought(payment, debit):
            id_ = payment.id_for(tenant_id)
        taken.add(id_)
        ids.append(id_)
    return ids


def _brought(payment: BankPayment, debit: DebitedInvoice) -> bool:
    if (payment.currency, payment.amount) != (CURRENCY, debit.amount):
        return False
    return debit.returned_at is None or payment.booked_on <= debit.returned_at.date()


def _debit_command(
    cause: Cause, id_: UUID, debit: DebitedInvoice, booked_on: date, now: datetime
) -> Command:
    """The command that books what a direct debit has brought."""
    return Command(
        kind="payment",
        id=id_,
        customer_id=debit.invoice.customer_id,
        currency=CURRENCY,
        amount=debit.amount,
        reference=debit.invoice.number[:REFERENCE_CHARS_MAX],
        memo="direct debit",
        occurred_at=_moment(booked_on, now),
        correlation_id=cause.correlation_id,
        allocations=debit.match.allocations(debit.amount),
    )


def _moment(booked_on: date, now: datetime) -> datetime:
    """When a bank booked something, which is not after now."""
    return min(datetime.combine(booked_on, time.min, UTC), now)


async def book_returns(
    tx: WriteConnection,
    cause: Cause,
    returns: Sequence[BankReturn],
    now: datetime,
    *,
    dry_run: bool,
) -> list[BookedReturn]:
    """Reverse the payments of direct debits that came back; what became of each, in their order.

    One of which no file has said that it came in is booked and reversed, so that the books say what
    came of it, whichever file comes first. A dry run reverses nothing.
    """
    tenant_id = cause.tenant_id
    debited = await direct_debits.fetch_debited(tx, tenant_id, {own.debit_id for own in returns})
    outcomes = []
    for own in returns:
        debit = debited.get(own.debit_id)
        if debit is None:
            outcomes.append(BookedReturn(own, "unknown", None))
            continue
        payment_id = transaction_id(tenant_id, own.debit_id)
        if await transactions.is_reversed(tx, tenant_id, payment_id):
            outcomes.append(BookedReturn(own, "present", debit))
            continue
        if await _came_otherwise(tx, tenant_id, own.debit_id, debit):
            outcomes.append(BookedReturn(own, "unknown", debit))
            continue
        if not dry_run:
            await _reverse(tx, cause, own, debit, now)
        outcomes.append(BookedReturn(own, "returned", debit))
    return outcomes


async def _came_otherwise(
    read: ReadConnection, tenant_id: str, debit_id: UUID, debit: DebitedInvoice
) -> bool:
    """Whether the money of a debit was booked as somebody's payment, from a file that does not name
    debits: which one is to be reversed, a person must say."""
    if debit.invoice.open >= debit.amount:
        return False
    payment_id = transaction_id(tenant_id, debit_id)
    if await transactions.fetch_original(read, tenant_id, payment_id) is not None:
        return False
    return not await adopted_payments.fetch_waiting(read, [(tenant_id, debit_id)])


async def _reverse(
    tx: WriteConnection, cause: Cause, own: BankReturn, debit: DebitedInvoice, now: datetime
) -> None:
    """Reverse the payment of a debit. Transient while it waits for its invoice after a restore."""
    tenant_id = cause.tenant_id
    if await adopted_payments.fetch_waiting(tx, [(tenant_id, own.debit_id)]):
        raise Transient("the payment waits for its invoice after a restore")
    payment_id = transaction_id(tenant_id, own.debit_id)
    original = await transactions.fetch_original(tx, tenant_id, payment_id)
    at = _moment(own.booked_on, now)
    if original is None:
        command = _debit_command(cause, own.debit_id, debit, own.booked_on, now)
        await post_received(tx, [(tenant_id, command)])
    reason = Reason(
        f"{RETURNED}{own.reason}",
        at if original is None else max(at, original.occurred_at),
        cause.correlation_id,
    )
    await reverse_transaction(tx, tenant_id, payment_id, reason)


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
        occurred_at=_moment(payment.booked_on, now),
        correlation_id=cause.correlation_id,
        allocations=match.allocations(payment.amount) if match else None,
    )
