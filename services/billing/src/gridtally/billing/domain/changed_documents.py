"""Changed documents: the invoices that a correction would credit, whole, and what would follow.

A collective invoice is credited and issued again as a whole, however many of its sections change,
and divided where it has become too long; what was credited of it by hand is given again as the
correction itself does.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from gridtally.billing.domain.collective_invoices import SectionSize, divided
from gridtally.billing.domain.corrections import ChangedInvoice
from gridtally.billing.domain.repeated_credits import GivenCredit, repeated_totals
from gridtally.kernel.money import EXACT
from gridtally.rating.engine.bill import Bill
from gridtally.rating.engine.exact import add_up


@dataclass(frozen=True, slots=True)
class DocumentBill:
    """A bill of an invoice as it was sent, itself or a section, and what it comes to."""

    id: UUID
    size: SectionSize
    total: Decimal


@dataclass(frozen=True, slots=True, eq=False)
class IssuedDocument:
    """A live invoice as it was sent: what it comes to, what is credited of that by now, what of
    that is given again when it is corrected, and its bills."""

    id: UUID
    number: str
    customer_id: UUID
    currency: str
    is_collective: bool
    total: Decimal
    credited: Decimal
    given: Sequence[GivenCredit]
    bills: Sequence[DocumentBill]


@dataclass(frozen=True, slots=True, eq=False)
class ChangedDocument:
    """An invoice that would be credited, with its bills that would change."""

    document: IssuedDocument
    bills: Sequence[ChangedInvoice]

    @property
    def held(self) -> str | None:
        """Why the new one would wait; None where it would be issued."""
        return next((own.held.reason for own in self.bills if own.held is not None), None)

    @property
    def credit_note_total(self) -> Decimal:
        """All that is not credited yet."""
        return EXACT.subtract(self.document.total, self.document.credited)

    @property
    def totals(self) -> list[Decimal]:
        """What each new invoice would come to: of several where one would have too many lines; of
        none where it would be held."""
        if self.held is not None:
            return []
        changed = {own.invoice.id: own.bill for own in self.bills}
        bills = [_changed_bill(own, changed.get(own.id)) for own in self.document.bills]
        invoices = divided(bills, lambda own: own.size)
        return [add_up(own.total for own in invoice) for invoice in invoices]

    @property
    def total(self) -> Decimal | None:
        """What the new invoices would come to; None where they would be held."""
        return None if self.held is not None else add_up(self.totals)

    @property
    def repeated(self) -> list[tuple[GivenCredit, Decimal]]:
        """What was credited by hand and would be credited of the new invoices, and how much: each
        on the first one that has anything left."""
        repeated: list[tuple[GivenCredit, Decimal]] = []
        for total in self.totals:
            before = {given.note_id for given, _ in repeated}
            left = [given for given in self.document.given if given.note_id not in before]
            repeated += repeated_totals(left, total)
        return repeated

    @property
    def delta(self) -> Decimal | None:
        """By how much the customer would owe more, all credits counted."""
        if self.total is None:
            return None
        again = add_up(amount for _, amount in self.repeated)
        return EXACT.subtract(EXACT.subtract(self.total, again), self.credit_note_total)


def _changed_bill(own: DocumentBill, bill: Bill | None) -> DocumentBill:
    if bill is None:
        return own
    return DocumentBill(own.id, own.size._replace(lines=len(bill.lines)), bill.total)


def changed_documents(
    changed: Iterable[ChangedInvoice], documents: Mapping[UUID, IssuedDocument]
) -> list[ChangedDocument]:
    """The documents that these bills are of, by their ids, in order."""
    bills: dict[UUID, list[ChangedInvoice]] = {}
    for own in changed:
        bills.setdefault(own.invoice.document_id, []).append(own)
    return [ChangedDocument(documents[id_], of_document) for id_, of_document in bills.items()]
