"""Accounts that the version before has written stay what they were, under their new names."""

import asyncio
from datetime import date
from uuid import UUID

import asyncpg
from alembic import command

from gridtally.database import ALL_TENANTS, Database, snapshot, transaction
from gridtally.database.migrations import _config, upgrade
from gridtally.ledger.accounts.store import customers
from gridtally.ledger.accounts.store.balances import fetch_balances
from gridtally.ledger.accounts.store.customer_accounts import fetch_customer_accounts
from gridtally.ledger.accounts.store.open_items import fetch_overdue
from gridtally.ledger.accounts.store.reconciliation import reconcile
from gridtally.ledger.audit.store import status
from integration.ledger.seals import seal

ACCOUNTS = f"""
INSERT INTO account (tenant_id, id, currency, code, class, customer_id, debits, credits)
    VALUES ('acme', '{UUID(int=1)}', 'EUR', 'receivable:{UUID(int=9)}', 'receivable',
            '{UUID(int=9)}', 5, 2),
           ('acme', '{UUID(int=2)}', 'EUR', 'revenue:energy', 'revenue', NULL, 0, 5),
           ('acme', '{UUID(int=3)}', 'EUR', 'cash', 'cash', NULL, 2, 0);
INSERT INTO transaction (tenant_id, id, kind, document_id, reference, customer_id, currency, total,
                         occurred_at, correlation_id, digest, postings)
    SELECT 'acme', id, kind, id, 'R', '{UUID(int=9)}', 'EUR', total, '2025-04-01Z', 'c',
           sha256(kind::bytea), 2
      FROM (VALUES ('{UUID(int=11)}'::uuid, 'invoice', 5), ('{UUID(int=12)}'::uuid, 'payment', 2))
           AS new (id, kind, total);
INSERT INTO posting (tenant_id, transaction_id, line, account_id, currency, amount, occurred_at)
    SELECT 'acme', id, line, account_id, 'EUR', amount, '2025-04-01Z'
      FROM (VALUES ('{UUID(int=11)}'::uuid, 1, '{UUID(int=1)}'::uuid, 5),
                   ('{UUID(int=11)}', 2, '{UUID(int=2)}', -5),
                   ('{UUID(int=12)}', 1, '{UUID(int=3)}', 2),
                   ('{UUID(int=12)}', 2, '{UUID(int=1)}', -2))
           AS new (id, line, account_id, amount);
INSERT INTO open_item (tenant_id, id, customer_id, currency, kind, number, total, settled, voided,
                       issued_at, due_on, overdue_told)
    VALUES ('acme', '{UUID(int=11)}', '{UUID(int=9)}', 'EUR', 'invoice', 'R', 5, 2, false,
            '2025-04-01Z', '2025-04-15', true);
INSERT INTO allocation (tenant_id, transaction_id, line, item_id, source_id, customer_id, currency,
                        amount, occurred_at)
    VALUES ('acme', '{UUID(int=12)}', 1, '{UUID(int=11)}', '{UUID(int=12)}', '{UUID(int=9)}', 'EUR',
            2, '2025-04-01Z');
INSERT INTO customer (tenant_id, id, version, announced) VALUES ('acme', '{UUID(int=9)}', 3, 2)
"""  # noqa: S608 - constants


async def test_accounts_of_the_version_before_stay(database_url, postgres_admin_url):
    """What is allocated, published and reported has other names, and is what it was."""
    url = database_url()
    before = _config("gridtally.ledger")
    before.attributes["url"] = url
    await asyncio.to_thread(command.upgrade, before, "0006")
    name = url.rpartition("/")[2].partition("?")[0]
    connection = await asyncpg.connect(postgres_admin_url, database=name)
    async with connection.transaction():
        await connection.execute(ACCOUNTS)
    await connection.close()
    await asyncio.to_thread(upgrade, url, package="gridtally.ledger")

    key = ("acme", UUID(int=9), "EUR")
    async with await Database.connect(url, application="test") as ledger:
        async with transaction(ledger, tenant=ALL_TENANTS) as tx:
            assert await fetch_overdue(tx, date(2030, 1, 1), 10) == []
            assert await customers.claim_changed(tx, 10) == {key[:2]: 4}
        assert await seal(ledger) == 2
        async with snapshot(ledger, tenant="acme") as read:
            [books] = await reconcile(read, "acme")
            [balance] = (await fetch_balances(read, [key[:2]], date(2030, 1, 1)))[key[:2]]
            account = (await fetch_customer_accounts(read, [key]))[key]
            assert (await status.fetch_counts(read, "acme")).whole
    assert (balance.balance, balance.invoiced_total) == (3, 5)  # to be published once more
    assert (books.difference_max, books.allocated, books.opened) == (0, 2, 5)
    assert books.booked_by_kind == 1  # the invoice; a payment names no payees
    [item] = account.open_items()
    assert (item.id, item.open, item.allocated, item.state) == (UUID(int=11), 3, 2, "part_paid")
