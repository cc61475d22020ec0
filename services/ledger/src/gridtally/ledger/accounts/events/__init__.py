"""Events of invoices, payments and balances on one side, the domain's values on the other."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Literal, TypeVar
from uuid import UUID

from gridtally.contracts.accounts import (
    AccountChanged,
    CurrencyBalance,
    PaymentAllocation,
    PaymentPlanChanged,
    PaymentReceived,
    PaymentRecorded,
    SettlementRecorded,
    TransactionRecorded,
)
from gridtally.contracts.commerce import (
    CreditNoteIssued,
    CustomerChanged,
    InvoiceIssued,
    InvoiceVoided,
)
from gridtally.contracts.envelope import Envelope
from gridtally.contracts.invoice_lines import InvoiceLine
from gridtally.contracts.model import Event
from gridtally.contracts.registry import PaymentTermsChanged
from gridtally.documents.facts import Address, Buyer
from gridtally.kernel.errors import Poison
from gridtally.kernel.ids import derive_id
from gridtally.kernel.money import in_currency
from gridtally.kernel.resources import Cause
from gridtally.ledger.accounts.domain.balances import CustomerBalance
from gridtally.ledger.accounts.domain.chart import owed_to, payee_of, prepaid
from gridtally.ledger.accounts.domain.commands import (
    Command,
    CommandKind,
    CreditSource,
    RequestedAllocation,
)
from gridtally.ledger.accounts.domain.open_items import Allocation
from gridtally.ledger.accounts.domain.payees import Settlement, account_of
from gridtally.ledger.accounts.domain.payment_plans import Instalment, PaymentPlan, PlannedItem
from gridtally.ledger.accounts.domain.postings import Document, DocumentLine
from gridtally.ledger.accounts.domain.reversals import LiveAllocation
from gridtally.ledger.accounts.domain.terms import Terms
from gridtally.ledger.accounts.domain.transactions import Transaction
from gridtally.ledger.accounts.domain.void_notes import VoidNote
from gridtally.ledger.events import SOURCE
from gridtally.messaging import OutgoingMessage, ReceivedMessage

E = TypeVar("E", bound=Event)


def present(received: ReceivedMessage[E]) -> E:
    """The event of a message; Poison for a tombstone, which means nothing on these topics."""
    if received.event is None:
        raise Poison("the message has no value")
    return received.event


def addressee(event: CustomerChanged) -> Buyer | None:
    """How to address a customer, as invoices do; None in messages of before names were published.
    Tax number and e-mail address are left out: nobody here needs them."""
    if event.name is None:
        return None
    return Buyer(
        name=event.name,
        number=event.number or str(event.customer_id),
        address=Address.of(event.billing_address or event.supply_address),
        language=event.language,
    )


def invoice(event: InvoiceIssued, envelope: Envelope) -> Document:
    """An invoice as billing issued it."""
    return Document(
        id=event.invoice_id,
        number=event.number,
        tenant_id=envelope.tenant_id,
        customer_id=event.customer_id,
        currency=event.currency,
        lines=_lines(event.lines),
        tax=event.tax,
        total=event.total,
        issued_at=event.issued_at,
        correlation_id=envelope.correlation_id,
        due_on=event.due_on,
        start_on=event.start_on,
        proof_root=event.proof_root,
    )


def credit_note(event: CreditNoteIssued, envelope: Envelope) -> Document:
    """A credit note as billing issued it, with the amounts that it credits of its invoice."""
    return Document(
        id=event.credit_note_id,
        number=event.number,
        tenant_id=envelope.tenant_id,
        customer_id=event.customer_id,
        currency=event.currency,
        lines=_lines(event.lines),
        tax=event.tax,
        total=event.total,
        issued_at=event.issued_at,
        correlation_id=envelope.correlation_id,
        credits_id=event.invoice_id,
        is_part=event.extent == "part",
    )


def void_note(event: InvoiceVoided, envelope: Envelope) -> VoidNote:
    """The note that an invoice is no longer in force."""
    return VoidNote(
        tenant_id=envelope.tenant_id,
        invoice_id=event.invoice_id,
        credit_note_id=event.credit_note_id,
        reference=event.number,
        reason=event.reason,
        voided_at=event.voided_at,
    )


def _lines(lines: Sequence[InvoiceLine]) -> tuple[DocumentLine, ...]:
    return tuple(DocumentLine(line.kind, line.amount, line.payee) for line in lines)


def payment(event: PaymentReceived, envelope: Envelope) -> Command:
    """A payment from outside; what it allocates is an offer, not a condition."""
    allocations = None
    if event.allocations is not None:
        allocations = tuple(
            RequestedAllocation(allocation.invoice_id, allocation.amount)
            for allocation in event.allocations
        )
    return Command(
        kind="payment",
        id=event.payment_id,
        customer_id=event.customer_id,
        currency=event.currency,
        amount=event.amount,
        reference=event.reference,
        memo=event.method,
        occurred_at=event.received_at,
        correlation_id=envelope.correlation_id,
        allocations=allocations,
    )


def payment_recorded(payment: Transaction) -> OutgoingMessage:
    """A payment that is posted now, with what it allocates."""
    return _payment(payment, payment, "recorded", payment.allocations)


def payment_reversed(
    payment: Transaction, reversal: Transaction, live: Sequence[LiveAllocation]
) -> OutgoingMessage:
    """A payment that was reversed, with what it no longer allocates."""
    return _payment(payment, reversal, "reversed", live)


def _payment(
    payment: Transaction,
    posted: Transaction,
    status: Literal["recorded", "reversed"],
    allocations: Sequence[Allocation] | Sequence[LiveAllocation],
) -> OutgoingMessage:
    """The event that `posted`, a payment or its reversal, is in the books."""
    event = PaymentRecorded(
        payment_id=payment.document_id,
        transaction_id=posted.id,
        status=status,
        customer_id=payment.customer_id,
        currency=payment.currency,
        amount=in_currency(payment.total, payment.currency),
        reference=payment.reference,
        method=payment.memo,
        received_at=payment.occurred_at,
        allocations=[
            PaymentAllocation(
                invoice_id=allocation.item_id,
                amount=in_currency(allocation.amount, payment.currency),
            )
            for allocation in allocations
        ],
        prepaid=in_currency(
            abs(posted.posted(prepaid(payment.currency, payment.owner_id))), payment.currency
        ),
        digest=posted.digest.hex(),
        reason=posted.memo if status == "reversed" else None,
    )
    return OutgoingMessage.of(
        event,
        tenant_id=payment.tenant_id,
        correlation_id=posted.correlation_id,
        source=SOURCE,
        event_id=derive_id("payment.recorded", posted.id),
        occurred_at=posted.occurred_at,
    )


def payment_terms_changed(
    terms: Terms, version: int, cause: Cause, at: datetime
) -> OutgoingMessage:
    """`payment_terms.changed`: a tenant's terms as they are from now on."""
    event = PaymentTermsChanged(**asdict(terms), version=version)
    return OutgoingMessage.of(
        event,
        tenant_id=cause.tenant_id,
        correlation_id=cause.correlation_id,
        source=SOURCE,
        event_id=derive_id(event.TOPIC, cause.tenant_id, version, at.isoformat()),
        occurred_at=at,
    )


