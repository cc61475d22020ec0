"""Customers over HTTP."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import Query, Response
from pydantic import BaseModel, ConfigDict, Field

from gridtally.billing.api.callers import BATCH_MAX, CustomerReader, Reader, WriteCause, pointing
from gridtally.billing.domain import customers as domain
from gridtally.billing.domain.tenant_defaults import TenantDefaults
from gridtally.billing.handlers import customers as handlers
from gridtally.billing.store import customers as store
from gridtally.billing.store.tenant_defaults import fetch_defaults
from gridtally.contracts import billing_calendars
from gridtally.contracts import customers as contracts
from gridtally.contracts.commerce import (
    COLLECTIVE_GRACE_HOURS,
    MINIMUM_PERIODS_MAX,
    CollectiveGraceHours,
    Invoicing,
    MinimumPeriods,
)
from gridtally.contracts.customers import Country, Email, Language, PaymentDays, PhoneNumber
from gridtally.contracts.model import Amount, Code, Currency, Text
from gridtally.database import WriteConnection, snapshot, transaction
from gridtally.http.context import Db, Now
from gridtally.http.etags import OptionalMatch, RequiredMatch, etag
from gridtally.http.idempotency import Idempotent
from gridtally.http.json_bodies import Router
from gridtally.http.paging import Page, Paging
from gridtally.http.resources import Body, NotNull, StoredModel, answer, fields, location_of
from gridtally.kernel.errors import Fault, Rejected
from gridtally.kernel.ids import new_id
from gridtally.kernel.resources import Stored

router = Router(prefix="/v1/customers", tags=["customers"])
STRICT = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Address(contracts.Address):
    """A postal address."""

    model_config = STRICT


class NewAddress(contracts.Address):
    """A postal address; its country is the tenant's default where it is left out."""

    model_config = STRICT

    country: Country | None = None  # type: ignore[assignment]  # the address is given one
    """Country, as ISO 3166 writes it in two letters."""


class Contact(contracts.Contact):
    """Somebody to speak to about a customer."""

    model_config = STRICT


class TaxExemption(contracts.TaxExemption):
    """That a customer does not pay the taxes of a class, and when."""

    model_config = STRICT


class BillingCalendar(billing_calendars.CalendarTerms):
    """Into which periods the days of an agreement are divided; without anything, into months."""

    model_config = STRICT


class CustomerFields(Body):
    """What is known of a customer beside name and currency; what is left out is empty."""

    email: Email | None = None
    """E-mail address."""
    number: Code | None = None
    """The tenant's own number, which no other customer has."""
    phone_number: PhoneNumber | None = None
    """Telephone number."""
    language: Language | None = None
    """The language in which to write to the customer: `de`, or `de-AT`."""
    billing_address: NewAddress | None = None
    """Where invoices go."""
    supply_address: NewAddress | None = None
    """Where the energy is used."""
    tax_id: Code | None = None
    """Tax number of a business."""
    payment_days: PaymentDays | None = None
    """Days after an invoice until it is due; null for the tenant's payment terms."""
    e_invoice_consent_on: date | None = None
    """The day on which the customer agreed to invoices by e-mail alone; null for no consent."""
    billing_calendar: BillingCalendar | None = None
    """The billing calendar of agreements that name none when they are made; null for months."""


class CustomerReplacement(CustomerFields):
    """Everything of a customer that can change: what is left out is empty."""

    name: Text
    currency: Currency
    contacts: Annotated[tuple[Contact, ...], Field(max_length=contracts.CONTACTS_MAX)] = ()
    """Whom to speak to."""
    tax_exemptions: Annotated[
        tuple[TaxExemption, ...], Field(max_length=contracts.EXEMPTIONS_MAX)
    ] = ()
    """The taxes that the customer does not pay, and when."""
    invoicing: Invoicing = "single"
    """Whether each agreement's period has an invoice, or those that end in one period of the
    customer share a collective one."""
    collective_grace_hours: CollectiveGraceHours = COLLECTIVE_GRACE_HOURS
    """How many hours a collective invoice waits for its last sections; then it is issued without
    them."""
    minimum_amount: Amount | None = None
    """A collective invoice of less, in the customer's currency, waits for the next; null for
    none."""
    minimum_periods_max: MinimumPeriods = MINIMUM_PERIODS_MAX
    """How many periods of bills wait so at most."""

    def values(self, defaults: TenantDefaults) -> dict[str, Any]:
        """All of them, as the domain has them."""
        return {name: _to_domain(getattr(self, name), defaults) for name in type(self).model_fields}


class NewCustomer(CustomerReplacement):
    """A customer to be made; the same `id` again answers what exists."""

    id: UUID = Field(default_factory=new_id)
    currency: Currency | None = None  # type: ignore[assignment]  # the customer is given one
    """In which the customer pays; the tenant's default where it is left out."""

    def customer(
        self, defaults: TenantDefaults, known: domain.Customer | None, index: int
    ) -> domain.Customer:
        """The customer that it asks for; Rejected where it contradicts itself, and without any
        currency. One that is `known` under its id has its own where none is given."""
        currency = self.currency or (defaults.currency if known is None else known.currency)
        if currency is None:
            fault = Fault(f"/{index}/currency", "must be given: the tenant has no default one")
            raise Rejected("currency_missing", "a customer needs a currency", (fault,))
        return _built(self.values(defaults) | {"currency": currency})


