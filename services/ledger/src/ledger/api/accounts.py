"""`/v1/accounts`, statements, the trial balance and the reconciliation."""

from decimal import localcontext
from itertools import groupby
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from database import snapshot
from kernel.errors import NotFound, Rejected
from kernel.money import EXACT
from ledger.api.models import Reader, given
from ledger.api.money import (
    Account,
    CurrencyCode,
    Moment,
    Reconciliation,
    Reconciliations,
    Statement,
    StatementEntry,
    TrialBalance,
    TrialBalanceRow,
    TrialBalances,
)
from ledger.domain.accounts import AccountClass
from ledger.store import accounts
from ledger.store.accounts import STATEMENT_ENTRIES_MAX, ZERO, Balance, Total
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
    account_id: UUID, db: Db, caller: Reader, as_of: Moment | None = None
) -> Account:
    """One account's balance, now or from what occurred up to and at `as_of`."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        found = await accounts.fetch_balance(read, caller.tenant_id, account_id, as_of)
    if found is None:
        raise NotFound("account_unknown", "no account has this id")
    return _shown(found)


@router.get("/customers/{customer_id}/statement")
async def get_statement(
    customer_id: UUID,
    db: Db,
    caller: Reader,
    from_at: Annotated[Moment, Query(alias="from")],
    to_at: Annotated[Moment, Query(alias="to")],
    currency: CurrencyCode,
) -> Statement:
    """What a customer owed and what changed it, from an instant up to, but without, another."""
    if from_at >= to_at:
        raise Rejected("empty_window", "`from` must lie before `to`")
    async with snapshot(db, tenant=caller.tenant_id) as read:
        opening, found = await accounts.fetch_statement(
            read, caller.tenant_id, customer_id, currency, from_at, to_at
        )
    if len(found) > STATEMENT_ENTRIES_MAX:
        raise Rejected(
            "window_too_wide",
            f"a statement has at most {STATEMENT_ENTRIES_MAX} entries; ask for a shorter window",
        )
    balance = opening
    entries = []
    for one in found:
        balance = EXACT.add(balance, one.amount)
        entries.append(
            StatementEntry(
                transaction_id=one.transaction_id,
                kind=one.kind,
                reference=one.reference,
                occurred_at=one.occurred_at,
                amount=one.amount,
                balance=balance,
            )
        )
    return Statement(
        customer_id=customer_id,
        currency=currency,
        from_at=from_at,
        to_at=to_at,
        opening=opening,
        entries=entries,
        closing=balance,
    )


@router.get("/trial-balance")
async def get_trial_balance(db: Db, caller: Reader, as_of: Moment | None = None) -> TrialBalances:
    """What every account was debited and credited, per currency; the difference is zero."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        totals = await accounts.fetch_trial_balance(read, caller.tenant_id, as_of)
    return TrialBalances(
        as_of=as_of,
        currencies=[
            _trial_balance(currency, list(rows))
            for currency, rows in groupby(totals, lambda total: total.currency)
        ],
    )


@router.get("/reconciliation")
async def get_reconciliation(db: Db, caller: Reader) -> Reconciliations:
    """Whether documents, postings and accounts agree: all of them are summed anew."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        found = await accounts.reconcile(read, caller.tenant_id)
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
