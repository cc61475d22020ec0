"""`/v1/accounts`, customers' balances, the trial balance and the reconciliation."""

from datetime import UTC, datetime
from decimal import localcontext
from itertools import groupby
from uuid import UUID

from fastapi import APIRouter

from database import snapshot
from kernel.errors import NotFound
from kernel.money import EXACT
from ledger.api.models import Reader, given
from ledger.api.money import (
    Account,
    ByDate,
    CurrencyCode,
    Moment,
    Reconciliation,
    Reconciliations,
    Standing,
    Standings,
    TrialBalance,
    TrialBalanceRow,
    TrialBalances,
)
from ledger.domain.accounts import AccountClass
from ledger.domain.transactions import ZERO
from ledger.store import accounts, reconciliation, statements
from ledger.store.accounts import Balance, Total
from ledger.store.statements import Aged
from serving.context import Db
from serving.paging import Page, Paging

router = APIRouter(prefix="/v1", tags=["accounts"])


@router.get("/accounts")
async def list_accounts(
    db: Db,
    caller: Reader,
    paging: Paging,
    currency: CurrencyCode | None = None,
    account_class: AccountClass | None = None,
    customer_id: UUID | None = None,
) -> Page[Account]:
    """Accounts with their balances now, by currency and code."""
    filters = given(currency=currency, customer_id=customer_id) | given(**{"class": account_class})
    after = paging.after(str, str)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rows = await accounts.list_balances(
            read, caller.tenant_id, filters, after and (after[0], after[1]), paging.rows
        )
    return paging.cut(
        rows, item=_shown, position=lambda one: (one.account.currency, one.account.code)
    )


@router.get("/accounts/{account_id}")
async def get_account(
    account_id: UUID,
    db: Db,
    caller: Reader,
    as_of: Moment | None = None,
    by: ByDate = "value",
) -> Account:
    """One account's balance, now or from what occurred (or was booked) up to and at `as_of`."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        found = await accounts.fetch_balance(read, caller.tenant_id, account_id, as_of, by)
    if found is None:
        raise NotFound("account_unknown", "no account has this id")
    return _shown(found)


@router.get("/customers/{customer_id}/balance")
async def get_customer_balance(
    customer_id: UUID,
    db: Db,
    caller: Reader,
    as_of: Moment | None = None,
    by: ByDate = "value",
) -> Standings:
    """What a customer owes and has as credit, in every currency, now or as of a moment; arrears by
    that day in UTC."""
    on = (as_of or datetime.now(UTC)).astimezone(UTC).date()
    async with snapshot(db, tenant=caller.tenant_id) as read:
        found = await statements.fetch_standing(
            read, caller.tenant_id, customer_id, Aged(on, as_of, by)
        )
    return Standings(
        customer_id=customer_id,
        as_of=as_of,
        currencies=[Standing.model_validate(one, from_attributes=True) for one in found],
    )


@router.get("/trial-balance")
async def get_trial_balance(
    db: Db, caller: Reader, as_of: Moment | None = None, by: ByDate = "value"
) -> TrialBalances:
    """What every account was debited and credited, per currency; the difference is zero."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        totals = await accounts.fetch_trial_balance(read, caller.tenant_id, as_of, by)
    return TrialBalances(
        as_of=as_of,
        currencies=[
            _trial_balance(currency, list(rows))
            for currency, rows in groupby(totals, lambda total: total.currency)
        ],
    )


@router.get("/reconciliation")
async def get_reconciliation(db: Db, caller: Reader) -> Reconciliations:
    """Whether documents, postings, accounts and allocations agree: all are summed anew."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        found = await reconciliation.reconcile(read, caller.tenant_id)
    return Reconciliations(
        ok=all(not one.difference_max for one in found),
        currencies=[Reconciliation.model_validate(one, from_attributes=True) for one in found],
    )


def _shown(one: Balance) -> Account:
    return Account(
        id=one.id,
        currency=one.account.currency,
        code=one.account.code,
        account_class=one.account.account_class,
        customer_id=one.account.customer_id,
        debits=one.debits,
        credits=one.credits,
        balance=one.balance,
    )


def _trial_balance(currency: str, totals: list[Total]) -> TrialBalance:
    with localcontext(EXACT):
        debits = sum((total.debits for total in totals), ZERO)
        credits_ = sum((total.credits for total in totals), ZERO)
    return TrialBalance(
        currency=currency,
        rows=[
            TrialBalanceRow(
                account=total.name,
                debits=total.debits,
                credits=total.credits,
                balance=total.balance,
            )
            for total in totals
        ],
        debits=debits,
        credits=credits_,
        difference=EXACT.subtract(debits, credits_),
    )