def payment_plan_changed(plan: PaymentPlan, version: int, cause: Cause) -> OutgoingMessage:
    """`payment_plan.changed`: a plan that was agreed, or cancelled."""
    event = PaymentPlanChanged.model_validate(
        {
            "plan_id": plan.id,
            "customer_id": plan.customer_id,
            "currency": plan.currency,
            "items": [
                {
                    "invoice_id": item.id,
                    "agreed": in_currency(item.agreed, plan.currency),
                    "reduced": in_currency(item.reduced, plan.currency),
                }
                for item in plan.items
            ],
            "instalments": [
                {"due_on": own.due_on, "amount": in_currency(own.amount, plan.currency)}
                for own in plan.instalments
            ],
            "grace_days": plan.grace_days,
            "agreed_at": plan.agreed_at,
            "cancelled_at": plan.cancelled_at,
            "cancel_reason": plan.cancel_reason,
            "version": version,
        }
    )
    return OutgoingMessage.of(
        event,
        tenant_id=cause.tenant_id,
        correlation_id=cause.correlation_id,
        source=SOURCE,
        event_id=derive_id(event.TOPIC, cause.tenant_id, plan.id, version),
        occurred_at=plan.cancelled_at or plan.agreed_at,
    )


def payment_plan(event: PaymentPlanChanged) -> PaymentPlan:
    """A plan as it was published."""
    return PaymentPlan(
        id=event.plan_id,
        customer_id=event.customer_id,
        currency=event.currency,
        items=tuple(PlannedItem(own.invoice_id, own.agreed, own.reduced) for own in event.items),
        instalments=tuple(Instalment(own.due_on, own.amount) for own in event.instalments),
        grace_days=event.grace_days,
        agreed_at=event.agreed_at,
        cancelled_at=event.cancelled_at,
        cancel_reason=event.cancel_reason,
    )


