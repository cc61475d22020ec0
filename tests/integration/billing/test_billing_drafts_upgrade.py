"""Drafts of a run that the version before has approved are that run's, and are issued with it."""

import asyncio
from uuid import UUID

from alembic import command

from gridtally.database import ALL_TENANTS, Database, transaction
from gridtally.database.migrations import _config, upgrade

RUN = """
INSERT INTO billing_run (tenant_id, id, name, start_on, end_on, customer_ids, shock_percent,
                         created_by, created_at, version, state, decided_by, decided_at,
                         correlation_id)
VALUES ('acme', $1, 'May', '2025-05-01', '2025-06-01', '{}', 50, 'a', '2025-06-01Z', 2, 'approved',
        'b', '2025-06-03Z', 'c')
"""
DRAFT = """
INSERT INTO invoice_draft (tenant_id, agreement_id, start_on, id, customer_id, meter_id, end_on,
                           revision, restatement, currency, net, tax, total, lines, digest,
                           drafted_at, correlation_id, version, state)
VALUES ('acme', $1, '2025-05-01', $1, $1, $1, '2025-06-01', 1, 0, 'EUR', 1, 0, 1, '[]', 'd', $2,
        'c', 1, 'pending')
"""


async def test_drafts_of_an_approved_run_are_its_own(database_url):
    """By the role that owns the tables, which row-level security holds back as everybody."""
    url, config, run_id = database_url(), _config("gridtally.billing"), UUID(int=9)
    config.attributes["url"] = url
    await asyncio.to_thread(command.upgrade, config, "0035")
    async with await Database.connect(url, application="test") as database:
        async with transaction(database, tenant=ALL_TENANTS) as tx:
            await tx.raw.execute(RUN, run_id)
            day = await tx.raw.fetchval("SELECT decided_at FROM billing_run")
            await tx.raw.execute(DRAFT, UUID(int=1), day.replace(day=2))
            await tx.raw.execute(DRAFT, UUID(int=2), day.replace(day=4))
        await asyncio.to_thread(upgrade, url, package="gridtally.billing")
        async with transaction(database, tenant=ALL_TENANTS) as tx:
            drafts = await tx.raw.fetch("SELECT run_id FROM invoice_draft ORDER BY id")
    assert [draft["run_id"] for draft in drafts] == [run_id, None]
