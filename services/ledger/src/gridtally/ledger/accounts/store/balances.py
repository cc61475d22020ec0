"""Balances of customers, read: what each owes and has as credit, now or as of a moment."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from gridtally.contracts.accounts import CURRENCIES_MAX
from gridtally.database import ReadConnection
from gridtally.database.rows import columns_of
from gridtally.kernel.money import EXACT
from gridtally.ledger.accounts.domain.balances import CustomerBalance
from gridtally.ledger.accounts.domain.chart import AccountClass
from gridtally.ledger.accounts.domain.open_items import ZERO
from gridtally.ledger.accounts.domain.payment_plans import PlanPosition
from gridtally.ledger.accounts.domain.transactions import INVOICED_KINDS, sum_of
from gridtally.ledger.accounts.store import payment_plans
from gridtally.ledger.accounts.store.accounts import counts_at, of_account
from gridtally.ledger.accounts.store.customers import Key
from gridtally.ledger.accounts.store.reports import AgeingQuery, fetch_ageing
from gridtally.ledger.accounts.tables import account, posting, transaction

# A customer has one account of a class and currency, so the arrays are the classes that there are
# and what stands on each. Arrears come from the partial index over what is open.
_BALANCES = """
SELECT k.tenant_id, k.customer_id, a.currency, a.classes, a.balances, a.invoiced,
       coalesce(o.arrears, 0) AS arrears
  FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, customer_id)
 CROSS JOIN LATERAL (
       SELECT currency, array_agg(class) AS classes, array_agg(debits - credits) AS balances,
              sum(invoiced) AS invoiced
         FROM account WHERE (tenant_id, customer_id) = (k.tenant_id, k.customer_id)
        GROUP BY currency ORDER BY currency LIMIT $4) AS a
  LEFT JOIN LATERAL (
       SELECT sum(total - allocated) AS arrears FROM open_item
        WHERE (tenant_id, customer_id) = (k.tenant_id, k.customer_id) AND currency = a.currency
          AND total <> allocated AND total > allocated AND due_on < $3) AS o ON true
 ORDER BY k.tenant_id, k.customer_id, a.currency
"""


async def fetch_balances(
    read: ReadConnection, keys: Sequence[Key], today: date
) -> dict[Key, list[CustomerBalance]]:
    """What these customers owe now, by currency; arrears were due before `today`."""
    plans = await payment_plans.fetch_live_of(read, keys)
    balances: defaultdict[Key, list[CustomerBalance]] = defaultdict(list)
    for row in await read.raw.fetch(_BALANCES, *columns_of(keys, 2), today, CURRENCIES_MAX):
        classes = map(AccountClass, row["classes"])
        by_class = dict(zip(classes, row["balances"], strict=True))
        key = row["tenant_id"], row["customer_id"]
        moved = _arrears_moved(plans.get(key, ()), row["currency"], today)
        arrears = EXACT.add(row["arrears"], moved)
        amounts = {"arrears": arrears, "invoiced_total": row["invoiced"]}
        balance = CustomerBalance.of(row["currency"], by_class, **amounts)
        balances[key].append(balance)
    return balances


def _arrears_moved(plans: Sequence[PlanPosition], currency: str, today: date) -> Decimal:
    """How much more, or less, is late since plans are kept."""
    return sum_of(
        amount
        for position in plans
        if position.plan.currency == currency
        for due_on, amount in position.moves(today)
        if due_on < today
    )


async def fetch_customer_balances(
    read: ReadConnection, tenant_id: str, customer_id: UUID, query: AgeingQuery
) -> list[CustomerBalance]:
    """Every currency's balance of one customer, now or as of the query's moment; arrears were due
    before its day."""
    balances: defaultdict[str, dict[AccountClass, Decimal]] = defaultdict(dict)
    invoiced: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in await read.all(_by_class(tenant_id, customer_id, query)):
        balances[row["currency"]][AccountClass(row["class"])] = row["balance"]
        invoiced[row["currency"]] = EXACT.add(invoiced[row["currency"]], row["invoiced"])
    ageing = await fetch_ageing(read, tenant_id, replace(query, customer_id=customer_id))
    arrears = {row.currency: row.overdue for row in ageing}
    return [
        CustomerBalance.of(
            currency,
            by_class,
            arrears=arrears.get(currency, ZERO),
            invoiced_total=invoiced[currency],
        )
        for currency, by_class in balances.items()
    ]


def _by_class(tenant_id: str, customer_id: UUID, query: AgeingQuery) -> sa.Select[Any]:
    """Debits less credits by currency and class, and what of that was invoiced: from the accounts,
    or as of a moment from their postings."""
    columns = (account.c.currency, account.c["class"])
    if query.as_of is None:
        balance = account.c.debits - account.c.credits
        selected = sa.select(*columns, balance.label("balance"), account.c.invoiced)
    else:
        by_document = transaction.c.kind.in_(INVOICED_KINDS)
        invoiced = sa.func.sum(posting.c.amount).filter(by_document)
        selected = (
            sa.select(
                *columns,
                sa.func.sum(posting.c.amount).label("balance"),
                sa.func.coalesce(invoiced, ZERO).label("invoiced"),
            )
            .join(posting, of_account())
            .join(
                transaction,
                (transaction.c.tenant_id == posting.c.tenant_id)
                & (transaction.c.id == posting.c.transaction_id),
            )
            .where(counts_at(query.as_of, query.basis))
            .group_by(*columns)
        )
    mine = (account.c.tenant_id == tenant_id, account.c.customer_id == customer_id)
    return selected.where(*mine).order_by(account.c.currency)
