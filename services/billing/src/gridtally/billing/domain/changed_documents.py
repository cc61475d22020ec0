"""Changed documents: the invoices that a correction would credit, whole, and what would follow.

A collective invoice is credited and issued again as one, however many of its sections change; what
was credited of it by hand is given again as the correction itself does.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from gridtally.billing.domain.corrections import ChangedInvoice
from gridtally.billing.domain.repeated_credits import GivenCredit, repeated_totals
from gridtally.kernel.money import EXACT
from gridtally.rating.engine.exact import add_up


@dataclass(frozen=True, slots=True, eq=False)
class IssuedDocument:
    """A live invoice as it was sent: what it comes to, what is credited of that by now, and what of
    that is given again when it is corrected."""

    id: UUID
    number: str
    customer_id: UUID
    currency: str
    is_collective: bool
    total: Decimal
    credited: Decimal
    given: Sequence[GivenCredit]


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
    def total(self) -> Decimal | None:
        """What the new invoice would come to; None where it would be held."""
        if self.held is not None:
            return None
        changes = [own.delta for own in self.bills if own.delta is not None]
        return add_up([self.document.total, *changes])

    @property
    def repeated(self) -> list[tuple[GivenCredit, Decimal]]:
        """What was credited by hand and would be credited of the new invoice, and how much."""
        return [] if self.total is None else repeated_totals(self.document.given, self.total)

    @property
    def delta(self) -> Decimal | None:
        """By how much the customer would owe more, all credits counted."""
        if self.total is None:
            return None
        again = add_up(amount for _, amount in self.repeated)
        return EXACT.subtract(EXACT.subtract(self.total, again), self.credit_note_total)


def changed_documents(
    changed: Iterable[ChangedInvoice], documents: Mapping[UUID, IssuedDocument]
) -> list[ChangedDocument]:
    """The documents that these bills are of, by their ids, in order."""
    bills: dict[UUID, list[ChangedInvoice]] = {}
    for own in changed:
        bills.setdefault(own.invoice.document_id, []).append(own)
    return [ChangedDocument(documents[id_], of_document) for id_, of_document in bills.items()]
