"""`/v1/invoices` and `/v1/ageing`: what is to be paid, what has settled it, and how old it is."""

from datetime import UTC, date, datetime
from uuid import UUID

from fastapi import APIRouter

from database import snapshot
from kernel.errors import NotFound
from ledger.api.models import Reader, given, instant
from ledger.api.money import (
    Ageing,
    Ages,
    ByDate,
    CurrencyCode,
    CustomerAges,
    Invoice,
    InvoiceAllocation,
    InvoiceWithAllocations,
    Moment,
    invoice_fields,
    shown_invoice,
)
from ledger.domain.transactions import ItemState
from ledger.store import statements
from ledger.store.statements import Aged
from serving.context import Db
from serving.paging import Page, Paging

router = APIRouter(prefix="/v1", tags=["invoices"])
ALLOCATIONS_MAX = 1_000


@router.get("/invoices")
async def list_invoices(
    db: Db,
    caller: Reader,
    paging: Paging,
    customer_id: UUID | None = None,
    currency: CurrencyCode | None = None,
    state: ItemState | None = None,
    overdue_on: date | None = None,
) -> Page[Invoice]:
    """Invoices and charges with what is open of each, the oldest first. `overdue_on` leaves only
    those that were due before that day and are not paid."""
    filters = given(customer_id=customer_id, currency=currency)
    after = paging.after(instant, UUID)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rows = await statements.list_items(
            read,
            caller.tenant_id,
            filters,
            state,
            overdue_on,
            (after[0], after[1]) if after else None,
            paging.rows,
        )
    return paging.cut(
        rows, item=shown_invoice, position=lambda one: (one.item.issued_at, one.item.id)
    )


@router.get("/invoices/{invoice_id}")
async def get_invoice(invoice_id: UUID, db: Db, caller: Reader) -> InvoiceWithAllocations:
    """One invoice or charge, and everything that settled it or took that back."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        found = await statements.fetch_item(read, caller.tenant_id, invoice_id)
        if found is None:
            raise NotFound("invoice_unknown", "no invoice has this id")
        settled = await statements.list_allocations(
            read, caller.tenant_id, invoice_id, ALLOCATIONS_MAX
        )
    allocations = [InvoiceAllocation.model_validate(one, from_attributes=True) for one in settled]
    return InvoiceWithAllocations(**invoice_fields(found), allocations=allocations)


@router.get("/ageing")
async def get_ageing(
    db: Db,
    caller: Reader,
    on: date | None = None,
    as_of: Moment | None = None,
    by: ByDate = "value",
    customer_id: UUID | None = None,
) -> Ageing:
    """What is open by days since it was due, in every currency: now, or as it was at `as_of`; aged
    on the day `on`, by default that of the moment in UTC."""
    asked = _asked(on, as_of, by, customer_id=customer_id)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        found = await statements.fetch_ages(read, caller.tenant_id, asked)
    currencies = [Ages.model_validate(one, from_attributes=True) for one in found]
    return Ageing(on=asked.on, as_of=as_of, currencies=currencies)


@router.get("/ageing/customers")
async def list_ageing_customers(
    db: Db,
    caller: Reader,
    paging: Paging,
    currency: CurrencyCode,
    on: date | None = None,
    as_of: Moment | None = None,
    by: ByDate = "value",
) -> Page[CustomerAges]:
    """The same for each customer with something open in a currency."""
    asked = _asked(on, as_of, by, currency=currency)
    after = paging.after(UUID)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rows = await statements.list_ages(
            read, caller.tenant_id, asked, after[0] if after else None, paging.rows
        )
    return paging.cut(
        rows,
        item=lambda one: CustomerAges.model_validate(one, from_attributes=True),
        position=lambda one: (one.customer_id,),
    )


def _asked(
    on: date | None,
    as_of: datetime | None,
    by: ByDate,
    *,
    customer_id: UUID | None = None,
    currency: str | None = None,
) -> Aged:
    day = on or (as_of or datetime.now(UTC)).astimezone(UTC).date()
    return Aged(day, as_of, by, customer_id, currency)
