"""Contracts on one side, the domain's values on the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal, TypeVar
from uuid import UUID

from contracts.accounts import (
    AccountChanged,
    CurrencyAccount,
    PaymentReceived,
    PaymentRecorded,
    PaymentShare,
)
from contracts.commerce import CreditNoteIssued, InvoiceIssued, InvoiceLine, InvoiceVoided
from contracts.envelope import Envelope
from contracts.metering import Channel as WireChannel
from contracts.metering import MeterRegistered, PropertyChanged, ReadingRecorded
from contracts.model import Event
from kernel.errors import Poison
from kernel.ids import derive_id
from kernel.money import EXACT
from ledger.domain.accounts import prepaid
from ledger.domain.booking import Charge, Document, VoidNote
from ledger.domain.readings import Recorded
from ledger.domain.registry import Channel, Meter, Property
from ledger.domain.reversing import Settlement
from ledger.domain.settling import Ask, Order, Share
from ledger.domain.stored import Stored
from ledger.domain.transactions import Transaction
from messaging import Outgoing, Received

SOURCE = "ledger"
E = TypeVar("E", bound=Event)


def present(received: Received[E]) -> E:
    """The event of a message; Poison for a tombstone, which means nothing on these topics."""
    if received.event is None:
        raise Poison("the message has no value")
    return received.event


def invoice(event: InvoiceIssued, envelope: Envelope) -> Document:
    """An invoice as billing issued it."""
    return Document(
        id=event.invoice_id,
        number=event.number,
        tenant_id=envelope.tenant_id,
        customer_id=event.customer_id,
        currency=event.currency,
        charges=_charges(event.lines),
        tax=event.tax,
        total=event.total,
        issued_at=event.issued_at,
        correlation_id=envelope.correlation_id,
        due_on=event.due_on,
    )


def credit_note(event: CreditNoteIssued, envelope: Envelope) -> Document:
    """A credit note as billing issued it, with the amounts of the invoice that it takes back."""
    return Document(
        id=event.credit_note_id,
        number=event.number,
        tenant_id=envelope.tenant_id,
        customer_id=event.customer_id,
        currency=event.currency,
        charges=_charges(event.lines),
        tax=event.tax,
        total=event.total,
        issued_at=event.issued_at,
        correlation_id=envelope.correlation_id,
        credits_id=event.invoice_id,
    )


def void_note(event: InvoiceVoided, envelope: Envelope) -> VoidNote:
    """The note that an invoice is no longer live."""
    return VoidNote(
        tenant_id=envelope.tenant_id,
        invoice_id=event.invoice_id,
        credit_note_id=event.credit_note_id,
        reference=event.number,
        reason=event.reason,
        voided_at=event.voided_at,
    )


def _charges(lines: Sequence[InvoiceLine]) -> tuple[Charge, ...]:
    return tuple(Charge(line.kind, line.amount) for line in lines)


@dataclass(frozen=True, slots=True)
class Cause:
    """On whose behalf something changes, and the id that follows it through every service."""

    tenant_id: str
    correlation_id: str


def property_changed(stored: Stored[Property], cause: Cause) -> Outgoing:
    """A property as it is now."""
    one = stored.thing
    event = PropertyChanged(
        property_id=one.id,
        name=one.name,
        address=one.address,
        zone=one.zone,
        region_id=one.region_id,
        connected_kw=one.connected_kw,
        parent_id=one.parent_id,
        version=stored.version,
    )
    return _outgoing(event, one.id, stored, cause)


def meter_registered(stored: Stored[Meter], place: Property, cause: Cause) -> Outgoing:
    """A meter as it is now, with what it inherits from its property."""
    one = stored.thing
    event = MeterRegistered(
        meter_id=one.id,
        property_id=place.id,
        type=one.type,
        name=one.name,
        zone=place.zone,
        region_id=place.region_id,
        connected_kw=place.connected_kw,
        channels=[wire_channel(channel) for channel in one.channels],
        version=stored.version,
    )
    return _outgoing(event, one.id, stored, cause)


def ended(kind: type[Event], id_: UUID, cause: Cause, at: datetime) -> Outgoing:
    """The tombstone of a property or meter that is no more."""
    return Outgoing.raw(
        kind.TOPIC,
        str(id_),
        None,
        tenant_id=cause.tenant_id,
        correlation_id=cause.correlation_id,
        source=SOURCE,
        event_id=derive_id(f"{kind.TOPIC} ended", cause.tenant_id, id_, at.isoformat()),
        occurred_at=at,
    )


def _outgoing(
    event: Event, id_: UUID, stored: Stored[Property] | Stored[Meter], cause: Cause
) -> Outgoing:
    """The moment is part of the event's id, because the versions of a thing that was deleted begin
    anew when one is made with its id."""
    at = stored.updated_at
    return Outgoing.of(
        event,
        tenant_id=cause.tenant_id,
        correlation_id=cause.correlation_id,
        source=SOURCE,
        event_id=derive_id(event.TOPIC, cause.tenant_id, id_, stored.version, at.isoformat()),
        occurred_at=at,
    )


def wire_channel(channel: Channel) -> WireChannel:
    """A channel as other services see it."""
    return WireChannel(
        flow=channel.flow, minutes=channel.minutes, interval_wh_max=channel.interval_wh_max
    )


def reading_recorded(recorded: Recorded, cause: Cause) -> Outgoing:
    """An entry of the ledger of readings, as others may compute energy from it."""
    one = recorded.entry
    event = ReadingRecorded(
        entry_id=one.id,
        reading_id=one.reading_id,
        version=one.version,
        supersedes_id=one.supersedes_id,
        meter_id=one.meter_id,
        property_id=one.property_id,
        flow=one.register.flow,
        kind=one.kind,
        exchange_id=one.exchange_id,
        value=one.value,
        digits=one.register.digits,
        decimals=one.register.decimals,
        multiplier=one.register.multiplier,
        quality=one.quality,
        read_at=one.read_at,
        recorded_at=recorded.created_at,
    )
    return Outgoing.of(
        event,
        tenant_id=cause.tenant_id,
        correlation_id=cause.correlation_id,
        source=SOURCE,
        event_id=one.id,
        occurred_at=recorded.created_at,
    )


def payment(event: PaymentReceived, envelope: Envelope) -> Ask:
    """A payment from outside; what it names is an offer, not a condition."""
    named = None
    if event.allocations is not None:
        named = tuple(Share(each.invoice_id, each.amount) for each in event.allocations)
    order = Order(
        id=event.payment_id,
        amount=event.amount,
        reference=event.reference,
        memo=event.method,
        occurred_at=event.received_at,
        correlation_id=envelope.correlation_id,
        named=named,
    )
    return Ask("payment", event.customer_id, event.currency, order)


def payment_recorded(one: Transaction) -> Outgoing:
    """A payment that is in the books now."""
    shares = [Share(each.item_id, each.amount) for each in one.allocations]
    return _payment(one, one, "recorded", shares)


def payment_reversed(
    original: Transaction, reversal: Transaction, live: Sequence[Settlement]
) -> Outgoing:
    """A payment that was taken back, with what it no longer settles."""
    shares = [Share(each.item_id, each.amount) for each in live]
    return _payment(original, reversal, "reversed", shares)


def _payment(
    paid: Transaction,
    booked: Transaction,
    status: Literal["recorded", "reversed"],
    shares: Sequence[Share],
) -> Outgoing:
    event = PaymentRecorded(
        payment_id=paid.document_id,
        transaction_id=booked.id,
        status=status,
        customer_id=paid.customer_id,
        currency=paid.currency,
        amount=paid.total,
        reference=paid.reference,
        method=paid.memo,
        received_at=paid.occurred_at,
        allocations=[PaymentShare(invoice_id=s.item_id, amount=s.amount) for s in shares],
        prepaid=abs(booked.posted(prepaid(paid.currency, paid.customer_id))),
    )
    return Outgoing.of(
        event,
        tenant_id=paid.tenant_id,
        correlation_id=booked.correlation_id,
        source=SOURCE,
        event_id=derive_id("payment.recorded", booked.id),
        occurred_at=booked.occurred_at,
    )


def account_changed(
    key: tuple[str, UUID], version: int, balances: Sequence[CurrencyAccount], now: datetime
) -> Outgoing:
    """What a customer owes now; its cause may be many things at once, so it begins a chain."""
    tenant_id, customer_id = key
    event_id = derive_id("account.changed", tenant_id, customer_id, version)
    event = AccountChanged(
        customer_id=customer_id, accounts=list(balances), as_of=now, version=version
    )
    return Outgoing.of(
        event,
        tenant_id=tenant_id,
        correlation_id=str(event_id),
        source=SOURCE,
        event_id=event_id,
        occurred_at=now,
    )


def currency_account(
    currency: str, receivable: Decimal, credit: Decimal, export: Decimal, arrears: Decimal
) -> CurrencyAccount:
    """One currency of a customer's account, with what is owed on balance."""
    return CurrencyAccount(
        currency=currency,
        balance=EXACT.subtract(EXACT.subtract(receivable, credit), export),
        receivable=receivable,
        arrears=arrears,
        prepaid=credit,
        export_payable=export,
    )
