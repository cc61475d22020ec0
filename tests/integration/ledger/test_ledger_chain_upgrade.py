"""A chain that was sealed before definitions, ends of meters and notes were: what is sealed stays,
what it lacked is added at its end, and a process of the version before does no harm meanwhile."""

import asyncio
import json
from collections import Counter
from uuid import UUID

import asyncpg
import pytest

from gridtally.database import ALL_TENANTS, Database, snapshot, transaction
from gridtally.database.migrations import upgrade
from gridtally.kernel.chain import Checkpoint, leaf_of, record_of, verify_export
from gridtally.ledger.audit.domain.entries import row_entry, transaction_entry
from gridtally.ledger.audit.store import status
from gridtally.ledger.audit.store.entries import _POSTINGS
from integration.ledger.seals import lines_within, seal

DEBIT, CREDIT = UUID(int=1), UUID(int=2)
BOOK = """
WITH posted AS (
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


async def book(connection, number):
    await connection.execute(BOOK, UUID(int=number), bytes(32), DEBIT, CREDIT)


async def seal_as_before(connection):
    """Seal the transaction that waits, the only one, by the rules of the version before."""
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


async def test_a_chain_of_the_version_before_continues(at_revision):
    url, connection = await at_revision("0003")
    await connection.execute(FACTS)
    await book(connection, 11)
    earlier = await seal_as_before(connection)
    await book(connection, 12)
    # As 0003 had left what was older than itself.
    await connection.execute("ALTER TABLE posting DISABLE TRIGGER append_only")
    await connection.execute("UPDATE posting SET recorded_at = now() + interval '1 day'")
    await connection.execute("ALTER TABLE posting ENABLE TRIGGER append_only")
    await asyncio.to_thread(upgrade, url, package="gridtally.ledger")

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
            assert (await status.fetch_counts(read, "acme")).whole
            assert (await status.fetch_counts(read, "other")).sealed == 1
        lines = await lines_within(connection)
        assert verify_export(lines, earlier).size == 8
        assert Counter(json.loads(line)["kind"] for line in lines[1:-1]) == {
            "transaction": 2, "booking": 1, "definition": 1, "meter_end": 1, "void_note": 1,
            "property": 1, "meter": 1,
        }  # fmt: skip
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with transaction(ledger, tenant=ALL_TENANTS) as tx:
                await tx.raw.execute("UPDATE posting SET amount = 1")


REGISTERED = f"""
INSERT INTO property (tenant_id, id, name, address, zone)
    VALUES ('acme', '{DEBIT}', 'Home', '', 'Europe/Berlin');
INSERT INTO meter (tenant_id, id, property_id, type, name)
    VALUES ('acme', '{CREDIT}', '{DEBIT}', 'sub', 'x');
INSERT INTO removed_meter (tenant_id, meter_id, property_id, type, name)
    VALUES ('acme', '{DEBIT}', '{DEBIT}', 'device', 'y')
"""  # noqa: S608 - constants
OF_KIND = {"property": "property_version", "meter": "meter_version", "meter_end": "removed_meter"}


async def seal_registry_as_before(connection):
    """Seal what waits, with `type` read from the column of that name; the entries and the chain."""
    state, entries = Checkpoint.start("acme"), []
    waiting = await connection.fetch("SELECT kind, entry_id FROM entry_queue ORDER BY position")
    for seq, (kind, entry_id) in enumerate(waiting, start=1):
        query = f"SELECT * FROM {OF_KIND[kind]} WHERE id = $1"  # noqa: S608 - constants
        row = dict(await connection.fetchrow(query, entry_id))
        if "type" in row:
            row["meter_type"] = row.pop("type")
        entries.append((kind, row_entry(kind, row)))
        leaf = leaf_of(record_of("acme", seq, *entries[-1]))
        state = state.extend(leaf)
        await connection.execute(
            "INSERT INTO seal VALUES ('acme', $1, $2, $3, $4, $5)",
            seq, kind, entry_id, leaf, state.head,
        )  # fmt: skip
    await connection.execute(
        "UPDATE chain_head SET size = $1, head = $2, peaks = $3 WHERE tenant_id = 'acme'",
        state.size, state.head, b"".join(state.frontier.peaks),
    )  # fmt: skip
    await connection.execute("DELETE FROM entry_queue")
    return entries, state


async def test_what_was_sealed_of_meters_verifies_under_the_columns_new_names(at_revision):
    url, connection = await at_revision("0006")
    await connection.execute(REGISTERED)
    entries, stored = await seal_registry_as_before(connection)
    assert {kind: entry.get("type") for kind, entry in entries} == {
        "property": None, "meter": "sub", "meter_end": "device",
    }  # fmt: skip
    await asyncio.to_thread(upgrade, url, package="gridtally.ledger")
    await connection.execute("UPDATE meter SET name = 'z', version = 2, updated_at = now()")
    async with await Database.connect(url, application="test") as ledger:
        assert await seal(ledger) == 1
        async with snapshot(ledger, tenant=ALL_TENANTS) as read:
            assert (await status.fetch_counts(read, "acme")).whole
    lines = await lines_within(connection)
    assert verify_export(lines, stored).size == 4
    records = [json.loads(line) for line in lines[1:-1]]
    assert [(record["kind"], record["entry"]) for record in records[:3]] == entries
    assert records[3]["entry"]["type"] == "sub"
    assert "name" not in records[3]["entry"]  # it lies beside the chain now