class NewCustomers(Body):
    """Customers to be made together: all or none."""

    items: Annotated[list[NewCustomer], Field(min_length=1, max_length=BATCH_MAX)]


class CustomerChange(CustomerFields):
    """What is to be different; what is left out stays, and what is null is empty from then on."""

    name: Annotated[Text | None, NotNull] = None
    currency: Annotated[Currency | None, NotNull] = None
    contacts: Annotated[
        tuple[Contact, ...] | None, Field(max_length=contracts.CONTACTS_MAX), NotNull
    ] = None
    """Whom to speak to: all of them, in place of those before."""
    tax_exemptions: Annotated[
        tuple[TaxExemption, ...] | None, Field(max_length=contracts.EXEMPTIONS_MAX), NotNull
    ] = None
    """The taxes that the customer does not pay: all of them, in place of those before."""
    invoicing: Annotated[Invoicing | None, NotNull] = None
    """Whether each agreement's period has an invoice, or those that end in one period of the
    customer share a collective one; of periods that were not invoiced yet."""
    collective_grace_hours: Annotated[CollectiveGraceHours | None, NotNull] = None
    """How many hours a collective invoice waits for its last sections."""
    minimum_amount: Amount | None = None
    """A collective invoice of less, in the customer's currency, waits for the next; null for
    none."""
    minimum_periods_max: Annotated[MinimumPeriods | None, NotNull] = None
    """How many periods of bills wait so at most."""

    def domain_changes(self, defaults: TenantDefaults) -> dict[str, Any]:
        """The fields that it names, as the domain has them."""
        return {name: _to_domain(value, defaults) for name, value in self.changes().items()}


_PARTS: dict[type, type] = {
    NewAddress: domain.Address,
    Contact: domain.Contact,
    TaxExemption: domain.TaxExemption,
}


def _to_domain(value: Any, defaults: TenantDefaults) -> Any:
    """A value of a body as the domain has it; Rejected where it contradicts itself, or is an
    address without any country."""
    if isinstance(value, BillingCalendar):
        return value.calendar()
    if isinstance(value, tuple):
        return tuple(_to_domain(part, defaults) for part in value)
    kind = _PARTS.get(type(value))
    if kind is None:
        return value
    fields_of_part = dict(value)
    if isinstance(value, NewAddress) and value.country is None:
        if defaults.country is None:
            reason = "an address needs a country: the tenant has no default country"
            raise Rejected("country_missing", reason)
        fields_of_part["country"] = defaults.country
    try:
        return kind(**fields_of_part)
    except ValueError as wrong:
        raise Rejected("invalid_customer", str(wrong)) from None


def _built(values: dict[str, Any]) -> domain.Customer:
    try:
        return domain.Customer(**values)
    except ValueError as wrong:
        raise Rejected("invalid_customer", str(wrong)) from None


class Customer(StoredModel):
    """Who pays, in which currency, and what is known of them; `version` is its ETag."""

    id: UUID
    name: str
    currency: str
    email: str | None
    number: str | None
    """The tenant's own number of the customer."""
    phone_number: str | None
    language: str | None
    """The language in which to write to the customer."""
    billing_address: Address | None
    """Where invoices go."""
    supply_address: Address | None
    """Where the energy is used."""
    contacts: tuple[Contact, ...]
    """Whom to speak to."""
    tax_id: str | None
    """Tax number of a business."""
    tax_exemptions: tuple[TaxExemption, ...]
    """The taxes that the customer does not pay, and when."""
    payment_days: int | None
    """Days after an invoice until it is due; null for the tenant's payment terms."""
    e_invoice_consent_on: date | None
    """The day on which the customer agreed to invoices by e-mail alone."""
    billing_calendar: BillingCalendar | None
    """The billing calendar of agreements that name none when they are made; null for months."""
    invoicing: domain.Invoicing
    """Whether each agreement's period has an invoice, or they share a collective one."""
    collective_grace_hours: int
    """How many hours a collective invoice waits for its last sections."""
    minimum_amount: Amount | None
    """A collective invoice of less waits for the next; null for none."""
    minimum_periods_max: int
    """How many periods of bills wait so at most."""
    erased_at: datetime | None
    """When what names the customer was erased; null for others."""
    merged_into: UUID | None
    """The customer who is the same and goes on, since this one was a duplicate; null for others."""

    @classmethod
    def of(cls, stored: Stored[domain.Customer]) -> Self:
        """The customer as the API shows it."""
        return cls.model_validate(fields(stored), from_attributes=True)


class Customers(BaseModel):
    """Customers, in the order of the request."""

    items: list[Customer]


