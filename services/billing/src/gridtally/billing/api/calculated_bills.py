"""Bills that are calculated on demand and stored: `/v1/bills`, and a customer's `bills` and
`calculations`."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Self
from uuid import UUID

from fastapi import Path, Query, Response
from pydantic import BaseModel, ConfigDict

from gridtally.billing.api.callers import CustomerReader, CustomerWriteCause
from gridtally.billing.domain import calculated_bills as domain
from gridtally.billing.handlers import calculated_bills as handlers
from gridtally.billing.handlers.offers import require_own_tariff
from gridtally.billing.store import calculated_bills as store
from gridtally.contracts.invoice_lines import InvoiceLine
from gridtally.contracts.model import Amount
from gridtally.database import bound_customer, for_all_customers, snapshot, transaction
from gridtally.http.context import Db, Now
from gridtally.http.idempotency import Idempotent
from gridtally.http.json_bodies import Router
from gridtally.http.paging import Page, Paging
from gridtally.http.problems import HttpRefusal
from gridtally.http.resources import Body
from gridtally.kernel.errors import NotFound
from gridtally.kernel.money import in_currency
from gridtally.kernel.periods import Period

router = Router(prefix="/v1", tags=["calculated bills"])
DAYS_MAX = 366
EARLIEST_ON, LATEST_ON = date(2000, 1, 1), date(9999, 1, 1)


class NewCalculation(Body):
    """What to calculate: a customer's readings of the local days [start, end), by one version."""

    customer_id: UUID
    """The customer, whose meters are those of the fleet cost."""
    start: date
    """The first local day."""
    end: date
    """The local day after the last, at most 366 days later."""
    tariff_version_id: UUID
    """The published version, which must be in force on all of the days."""
    hypothetical: bool = False
    """Whether the version prices all of the days though it is not in force on some."""


class CalculatedLine(InvoiceLine):
    """A line as an invoice has it, of one of the meters."""

    meter_id: UUID
    """The meter."""


class PayeeTotal(BaseModel):
    """What is for somebody besides the seller, before tax."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    payee: str
    """Whom the components name."""
    total: Amount
    """What those components come to."""


class CalculatedBill(BaseModel):
    """What a customer's readings come to by a version; every meter is rated like an invoice of
    its own. Missing intervals count as no energy."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    calculation_id: UUID
    """The calculation's id: the same for the same request on the same readings."""
    checksum: str
    """SHA-256 over the tariff document, the readings and the window."""
    customer_id: UUID
    """The customer."""
    start: date
    """The first local day."""
    end: date
    """The local day after the last."""
    tariff_version_id: UUID
    """The version."""
    currency: str
    """The version's currency, which all amounts are in."""
    net: Amount
    """Before tax."""
    tax: Amount
    """The taxes."""
    total_cost: Amount
    """With taxes."""
    breakdown: dict[str, Amount]
    """What each component comes to, by its id in the tariff document; they add up to the total."""
    payees: list[PayeeTotal]
    """What is for payees that components name; the rest is the seller's."""
    expected_intervals: int
    """How many intervals the meters' recorded flows have on these days."""
    present_intervals: int
    """How many of them have a value."""
    lines: list[CalculatedLine]
    """The lines of all meters."""
    calculated_at: datetime | None
    """When it was stored; null where it is not."""

    @classmethod
    def of(cls, bill: domain.CalculatedBill, calculated_at: datetime | None) -> Self:
        """The calculation as the API shows it."""

        def shown(amount: Decimal) -> Decimal:
            return in_currency(amount, bill.currency)

        return cls(
            calculation_id=bill.id,
            checksum=bill.checksum,
            customer_id=bill.customer_id,
            start=bill.start_on,
            end=bill.end_on,
            tariff_version_id=bill.tariff_version_id,
            currency=bill.currency,
            net=shown(bill.net),
            tax=shown(bill.tax),
            total_cost=shown(bill.total),
            breakdown={name: shown(amount) for name, amount in bill.breakdown.items()},
            payees=[
                PayeeTotal(payee=payee, total=shown(total)) for payee, total in bill.payees.items()
            ],
            expected_intervals=bill.expected_intervals,
            present_intervals=bill.present_intervals,
            lines=[CalculatedLine.model_validate(dict(line)) for line in bill.lines],
            calculated_at=calculated_at,
        )


