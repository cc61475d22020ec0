"""A chain that was sealed before definitions, ends of meters and notes were: it stays what it was,
what it lacked is added at its end, and a process of the version before does no harm meanwhile."""

import asyncio
import json
from collections import Counter
from uuid import UUID

import asyncpg
import pytest
from alembic import command

from database import ALL_TENANTS, Database, snapshot, transaction
from database.migrations import _config, upgrade
from integration.ledger.sealed import lines_within, seal
from kernel.chain import Checkpoint, leaf_of, record_of, verify_export
from ledger.domain.chain import transaction_entry
from ledger.store import chain
from ledger.store.entries import _POSTINGS

DEBIT, CREDIT = UUID(int=1), UUID(int=2)
BOOK = """
WITH booked AS (
    INSERT INTO transaction (tenant_id, id, kind, document_id, reference, customer_id, currency,
                             total, occurred_at, correlation_id, digest, postings)
    VALUES ('acme', $1, 'invoice', $1, 'INV', $1, 'EUR', 5, '2025-04-01Z', 'c', $2, 2)
)
INSERT INTO posting (tenant_id, transaction_id, line, account_id, currency, amount, occurred_at)
SELECT 'acme', $1, line, account_id, 'EUR', amount, '2025-04-01Z'
  FROM (VALUES (1, $3::uuid, 5), (2, $4::uuid, -5)) AS line (line, account_id, amount)
"""
FACTS = f"""
INSERT INTO account (tenant_id, id, currency, code, class, debits, credits)
    VALUES ('acme', '{DEBIT}', 'EUR', 'revenue:a', 'revenue', 0, 0),
           ('acme', '{CREDIT}', 'EUR', 'revenue:b', 'revenue', 0, 0);
INSERT INTO definition (tenant_id, meter_id, version, from_on, meter_ids, flows, signs)
    VALUES ('acme', '{DEBIT}', 1, '2025-03-01', ARRAY['{CREDIT}'::uuid], ARRAY[NULL], '{{1}}');
INSERT INTO removed_meter (tenant_id, meter_id, property_id, type, name)
    VALUES ('acme', '{DEBIT}', '{CREDIT}', 'sub', 'x'),
           ('other', '{DEBIT}', '{CREDIT}', 'sub', 'x');
INSERT INTO property (tenant_id, id, name, address, zone)
    VALUES ('acme', '{DEBIT}', 'Home', '', 'Europe/Berlin');
INSERT INTO meter (tenant_id, id, property_id, type, name)
    VALUES ('acme', '{CREDIT}', '{DEBIT}', 'sub', 'x');
INSERT INTO invoice_note (tenant_id, invoice_id, credit_note_id, reference, reason, voided_at)
    VALUES ('acme', '{DEBIT}', '{CREDIT}', 'INV', 'wrong', now())
"""  # noqa: S608 - constants


TAKEN_BEFORE = """
DELETE FROM seal_queue WHERE tenant_id = $1 AND position IN
       (SELECT position FROM seal_queue WHERE tenant_id = $1 ORDER BY position LIMIT $2)
RETURNING position, kind, entry_id
"""
"""How the version before takes entries out of the queue."""


def migrate(url, revision):
    config = _config("ledger")
    config.attributes["url"] = url
    command.upgrade(config, revision)


async def book(connection, number):
    await connection.execute(BOOK, UUID(int=number), bytes(32), DEBIT, CREDIT)


async def seal_as_before(connection):
    """Seal the one transaction that waits, by the rules of the version before."""
    [head] = await connection.fetch("SELECT * FROM transaction")
    postings = await connection.fetch(_POSTINGS, "acme", [head["id"]])
    entry = transaction_entry(head, postings, [])
    assert len(entry["postings"]) == 2
    leaf = leaf_of(record_of("acme", 1, "transaction", entry))
    state = Checkpoint.start("acme").extend(leaf)
    await connection.execute(
        "INSERT INTO seal VALUES ('acme', 1, 'transaction', $1, $2, $3)",
        head["id"], leaf, state.head,
    )  # fmt: skip
    await connection.execute(
        "UPDATE chain_head SET size = 1, head = $1, peaks = $2 WHERE tenant_id = 'acme'",
        state.head, leaf,
    )  # fmt: skip
    await connection.execute("DELETE FROM unsealed")
    return state


@pytest.fixture
async def before(database_url, postgres_admin_url):
    """A database of the version before, and a superuser's connection to it."""
    url = database_url()
    await asyncio.to_thread(migrate, url, "0003")
    name = url.rpartition("/")[2].partition("?")[0]
    connection = await asyncpg.connect(postgres_admin_url, database=name)
    yield url, connection
    await connection.close()


async def test_a_chain_of_the_version_before_goes_on(before):
    url, connection = before
    await connection.execute(FACTS)
    await book(connection, 11)
    kept = await seal_as_before(connection)
    await book(connection, 12)
    # As 0003 had left what was older than itself.
    await connection.execute("ALTER TABLE posting DISABLE TRIGGER append_only")
    await connection.execute("UPDATE posting SET recorded_at = now() + interval '1 day'")
    await connection.execute("ALTER TABLE posting ENABLE TRIGGER append_only")
    await asyncio.to_thread(upgrade, url, package="ledger")

    await book(connection, 13)
    async with await Database.connect(url, application="test") as ledger:
        async with transaction(ledger, tenant=ALL_TENANTS) as tx:
            taken = await tx.raw.fetch(TAKEN_BEFORE, "acme", 1_000)
            assert {row["kind"] for row in taken} == {
                "transaction", "booking", "definition", "meter_end", "void_note",
            }  # fmt: skip
            await tx.raw.executemany(
                "INSERT INTO entry_queue (tenant_id, kind, entry_id) VALUES ('acme', $1, $2)",
                [(row["kind"], row["entry_id"]) for row in taken],
            )
        assert await seal(ledger) == 8
        async with snapshot(ledger, tenant=ALL_TENANTS) as read:
            assert (await chain.fetch_counts(read, "acme")).whole
            assert (await chain.fetch_counts(read, "other")).sealed == 1
        lines = await lines_within(connection)
        assert verify_export(lines, kept).size == 8
        assert Counter(json.loads(line)["kind"] for line in lines[1:-1]) == {
            "transaction": 2, "booking": 1, "definition": 1, "meter_end": 1, "void_note": 1,
            "property": 1, "meter": 1,
        }  # fmt: skip
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with transaction(ledger, tenant=ALL_TENANTS) as tx:
                await tx.raw.execute("UPDATE posting SET amount = 1")