@router.post("", status_code=201, response_model=Customer)
async def create_customer(
    new: NewCustomer, db: Db, cause: WriteCause, now: Now, request: Idempotent
) -> Response:
    """Make a customer. 200 when it exists already just as it is, 409 when it is another."""
    with pointing(batch=False):
        async with transaction(db, tenant=cause.tenant_id) as tx:
            if (stored_answer := await request.fetch_answer(tx)) is not None:
                return stored_answer
            [customer] = await _requested(tx, cause.tenant_id, [new])
            added = await handlers.register_customers(tx, cause.tenant_id, [customer], now)
            (known,) = (await store.fetch_stored(tx, cause.tenant_id, [customer.id])).values()
            location = location_of(f"/v1/customers/{customer.id}", created=added)
            headers = {"ETag": etag(known.version)} | location
            return await request.store_answer(
                tx, 201 if added else 200, Customer.of(known), headers
            )


@router.post("/batch", status_code=201, response_model=Customers)
async def create_customers(
    new: NewCustomers, db: Db, cause: WriteCause, now: Now, request: Idempotent
) -> Response:
    """Make many customers at once, all or none; 200 when all of them exist already."""
    with pointing(batch=True):
        async with transaction(db, tenant=cause.tenant_id) as tx:
            if (stored_answer := await request.fetch_answer(tx)) is not None:
                return stored_answer
            customers = await _requested(tx, cause.tenant_id, new.items)
            added = await handlers.register_customers(tx, cause.tenant_id, customers, now)
            known = await store.fetch_stored(tx, cause.tenant_id, [item.id for item in customers])
            body = Customers(items=[Customer.of(known[customer.id]) for customer in customers])
            return await request.store_answer(tx, 201 if added else 200, body)


async def _requested(
    tx: WriteConnection, tenant_id: str, new: Sequence[NewCustomer]
) -> list[domain.Customer]:
    """The customers that are asked for, completed by the tenant's defaults."""
    defaults = await fetch_defaults(tx, tenant_id)
    known = await store.fetch_customers(tx, tenant_id, [item.id for item in new])
    return [item.customer(defaults, known.get(item.id), index) for index, item in enumerate(new)]


@router.get("")
async def list_customers(
    db: Db,
    caller: Reader,
    paging: Paging,
    text: Annotated[
        str | None,
        Query(min_length=1, max_length=200, description="Part of name, number, e-mail or address"),
    ] = None,
    number: Annotated[str | None, Query(max_length=100, description="Exactly this number")] = None,
    email: Annotated[str | None, Query(max_length=254, description="Exactly this address")] = None,
    merged_into: Annotated[UUID | None, Query(description="Who was merged into this one")] = None,
) -> Page[Customer]:
    """Customers by name. A duplicate is listed too, and `merged_into` names who goes on."""
    filters = store.CustomerFilters(text, number, email, merged_into)
    after = paging.after(str, UUID)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        customers = await store.list_customers(read, caller.tenant_id, filters, after, paging.rows)
    return paging.cut(
        customers, item=Customer.of, position=lambda own: (own.resource.name, own.resource.id)
    )


@router.get("/{customer_id}")
async def get_customer(
    customer_id: UUID, db: Db, caller: CustomerReader, response: Response
) -> Customer:
    """One customer."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        known = await store.fetch_customer(read, caller.tenant_id, customer_id)
    if known is None:
        raise handlers.unknown_customer(customer_id)
    return answer(response, known, Customer.of)


@router.patch("/{customer_id}")
async def change_customer(
    customer_id: UUID,
    change: CustomerChange,
    db: Db,
    cause: WriteCause,
    now: Now,
    if_match: RequiredMatch,
    response: Response,
) -> Customer:
    """Change some of what is known of a customer; `If-Match` names the version that was read."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        current = await handlers.lock_customer(tx, cause.tenant_id, customer_id)
        if_match.check(current.version)
        changes = change.domain_changes(await fetch_defaults(tx, cause.tenant_id))
        changed = await handlers.change_customer(tx, cause.tenant_id, current, changes, now)
    return answer(response, changed, Customer.of)


@router.put("/{customer_id}")
async def replace_customer(
    customer_id: UUID,
    replacement: CustomerReplacement,
    db: Db,
    cause: WriteCause,
    now: Now,
    if_match: RequiredMatch,
    response: Response,
) -> Customer:
    """Replace all that is known of a customer; what is left out is empty from then on."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        current = await handlers.lock_customer(tx, cause.tenant_id, customer_id)
        if_match.check(current.version)
        values = replacement.values(await fetch_defaults(tx, cause.tenant_id))
        changed = await handlers.change_customer(tx, cause.tenant_id, current, values, now)
    return answer(response, changed, Customer.of)


@router.delete("/{customer_id}", status_code=204)
async def delete_customer(
    customer_id: UUID, db: Db, cause: WriteCause, now: Now, if_match: OptionalMatch
) -> None:
    """Delete a customer for whom there was never an agreement; 409 for others, who can be
    erased."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        current = await handlers.lock_customer(tx, cause.tenant_id, customer_id)
        if_match.check(current.version)
        await handlers.delete_customer(tx, cause, customer_id, now)