def transaction_recorded(
    posted: Transaction,
    kind: CommandKind,
    source: CreditSource = "prepaid",
    payment_id: UUID | None = None,
) -> OutgoingMessage:
    """What a command, or the rule for credit, has posted now; payments have their own event."""
    return _transaction(
        posted, kind, (part for part in posted.allocations if part.amount > 0), source, payment_id
    )


def transaction_reversed(reversal: Transaction) -> OutgoingMessage:
    """A transaction that is no payment was reversed."""
    return _transaction(reversal, "reversal", ())


def customer_merged(move: Transaction, duplicate_id: UUID) -> OutgoingMessage:
    """What stood on a duplicate's accounts is the survivor's."""
    return _transaction(move, "merge", (), merged_id=duplicate_id)


def _transaction(
    posted: Transaction,
    kind: CommandKind | Literal["merge", "reversal"],
    allocations: Iterable[Allocation],
    source: CreditSource = "prepaid",
    payment_id: UUID | None = None,
    merged_id: UUID | None = None,
) -> OutgoingMessage:
    event = TransactionRecorded.model_validate(
        {
            "transaction_id": posted.id,
            "document_id": posted.document_id,
            "kind": kind,
            "customer_id": posted.customer_id,
            "currency": posted.currency,
            "amount": in_currency(abs(posted.total), posted.currency),
            "reference": posted.reference,
            "memo": posted.memo,
            "occurred_at": posted.occurred_at,
            "allocations": [
                PaymentAllocation(
                    invoice_id=allocation.item_id,
                    amount=in_currency(allocation.amount, posted.currency),
                )
                for allocation in allocations
            ],
            "source": source,
            "due_on": posted.opens and posted.opens.due_on,
            "payment_id": payment_id,
            "plan_id": posted.plan_id,
            "reverses_id": posted.reverses_id,
            "merged_id": merged_id,
            "digest": posted.digest.hex(),
        }
    )
    return OutgoingMessage.of(
        event,
        tenant_id=posted.tenant_id,
        correlation_id=posted.correlation_id,
        source=SOURCE,
        event_id=derive_id("transaction.recorded", posted.id),
        occurred_at=posted.occurred_at,
    )


def settlement_recorded(posted: Transaction) -> OutgoingMessage:
    """A payee was paid, or that was reversed."""
    payee = account_of(posted)
    event = SettlementRecorded(
        transaction_id=posted.id,
        settlement_id=posted.document_id,
        payee_id=payee.id(posted.tenant_id),
        payee=payee_of(payee),
        currency=posted.currency,
        amount=in_currency(posted.total, posted.currency),
        reference=posted.reference,
        memo=posted.memo,
        occurred_at=posted.occurred_at,
        reverses_id=posted.reverses_id,
        digest=posted.digest.hex(),
    )
    return OutgoingMessage.of(
        event,
        tenant_id=posted.tenant_id,
        correlation_id=posted.correlation_id,
        source=SOURCE,
        event_id=derive_id(event.TOPIC, posted.id),
        occurred_at=posted.occurred_at,
    )


def settlement(event: SettlementRecorded, envelope: Envelope) -> Settlement:
    """A settlement as it was published."""
    return Settlement(
        id=event.settlement_id,
        tenant_id=envelope.tenant_id,
        payee=owed_to(event.currency, event.payee),
        amount=event.amount,
        reference=event.reference,
        memo=event.memo,
        occurred_at=event.occurred_at,
        correlation_id=envelope.correlation_id,
    )


def account_changed(
    key: tuple[str, UUID], version: int, balances: Sequence[CustomerBalance], now: datetime
) -> OutgoingMessage:
    """What a customer owes now; its cause may be many things at once, so it begins a chain."""
    tenant_id, customer_id = key
    event_id = derive_id("account.changed", tenant_id, customer_id, version)
    event = AccountChanged(
        customer_id=customer_id,
        balances=[CurrencyBalance.model_validate(balance.by_name()) for balance in balances],
        as_of=now,
        version=version,
    )
    return OutgoingMessage.of(
        event,
        tenant_id=tenant_id,
        correlation_id=str(event_id),
        source=SOURCE,
        event_id=event_id,
        occurred_at=now,
    )
