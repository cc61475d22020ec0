"""`/v1/customers/{id}/prepayment`: who pays in advance, what is left, and how long it lasts."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Self
from uuid import UUID

from fastapi import Query
from pydantic import Field

from gridtally.billing.api.callers import CustomerReader, Reader, WriteCause
from gridtally.billing.domain import prepayments as domain
from gridtally.billing.domain.merges import require_unmerged
from gridtally.billing.domain.prepayments import Alert
from gridtally.billing.handlers import customers
from gridtally.billing.handlers import prepayments as handlers
from gridtally.billing.handlers.prepayments import Standing
from gridtally.billing.store import prepayments as store
from gridtally.contracts.model import Amount
from gridtally.contracts.prepayments import ALERT_DAYS_MAX
from gridtally.database import snapshot, transaction
from gridtally.http.context import Db, Now
from gridtally.http.json_bodies import Router
from gridtally.http.paging import Page, Paging
from gridtally.http.resources import AnswerModel, Body
from gridtally.kernel.errors import Conflict, Fault, Rejected
from gridtally.kernel.money import in_currency
from gridtally.kernel.periods import Period

router = Router(prefix="/v1", tags=["prepayment"])
DAYS_MAX = 366


class PrepaymentTerms(Body):
    """When a customer on prepayment is to be alerted. Where neither is said, seven days ahead."""

    alert_amount: Annotated[Amount | None, Field(ge=0)] = None
    """A balance of less than this raises an alert, in the customer's currency."""
    alert_days: Annotated[int | None, Field(ge=0, le=ALERT_DAYS_MAX)] = None
    """A balance that lasts no more days than these, at what a day has cost of late, does."""

    def terms(self, customer_id: UUID) -> domain.Terms:
        """The terms as the domain has them."""
        days = self.alert_days
        if self.alert_amount is None and days is None:
            days = domain.ALERT_DAYS_DEFAULT
        return domain.Terms(customer_id, self.alert_amount, days)


class PrepaymentAlert(AnswerModel):
    """Who is on prepayment, by which terms, and what is wrong, as it was last looked at."""

    customer_id: UUID
    """The customer."""
    alert_amount: Amount | None
    """A balance of less raises an alert, in the customer's currency; null for none by money."""
    alert_days: int | None
    """A balance that lasts no more days raises an alert; null for none by days."""
    alert: Alert | None
    """What is wrong; null for nothing. It is raised once, and ends when more is left."""
    alert_since: datetime | None
    """Since when; null where nothing is wrong."""

    @classmethod
    def of(cls, prepayment: domain.Prepayment) -> Self:
        """The prepayment as lists show it."""
        return cls.model_validate(_terms_of(prepayment))


class Prepayment(PrepaymentAlert):
    """How a customer's prepayment stands now: what is left is its payments, less its invoices, less
    what the days have cost that no invoice has yet."""

    currency: str
    """The currency of all amounts: the customer's."""
    balance: Amount
    """What is left; below zero it is used up."""
    credit: Amount
    """What the customer has paid or was credited, less what was invoiced; the rest of what it owes
    on balance, with another sign."""
    drawn: Amount
    """What the days cost that no invoice has yet, with taxes and their shares of standing
    charges."""
    drawn_through: date | None
    """The last local day that is over and whose cost is known; null where none is."""
    average_per_day: Amount | None
    """What a day has cost of the last 14 that are over and known; null where none is."""
    days_left: int | None
    """The days from today (UTC) on that are paid for at that average; null where that has no
    end."""
    empty_on: date | None
    """The first day that is not; null where that has no end."""

    @classmethod
    def with_standing(cls, prepayment: domain.Prepayment, standing: Standing) -> Self:
        """The prepayment as it stands."""
        now_is, currency = standing.position, standing.currency
        average = now_is.average
        return cls.model_validate(
            _terms_of(prepayment)
            | {
                "currency": currency,
                "balance": in_currency(now_is.balance, currency),
                "credit": in_currency(now_is.credit, currency),
                "drawn": in_currency(now_is.drawn, currency),
                "drawn_through": now_is.drawn_through,
                "average_per_day": None if average is None else in_currency(average, currency),
                "days_left": now_is.days_left,
                "empty_on": now_is.empty_on,
            }
        )


class DrawnDay(AnswerModel):
    """What a local day costs of all of the customer's meters."""

    day: date
    """The day."""
    usage: Amount
    """What was used, with taxes."""
    standing: Amount
    """Its share of what is owed for time in its billing period, with taxes."""
    total: Amount
    """Both."""
    drawn: Amount
    """What of it no invoice has yet; the rest is settled by one."""
    is_billed: bool
    """Whether invoices have all of it."""


