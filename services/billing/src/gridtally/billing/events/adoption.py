"""What billing has published, read back into what it was published from."""

from dataclasses import fields, replace
from typing import Any, TypeVar

from pydantic import TypeAdapter

from gridtally.billing.domain.agreements import Agreement
from gridtally.billing.domain.credit_notes import CreditNote
from gridtally.billing.domain.customers import ZERO, Customer
from gridtally.billing.domain.invoices import Invoice, Section
from gridtally.contracts import invoice_lines
from gridtally.contracts.commerce import (
    AgreementChanged,
    CreditNoteIssued,
    CustomerChanged,
    InvoiceIssued,
)
from gridtally.contracts.invoice_lines import InvoiceSection
from gridtally.contracts.model import ContractModel
from gridtally.kernel.periods import Period
from gridtally.messaging import ReceivedMessage
from gridtally.rating.engine.lines import DataQuality, Item, Line
from gridtally.rating.quantity_steps import QuantityRounding

T = TypeVar("T")
_CUSTOMER = TypeAdapter(Customer)


def published_customer(event: CustomerChanged) -> Customer:
    """The customer; of before names were published it is called by its id."""
    known = event.model_dump(exclude={"customer_id", "version"})
    known |= {"id": event.customer_id, "name": event.name or str(event.customer_id)}
    return _CUSTOMER.validate_python(known)


def published_agreement(event: AgreementChanged) -> Agreement:
    """The agreement, in its version."""
    calendars = event.calendars()
    return _of(
        Agreement,
        event,
        id=event.agreement_id,
        billing_calendar=calendars.current,
        earlier_calendars=calendars.earlier,
    )


def published_invoice(message: ReceivedMessage[InvoiceIssued]) -> list[Invoice]:
    """The invoice, line by line, and after it its sections, if it is collective."""
    event, envelope = message.event, message.envelope
    assert event is not None  # noqa: S101 - the caller leaves tombstones out
    published = event.sections or []
    invoice = _of(
        Invoice,
        event,
        id=event.invoice_id,
        tenant_id=envelope.tenant_id,
        correlation_id=envelope.correlation_id,
        lines=[_line(line) for line in event.lines],
        brought_forward=ZERO if event.brought_forward is None else event.brought_forward,
        arrears=ZERO if event.arrears is None else event.arrears,
        quality=_quality(event.quality),
        is_collective=bool(published),
        collective_id=None,
        sections=tuple(_of(Section, section) for section in published),
    )
    bills = [
        _section(invoice, position, section) for position, section in enumerate(published, start=1)
    ]
    return [invoice, *bills]


_SECTION_FIELDS = (
    "agreement_id", "meter_id", "start_on", "end_on", "revision", "restatement", "net", "tax",
    "total", "proof_root", "approved_by", "approved_at",
)  # fmt: skip


def _section(invoice: Invoice, position: int, section: InvoiceSection) -> Invoice:
    """A section of a collective invoice, as it was stored."""
    lines = invoice.sections_of_lines[position - 1]
    own: dict[str, Any] = {name: getattr(section, name) for name in _SECTION_FIELDS}
    return replace(
        invoice,
        **own,
        id=section.section_id,
        number=f"{invoice.number}/{position}",
        lines=invoice.lines[lines.start : lines.stop],
        brought_forward=ZERO,
        arrears=ZERO,
        quality=_quality(section.quality),
        is_collective=False,
        collective_id=invoice.id,
        sections=(),
    )


def published_credit_note(message: ReceivedMessage[CreditNoteIssued]) -> CreditNote:
    """The credit note."""
    event, envelope = message.event, message.envelope
    assert event is not None  # noqa: S101 - the caller leaves tombstones out
    return _of(
        CreditNote,
        event,
        id=event.credit_note_id,
        tenant_id=envelope.tenant_id,
        correlation_id=envelope.correlation_id,
        lines=[_line(line) for line in event.lines],
    )


def _of(kind: type[T], event: ContractModel, **named: Any) -> T:
    """The dataclass with the event's fields of the same names, and with `named`."""
    names = [field.name for field in fields(kind) if field.name not in named]  # type: ignore[arg-type] # always a dataclass
    return kind(**{name: getattr(event, name) for name in names}, **named)


def _line(line: invoice_lines.InvoiceLine) -> Line:
    rounding = line.quantity_rounding
    item = _of(
        Item,
        line,
        part=Period(line.start_on, line.end_on),
        quantity_rounding=None if rounding is None else QuantityRounding(**dict(rounding)),
    )
    return _of(Line, line, item=item, quality=_quality(line.quality))


def _quality(quality: invoice_lines.DataQuality | None) -> DataQuality | None:
    return None if quality is None else DataQuality(**dict(quality))
