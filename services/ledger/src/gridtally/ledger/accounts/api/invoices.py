"""`/v1/invoices`: invoices and charges, what is open of each, and what was allocated to it."""

from datetime import date, datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel

from gridtally.database import snapshot
from gridtally.http.context import Db
from gridtally.http.json_bodies import Router
from gridtally.http.paging import Page, Paging
from gridtally.kernel.errors import NotFound
from gridtally.ledger.accounts.api.models import CurrencyCode, InCurrency, Money
from gridtally.ledger.accounts.domain.open_items import OpenItemKind, OpenItemState
from gridtally.ledger.accounts.store import invoices
from gridtally.ledger.accounts.store.invoices import CustomerOpenItem, OpenItemAllocation
from gridtally.ledger.callers import CustomerReader, instant, named_filters

router = Router(prefix="/v1/invoices", tags=["invoices"])
ALLOCATIONS_MAX = 1_000


class Invoice(InCurrency):
    """What a customer is to pay (or below zero to be paid): an invoice, or a `charge` of the
    ledger's own. `open` is what allocations have left of `total`."""

    id: UUID
    kind: OpenItemKind
    number: str
    customer_id: UUID
    state: OpenItemState
    total: Money
    allocated: Money
    open: Money
    issued_at: datetime
    due_on: date

    @classmethod
    def of(cls, found: CustomerOpenItem, **others: object) -> Self:
        """The invoice or charge as the API shows it, with the fields of a wider model."""
        item = found.item
        names = (
            "id", "kind", "number", "state", "total", "allocated", "open", "issued_at", "due_on",
        )  # fmt: skip
        fields = {name: getattr(item, name) for name in names}
        own = {"customer_id": found.customer_id, "currency": found.currency}
        return cls.model_validate(fields | own | others)


class InvoiceAllocation(BaseModel):
    """What a transaction allocated to an invoice, or took back of what `source_id` had."""

    transaction_id: UUID
    kind: str
    reference: str
    source_id: UUID
    amount: Money
    occurred_at: datetime
    recorded_at: datetime

    @classmethod
    def of(cls, allocation: OpenItemAllocation) -> Self:
        """The allocation as the API shows it."""
        return cls.model_validate(allocation, from_attributes=True)


class InvoiceWithAllocations(Invoice):
    """An invoice and everything that was allocated to it; the oldest thousand."""

    allocations: list[InvoiceAllocation]


@router.get("")
async def list_invoices(
    db: Db,
    caller: CustomerReader,
    paging: Paging,
    customer_id: UUID | None = None,
    currency: CurrencyCode | None = None,
    state: OpenItemState | None = None,
    overdue_on: date | None = None,
) -> Page[Invoice]:
    """Invoices and charges with what is open of each, the oldest first. `overdue_on` leaves only
    those that were due before that day and are not paid."""
    filters = named_filters(customer_id=customer_id or caller.customer_id, currency=currency)
    after = paging.after(instant, UUID)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rows = await invoices.list_items(
            read,
            caller.tenant_id,
            filters,
            state,
            overdue_on,
            (after[0], after[1]) if after else None,
            paging.rows,
        )
    return paging.cut(
        rows, item=Invoice.of, position=lambda found: (found.item.issued_at, found.item.id)
    )


@router.get("/{invoice_id}")
async def get_invoice(invoice_id: UUID, db: Db, caller: CustomerReader) -> InvoiceWithAllocations:
    """One invoice or charge, and everything that was allocated to it or taken back."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        item = await invoices.fetch_item(read, caller.tenant_id, invoice_id)
        if item is None:
            raise NotFound("invoice_unknown", "no invoice has this id")
        allocations = await invoices.list_allocations(
            read, caller.tenant_id, invoice_id, ALLOCATIONS_MAX
        )
    return InvoiceWithAllocations.of(
        item, allocations=[InvoiceAllocation.of(allocation) for allocation in allocations]
    )
