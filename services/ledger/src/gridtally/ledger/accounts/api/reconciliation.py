"""`/v1/reconciliation`: whether the books agree, counted in independent ways."""

from typing import Annotated, Self

from pydantic import BaseModel, Field

from gridtally.database import snapshot
from gridtally.http.context import Db
from gridtally.http.json_bodies import Router
from gridtally.ledger.accounts.api.models import InCurrency, Money
from gridtally.ledger.accounts.api.payees import PAYEE
from gridtally.ledger.accounts.domain.chart import payee_of
from gridtally.ledger.accounts.store import reconciliation
from gridtally.ledger.callers import Reader

router = Router(prefix="/v1", tags=["accounts"])
BOOKED_BY_KIND = (
    "How many documents were posted before payees had accounts; what payees get of them is revenue"
)
OPENING_BALANCES = "What accounts were taken over with, from transactions that were not reversed"
OPENING_ACCOUNT = (
    "What stands on the account of opening balances, from postings; credit is below zero"
)

BUDGET_LEFT = "What stands on accounts of budget plans that were settled, which is nothing"


class Reconciliation(InCurrency):
    """One currency's books, counted in every way that must agree: `difference_max` is the widest
    gap between documents, postings, accounts, items and allocations, and is zero. `receivable` is
    what invoices and credit notes have put on customers' accounts, whatever was paid since."""

    invoices: int
    invoices_total: Money
    credit_notes: int
    credit_notes_total: Money
    receivable: Money
    opened: Money
    charged: Money
    allocated: Money
    invoiced_total: Money
    unmatched: Money
    postings_sum: Money
    account_difference_max: Money
    item_difference_max: Money
    difference_max: Money
    booked_by_kind: Annotated[int, Field(description=BOOKED_BY_KIND)]
    opening_balances: Annotated[Money, Field(description=OPENING_BALANCES)]
    budget_left: Annotated[Money, Field(description=BUDGET_LEFT)]
    opening_account: Annotated[Money, Field(description=OPENING_ACCOUNT)]

    @classmethod
    def of(cls, counted: reconciliation.Reconciliation) -> Self:
        """The reconciliation as the API shows it."""
        return cls.model_validate(counted, from_attributes=True)


class OwedToPayee(InCurrency):
    """What invoices less credit notes have put on a payee's account, whatever was paid since."""

    payee: Annotated[str | None, Field(description=PAYEE)]
    owed: Money

    @classmethod
    def of(cls, counted: reconciliation.OwedToPayee) -> Self:
        """The payee as the API shows it."""
        account = counted.account
        return cls(currency=account.currency, payee=payee_of(account), owed=counted.owed)


class Reconciliations(BaseModel):
    """Each currency's reconciliation; `ok` where all are without difference. What `payees` came to
    be owed is to be set against the lines of billing's invoices, as `gridtally verify` does."""

    ok: bool
    currencies: list[Reconciliation]
    payees: list[OwedToPayee]


@router.get("/reconciliation")
async def get_reconciliation(db: Db, caller: Reader) -> Reconciliations:
    """Whether documents, postings, accounts and allocations agree: all are recounted."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        currencies = await reconciliation.reconcile(read, caller.tenant_id)
        payees = await reconciliation.fetch_owed(read, caller.tenant_id)
    return Reconciliations(
        ok=all(not counted.difference_max for counted in currencies),
        currencies=[Reconciliation.of(counted) for counted in currencies],
        payees=[OwedToPayee.of(counted) for counted in payees],
    )
