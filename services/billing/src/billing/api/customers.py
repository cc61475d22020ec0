"""Customers over HTTP."""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from billing.api.callers import BATCH_MAX, Reader, Writer, pointing
from billing.domain.agreements import Customer
from billing.handlers import agreements as handlers
from billing.store import listing
from contracts.model import Currency, Text
from database import Database, snapshot, transaction
from kernel.errors import NotFound
from kernel.ids import new_id
from serving.context import Db
from serving.paging import Page, Paging

router = APIRouter(prefix="/v1/customers", tags=["customers"])
Email = Annotated[str, Field(max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")]


class NewCustomer(BaseModel):
    """A customer to be made; the same `id` again answers what exists."""

    model_config = ConfigDict(extra="forbid")

    id: UUID = Field(default_factory=new_id)
    name: Text
    currency: Currency
    email: Email | None = None


class CustomerShown(BaseModel):
    """A customer."""

    id: UUID
    name: str
    currency: str
    email: str | None


class NewCustomers(BaseModel):
    """Customers to be made together: all or none."""

    model_config = ConfigDict(extra="forbid")

    items: Annotated[list[NewCustomer], Field(min_length=1, max_length=BATCH_MAX)]


class CustomersShown(BaseModel):
    """Customers, in the order of the request."""

    items: list[CustomerShown]


@router.post("", status_code=201)
async def create_customer(
    new: NewCustomer, db: Db, caller: Writer, response: Response
) -> CustomerShown:
    """Make a customer. 200 when it exists already just as it is, 409 when it is another."""
    with pointing(batch=False):
        [shown] = await _register(db, caller.tenant_id, [new], response)
    return shown


@router.post("/batch", status_code=201)
async def create_customers(
    new: NewCustomers, db: Db, caller: Writer, response: Response
) -> CustomersShown:
    """Make many customers at once, all or none; 200 when all of them exist already."""
    with pointing(batch=True):
        return CustomersShown(items=await _register(db, caller.tenant_id, new.items, response))


async def _register(
    db: Database, tenant_id: str, items: list[NewCustomer], response: Response
) -> list[CustomerShown]:
    customers = [Customer(new.id, new.name, new.email, new.currency) for new in items]
    async with transaction(db, tenant=tenant_id) as tx:
        added = await handlers.register_customers(tx, tenant_id, customers, datetime.now(UTC))
    response.status_code = 201 if added else 200
    return [
        CustomerShown(id=one.id, name=one.name, currency=one.currency, email=one.email)
        for one in customers
    ]


@router.get("")
async def list_customers(db: Db, caller: Reader, paging: Paging) -> Page[CustomerShown]:
    """Customers by name."""
    after = paging.after(str, UUID)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rows = await listing.list_customers(read, caller.tenant_id, after, paging.rows)
    return paging.cut(rows, item=_shown, position=lambda row: (row["name"], row["id"]))


@router.get("/{customer_id}")
async def get_customer(customer_id: UUID, db: Db, caller: Reader) -> CustomerShown:
    """One customer."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        row = await listing.fetch_customer(read, caller.tenant_id, customer_id)
    if row is None:
        raise NotFound("customer_unknown", f"there is no customer {customer_id}")
    return _shown(row)


def _shown(row: Any) -> CustomerShown:
    return CustomerShown(
        id=row["id"], name=row["name"], currency=row["currency"], email=row["email"]
    )