class Calculation(BaseModel):
    """A stored calculation, without its lines."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    calculation_id: UUID
    """The calculation's id."""
    customer_id: UUID
    """The customer."""
    start: date
    """The first local day."""
    end: date
    """The local day after the last."""
    tariff_version_id: UUID
    """The version."""
    tariff_code: str | None
    """Its tariff's short name for programs, as far as billing knows it."""
    tariff_name: str | None
    """What people call its tariff, as far as billing knows it."""
    currency: str
    """The version's currency, which all amounts are in."""
    net: Amount
    """Before tax."""
    tax: Amount
    """The taxes."""
    total_cost: Amount
    """With taxes."""
    breakdown: dict[str, Amount]
    """What each component comes to, by its id in the tariff document; they add up to the total."""
    expected_intervals: int
    """How many intervals the meters' recorded flows have on these days."""
    present_intervals: int
    """How many of them have a value."""
    calculated_at: datetime
    """When it was stored."""

    @classmethod
    def of(cls, stored: store.StoredCalculation) -> Self:
        """The calculation as the API shows it."""
        whole = CalculatedBill.of(stored.bill, stored.calculated_at)
        names = cls.model_fields.keys() & CalculatedBill.model_fields.keys()
        return cls(
            **{name: getattr(whole, name) for name in names},
            tariff_code=stored.tariff_code,
            tariff_name=stored.tariff_name,
        )


@router.post("/bills/calculate-and-store", status_code=201, response_model=CalculatedBill)
async def calculate_and_store_bill(
    new: NewCalculation, db: Db, cause: CustomerWriteCause, now: Now, request: Idempotent
) -> Response:
    """Rate a customer's stored readings of some days by exactly one version, and store the result.

    The same request on the same readings answers 200 with what is stored; readings, or a customer's
    meters, that have changed make a new calculation beside the old one. Nothing is issued or
    posted. A caller who is bound to a customer stores calculations of its own, which are beside the
    staff's, by a version that the customer has or is offered.
    """
    question = handlers.Question(
        cause.tenant_id,
        new.customer_id,
        _period(new.start, new.end),
        new.tariff_version_id,
        new.hypothetical,
        by_customer=bound_customer() is not None,
    )
    if question.by_customer:
        await require_own_tariff(db, question, now)
    bill = await handlers.calculate(db, question)
    # It was made of what the caller sees, so it is the caller's own; bound it could not be stored.
    with for_all_customers():
        async with transaction(db, tenant=cause.tenant_id) as tx:
            if (stored_answer := await request.fetch_answer(tx)) is not None:
                return stored_answer
            created, calculated_at = await handlers.store_calculation(
                tx, cause.tenant_id, bill, now
            )
            body = CalculatedBill.of(bill, calculated_at)
            return await request.store_answer(tx, 201 if created else 200, body)


@router.get("/customers/{customer_id}/bills")
async def get_customer_bill(
    customer_id: UUID,
    db: Db,
    caller: CustomerReader,
    start: Annotated[date, Query(description="The first local day")],
    end: Annotated[date, Query(description="The local day after the last")],
    now: Now,
    tariff_version_id: UUID | None = None,
) -> CalculatedBill:
    """The newest stored calculation of these days by a version; where there is none, it is made
    and not stored. Without a version it is the one that prices the meters on the first day. A bound
    caller names a version that the customer has or is offered, and sees its own calculations."""
    period = _period(start, end)
    version_id = tariff_version_id or await handlers.resolve_version(
        db, caller.tenant_id, customer_id, period
    )
    question = handlers.Question(
        caller.tenant_id,
        customer_id,
        period,
        version_id,
        by_customer=bound_customer() is not None,
    )
    if question.by_customer:
        await require_own_tariff(db, question, now)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        stored = await store.fetch_newest(read, caller.tenant_id, customer_id, period, version_id)
    if stored is not None:
        return CalculatedBill.of(*stored)
    return CalculatedBill.of(await handlers.calculate(db, question), None)


@router.get("/customers/{customer_id}/calculations")
async def list_customer_calculations(
    customer_id: UUID, db: Db, caller: CustomerReader, paging: Paging
) -> Page[Calculation]:
    """A customer's stored calculations, the newest first, without their lines; for a bound caller
    those that the customer made by itself."""
    after = paging.after(datetime.fromisoformat, UUID)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        await handlers.require_customer(read, caller.tenant_id, customer_id)
        rows = await store.list_calculated_bills(
            read, caller.tenant_id, customer_id, after, paging.rows
        )
    return paging.cut(
        rows, item=Calculation.of, position=lambda row: (row.calculated_at, row.bill.id)
    )


@router.get("/customers/{customer_id}/calculations/{calculation_id}")
async def get_customer_calculation(
    customer_id: UUID,
    calculation_id: Annotated[UUID, Path(description="The calculation")],
    db: Db,
    caller: CustomerReader,
) -> Calculation:
    """One of a customer's stored calculations, without its lines."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        stored = await store.fetch_calculated_bill(
            read, caller.tenant_id, customer_id, calculation_id
        )
    if stored is None:
        raise NotFound("calculation_unknown", f"there is no calculation {calculation_id}")
    return Calculation.of(stored)


def _period(start: date, end: date) -> Period:
    """The days; HttpRefusal 400 where they cannot be answered."""
    if not EARLIEST_ON <= start < end <= LATEST_ON or (end - start).days > DAYS_MAX:
        detail = f"`end` must lie after `start`, at most {DAYS_MAX} days, both from 2000 on"
        raise HttpRefusal(400, "invalid_window", detail)
    return Period(start, end)