class DrawnDays(AnswerModel):
    """Days, the latest first; those are left out whose cost is not known yet."""

    customer_id: UUID
    """The customer."""
    currency: str
    """The currency of all amounts."""
    items: list[DrawnDay]


def _terms_of(prepayment: domain.Prepayment) -> dict[str, object]:
    alert, terms = prepayment.alert, prepayment.terms
    return {
        "customer_id": terms.customer_id,
        "alert_amount": terms.alert_amount,
        "alert_days": terms.alert_days,
        "alert": None if alert is None else alert.kind,
        "alert_since": None if alert is None else alert.since,
    }


@router.get("/prepayments")
async def list_prepayments(
    db: Db,
    caller: Reader,
    paging: Paging,
    alert: Annotated[Alert | None, Query(description="Those of which this is raised")] = None,
) -> Page[PrepaymentAlert]:
    """Customers on prepayment, by their ids."""
    after = paging.after(UUID)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        listed = await store.list_prepayments(
            read, caller.tenant_id, alert, None if after is None else after[0], paging.rows
        )
    return paging.cut(
        listed, item=PrepaymentAlert.of, position=lambda own: (own.terms.customer_id,)
    )


@router.get("/customers/{customer_id}/prepayment")
async def get_prepayment(customer_id: UUID, db: Db, caller: CustomerReader, now: Now) -> Prepayment:
    """What is left of what a customer has paid in advance, and how long it lasts. 404 where the
    customer is not on prepayment."""
    key = (caller.tenant_id, customer_id)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        prepayment = await handlers.fetch_active(read, *key)
        standing = await handlers.fetch_standing(read, key, now)
    return Prepayment.with_standing(prepayment, standing)


@router.put("/customers/{customer_id}/prepayment")
async def put_prepayment(
    customer_id: UUID, body: PrepaymentTerms, db: Db, cause: WriteCause, now: Now
) -> Prepayment:
    """Have a customer be on prepayment by these terms, also in the middle of a month: all days that
    no invoice has are drawn. The same again changes nothing. 409 for one who pays by a budget
    plan."""
    key = (cause.tenant_id, customer_id)
    async with transaction(db, tenant=cause.tenant_id) as tx:
        customer = await customers.lock_customer(tx, *key)
        require_unmerged(customer.resource)
        if customer.resource.erased_at is not None:
            raise Conflict("customer_erased", f"customer {customer_id} was erased")
        terms = body.terms(customer_id)
        prepayment, standing = await handlers.change_terms(tx, cause, terms, now)
    return Prepayment.with_standing(prepayment, standing)


@router.delete("/customers/{customer_id}/prepayment", status_code=204)
async def delete_prepayment(customer_id: UUID, db: Db, cause: WriteCause, now: Now) -> None:
    """Have a customer be on prepayment no more. What is left stays its credit, which can be paid
    back by `POST /v1/refunds` of the ledger. 404 where it was not on prepayment."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        await customers.lock_customer(tx, cause.tenant_id, customer_id)
        await handlers.end_prepayment(tx, cause, customer_id, now)


@router.get("/customers/{customer_id}/prepayment/days")
async def list_drawn_days(
    customer_id: UUID,
    db: Db,
    caller: CustomerReader,
    now: Now,
    start_on: Annotated[date, Query(alias="from")],
    end_on: Annotated[date, Query(alias="to")],
) -> DrawnDays:
    """What the customer's local days from `from` up to, but without, `to` have cost."""
    if not 0 < (end_on - start_on).days <= DAYS_MAX:
        fault = Fault("/query/to", f"must be 1 to {DAYS_MAX} days after `from`")
        raise Rejected("invalid_window", "the window cannot be answered", (fault,))
    key = (caller.tenant_id, customer_id)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        await handlers.fetch_active(read, *key)
        currency, days = await handlers.fetch_drawn_days(read, key, Period(start_on, end_on), now)

    def shown(amount: Decimal) -> Decimal:
        return in_currency(amount, currency)

    return DrawnDays(
        customer_id=customer_id,
        currency=currency,
        items=[
            DrawnDay(
                day=day.day,
                usage=shown(day.usage),
                standing=shown(day.standing),
                total=shown(day.total),
                drawn=shown(day.drawn),
                is_billed=day.is_billed,
            )
            for day in reversed(days)
        ],
    )
