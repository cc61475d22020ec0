"""`/v1/trial-balance` and `/v1/ageing`: reports over the books of a tenant."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from itertools import groupby
from typing import Self
from uuid import UUID

from pydantic import BaseModel

from gridtally.database import snapshot
from gridtally.http.context import Db, Now
from gridtally.http.json_bodies import Router
from gridtally.http.paging import Page, Paging
from gridtally.kernel.money import EXACT
from gridtally.ledger.accounts.api.models import ByDate, CurrencyCode, InCurrency, Moment, Money
from gridtally.ledger.accounts.domain.transactions import sum_of
from gridtally.ledger.accounts.store import reports
from gridtally.ledger.accounts.store.reports import AccountTotal, AgeingQuery
from gridtally.ledger.callers import Reader

router = Router(prefix="/v1", tags=["accounts"])


class TrialBalanceRow(BaseModel):
    """One account, or those of all customers together by class."""

    account: str
    debits: Money
    credits: Money
    balance: Money


class TrialBalance(InCurrency):
    """The books of one currency; `difference`, debits less credits, is zero."""

    rows: list[TrialBalanceRow]
    debits: Money
    credits: Money
    difference: Money

    @classmethod
    def of(cls, currency: str, totals: Sequence[AccountTotal]) -> Self:
        """The trial balance that these totals, all of one currency, make."""
        debits = sum_of(total.debits for total in totals)
        credits_ = sum_of(total.credits for total in totals)
        rows = [
            TrialBalanceRow(
                account=total.name,
                debits=total.debits,
                credits=total.credits,
                balance=total.balance,
            )
            for total in totals
        ]
        return cls(
            currency=currency,
            rows=rows,
            debits=debits,
            credits=credits_,
            difference=EXACT.subtract(debits, credits_),
        )


class TrialBalances(BaseModel):
    """Each currency's books, now or from what occurred (or was booked) up to and at `as_of`."""

    as_of: datetime | None
    currencies: list[TrialBalance]


@router.get("/trial-balance")
async def get_trial_balance(
    db: Db, caller: Reader, as_of: Moment | None = None, by: ByDate = "value"
) -> TrialBalances:
    """What every account was debited and credited, per currency; the difference is zero."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        totals = await reports.fetch_trial_balance(read, caller.tenant_id, as_of, by)
    return TrialBalances(
        as_of=as_of,
        currencies=[
            TrialBalance.of(currency, list(rows))
            for currency, rows in groupby(totals, lambda total: total.currency)
        ],
    )


class AgeingRow(InCurrency):
    """Open invoices and charges by days since they were due: `not_due` are due after the day,
    `overdue` were due before it. They add up to `total`, without `overdue`."""

    not_due: Money
    days_0_30: Money
    days_31_60: Money
    days_61_90: Money
    days_over_90: Money
    total: Money
    overdue: Money

    @classmethod
    def of(cls, row: reports.AgeingRow) -> Self:
        """The row as the API shows it."""
        return cls.model_validate(row, from_attributes=True)


class CustomerAgeing(AgeingRow):
    """One customer's."""

    customer_id: UUID


class Ageing(BaseModel):
    """Every currency's open invoices by age on the day `on`."""

    on: date
    as_of: datetime | None
    currencies: list[AgeingRow]


@router.get("/ageing")
async def get_ageing(
    db: Db,
    caller: Reader,
    now: Now,
    on: date | None = None,
    as_of: Moment | None = None,
    by: ByDate = "value",
    customer_id: UUID | None = None,
) -> Ageing:
    """What is open by days since it was due, in every currency: now, or as it was at `as_of`; aged
    on the day `on`, by default that of the moment in UTC."""
    query = AgeingQuery(_day(on, as_of, now), as_of, by, customer_id=customer_id)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rows = await reports.fetch_ageing(read, caller.tenant_id, query)
    return Ageing(on=query.on, as_of=as_of, currencies=[AgeingRow.of(row) for row in rows])


@router.get("/ageing/customers")
async def list_ageing_customers(
    db: Db,
    caller: Reader,
    paging: Paging,
    now: Now,
    currency: CurrencyCode,
    on: date | None = None,
    as_of: Moment | None = None,
    by: ByDate = "value",
) -> Page[CustomerAgeing]:
    """The same for each customer with something open in a currency."""
    query = AgeingQuery(_day(on, as_of, now), as_of, by, currency=currency)
    after = paging.after(UUID)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rows = await reports.list_ageing(
            read, caller.tenant_id, query, after[0] if after else None, paging.rows
        )
    return paging.cut(rows, item=CustomerAgeing.of, position=lambda row: (row.customer_id,))


def _day(on: date | None, as_of: datetime | None, now: datetime) -> date:
    """The day asked for, or that of the moment asked for, in UTC."""
    return on or (as_of or now).astimezone(UTC).date()
