"""`/v1/accounts`: accounts and their balances."""

from typing import Self
from uuid import UUID

from gridtally.database import snapshot
from gridtally.http.context import Db
from gridtally.http.json_bodies import Router
from gridtally.http.paging import Page, Paging
from gridtally.kernel.errors import NotFound
from gridtally.ledger.accounts.api.models import ByDate, CurrencyCode, InCurrency, Moment, Money
from gridtally.ledger.accounts.domain.chart import AccountClass
from gridtally.ledger.accounts.store import accounts
from gridtally.ledger.accounts.store.accounts import AccountBalance
from gridtally.ledger.callers import Reader, named_filters

router = Router(prefix="/v1/accounts", tags=["accounts"])


class Account(InCurrency):
    """An account and what it holds: `balance` is debits less credits."""

    id: UUID
    code: str
    account_class: AccountClass
    customer_id: UUID | None
    debits: Money
    credits: Money
    balance: Money

    @classmethod
    def of(cls, found: AccountBalance) -> Self:
        """The account as the API shows it."""
        return cls(
            id=found.id,
            currency=found.account.currency,
            code=found.account.code,
            account_class=found.account.account_class,
            customer_id=found.account.customer_id,
            debits=found.debits,
            credits=found.credits,
            balance=found.balance,
        )


@router.get("")
async def list_accounts(
    db: Db,
    caller: Reader,
    paging: Paging,
    currency: CurrencyCode | None = None,
    account_class: AccountClass | None = None,
    customer_id: UUID | None = None,
) -> Page[Account]:
    """Accounts with their balances now, by currency and code."""
    filters = named_filters(currency=currency, customer_id=customer_id, **{"class": account_class})
    after = paging.after(str, str)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rows = await accounts.list_balances(
            read, caller.tenant_id, filters, after and (after[0], after[1]), paging.rows
        )
    return paging.cut(
        rows,
        item=Account.of,
        position=lambda found: (found.account.currency, found.account.code),
    )


@router.get("/{account_id}")
async def get_account(
    account_id: UUID,
    db: Db,
    caller: Reader,
    as_of: Moment | None = None,
    by: ByDate = "value",
) -> Account:
    """One account's balance, now or from what occurred (or was booked) up to and at `as_of`."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        balance = await accounts.fetch_balance(read, caller.tenant_id, account_id, as_of, by)
    if balance is None:
        raise NotFound("account_unknown", "no account has this id")
    return Account.of(balance)
