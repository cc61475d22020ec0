"""`/v1/customers/{id}/balance`: what a customer owes and has as credit."""

from datetime import UTC, datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel

from gridtally.contracts.accounts import CurrencyBalance
from gridtally.database import snapshot
from gridtally.http.context import Db, Now
from gridtally.http.json_bodies import Router
from gridtally.ledger.accounts.api.models import ByDate, Moment
from gridtally.ledger.accounts.domain import balances as domain
from gridtally.ledger.accounts.store import balances
from gridtally.ledger.accounts.store.reports import AgeingQuery
from gridtally.ledger.callers import CustomerReader

router = Router(prefix="/v1", tags=["accounts"])


class CustomerBalance(CurrencyBalance):
    """What a customer owes in one currency: `balance` = receivable − prepaid − export_payable.
    `arrears` is what of the receivable was due before the day, `invoiced_total` what invoices less
    credit notes come to."""

    @classmethod
    def of(cls, balance: domain.CustomerBalance) -> Self:
        """The balance as the API shows it."""
        return cls.model_validate(balance.by_name())


class CustomerBalances(BaseModel):
    """Every currency of a customer's account, now or as of a moment."""

    customer_id: UUID
    as_of: datetime | None
    currencies: list[CustomerBalance]


@router.get("/customers/{customer_id}/balance")
async def get_customer_balance(
    customer_id: UUID,
    db: Db,
    caller: CustomerReader,
    now: Now,
    as_of: Moment | None = None,
    by: ByDate = "value",
) -> CustomerBalances:
    """What a customer owes and has as credit, in every currency, now or as of a moment; arrears by
    that day in UTC."""
    on = (as_of or now).astimezone(UTC).date()
    query = AgeingQuery(on, as_of, by)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        currencies = await balances.fetch_customer_balances(
            read, caller.tenant_id, customer_id, query
        )
    return CustomerBalances(
        customer_id=customer_id,
        as_of=as_of,
        currencies=[CustomerBalance.of(balance) for balance in currencies],
    )
