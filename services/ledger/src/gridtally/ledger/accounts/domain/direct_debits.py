"""Direct debits: which open items are collected from customers' banks, and what came of each.

A debit collects one open item, and is called by its id from end to end. The payment by which it
comes in has that id too, so the books themselves say what was collected and what came back.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Literal
from uuid import UUID

from gridtally.kernel.errors import Conflict, Fault, Rejected
from gridtally.kernel.ids import derive_id
from gridtally.ledger.accounts.domain.mandates import Mandate, Scheme, Sequence
from gridtally.ledger.accounts.domain.open_items import OpenItemKind

DEBITS_MAX = 1_000
"""Of one batch, whose answer shows them all."""
LEAD_DAYS_DEFAULT = 2
AHEAD_DAYS_MAX = 90
HELD_DAYS = 14
"""So long after the day of collection a debit of which no bank has spoken keeps its item from
another one; by then a bank that refused it has said so."""
CURRENCY = "EUR"
RETURNED = "direct debit returned: "
DebitState = Literal["open", "collected", "returned", "cancelled"]


@dataclass(frozen=True, slots=True)
class Creditor:
    """For whom money is collected, and to which account."""

    creditor_id: str
    name: str
    iban: str
    bic: str | None


@dataclass(frozen=True, slots=True)
class Batch:
    """Debits that are collected together.

    due_through  the last due day of its items
    """

    id: UUID
    creditor_id: str
    creditor_name: str
    creditor_iban: str
    creditor_bic: str | None
    due_through: date
    collection_on: date
    created_at: datetime
    cancelled_at: datetime | None = None

    def require_cancellable(self, today: date, collected: int) -> None:
        """Conflict where it was cancelled, or its collection has begun."""
        if self.cancelled_at is not None:
            raise Conflict("direct_debits_ended", "the batch is cancelled already")
        if collected or self.collection_on <= today:
            raise Conflict("direct_debits_ended", "the batch is being collected, or was")


@dataclass(frozen=True, slots=True)
class Collectable:
    """An open item that may be collected: `amount` is what is open of it, in whole cents."""

    item_id: UUID
    kind: OpenItemKind
    customer_id: UUID
    number: str
    amount: Decimal
    mandate: Mandate


@dataclass(frozen=True, slots=True)
class Debit:
    """What is collected of an open item, by a mandate as it was then.

    iban, holder  None once the customer is erased
    """

    id: UUID
    batch_id: UUID
    item_id: UUID
    customer_id: UUID
    number: str
    amount: Decimal
    mandate_id: str
    signed_on: date
    sequence: Sequence
    scheme: Scheme
    iban: str | None
    bic: str | None
    holder: str | None

    @property
    def end_to_end_id(self) -> str:
        """What it is called from end to end."""
        return self.id.hex


@dataclass(frozen=True, slots=True)
class DebitPosition:
    """A debit, and what the books say of it: the transaction of its payment, and of that payment's
    reversal when and why it was; `kind` is what it collects, None while nobody knows its item."""

    debit: Debit
    payment_id: UUID | None
    returned_at: datetime | None
    memo: str | None
    kind: OpenItemKind | None = None

    def state(self, batch: Batch) -> DebitState:
        """What came of it."""
        if self.returned_at is not None:
            return "returned"
        if self.payment_id is not None:
            return "collected"
        return "open" if batch.cancelled_at is None else "cancelled"

    @property
    def return_reason(self) -> str | None:
        """The bank's code for why it came back; None where no bank has said so."""
        memo = self.memo or ""
        return memo.removeprefix(RETURNED) if memo.startswith(RETURNED) else None


def require_collection_day(collection_on: date, today: date, lead_days: int) -> None:
    """Rejected where a bank could not collect then, or it is too far ahead."""
    first_on = today + timedelta(days=lead_days)
    if not first_on <= collection_on <= today + timedelta(days=AHEAD_DAYS_MAX):
        detail = f"must be {first_on} or later, within {AHEAD_DAYS_MAX} days"
        raise Rejected(
            "collection_day_refused", "nothing can be collected on that day",
            (Fault("/collection_on", detail),),
        )  # fmt: skip


def debits_of(batch_id: UUID, collectable: Iterable[Collectable]) -> list[Debit]:
    """A debit for each item, in their order; a mandate for one debit collects the first of its
    items only, and of several by a mandate that is new the first alone is called so."""
    used = set[str]()
    debits = []
    for item in collectable:
        mandate = item.mandate
        if mandate.mandate_id in used:
            if mandate.sequence == "one_off":
                continue
            mandate = mandate.sent()
        used.add(mandate.mandate_id)
        debits.append(
            Debit(
                id=derive_id("direct_debit", batch_id, item.item_id),
                batch_id=batch_id,
                item_id=item.item_id,
                customer_id=item.customer_id,
                number=item.number,
                amount=item.amount,
                mandate_id=mandate.mandate_id,
                signed_on=mandate.signed_on,
                sequence=mandate.sequence,
                scheme=mandate.scheme,
                iban=mandate.iban,
                bic=mandate.bic,
                holder=mandate.holder,
            )
        )
    return debits
