"""What the database itself refuses, whoever asks."""

import asyncio
import re
from datetime import UTC, datetime
from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy.exc import IntegrityError

import gridtally.http.idempotency
import gridtally.http.keys
import gridtally.ledger.tables
import gridtally.messaging.tables
from gridtally.database import ALL_TENANTS, snapshot, transaction
from gridtally.database.migrations import drift
from gridtally.ledger.accounts.domain.chart import OWNED_CLASSES, AccountClass

AT = datetime(2025, 4, 1, tzinfo=UTC)
REFUSED = (asyncpg.CheckViolationError, IntegrityError)  # at the statement, or at commit
ENTRY, ACCOUNT, OTHER = UUID(int=1), UUID(int=2), UUID(int=3)


async def test_models_and_migrations_agree(ledger_url):
    models = [
        gridtally.ledger.tables.METADATA,
        gridtally.messaging.tables.METADATA,
        gridtally.http.keys.METADATA,
        gridtally.http.idempotency.METADATA,
    ]
    assert await asyncio.to_thread(drift, ledger_url, models, package="gridtally.ledger") == []


@pytest.mark.parametrize(
    ("constraint", "classes"),
    [("account_class_check", AccountClass), ("account_of_customer", OWNED_CLASSES)],
)
async def test_the_chart_and_the_constraints_have_the_same_classes(ledger, constraint, classes):
    async with snapshot(ledger, tenant=ALL_TENANTS) as read:
        definition = await read.raw.fetchval(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = $1", constraint
        )
    assert set(re.findall(r"'(\w+)'::text", definition)) == set(classes)


async def open_accounts(tx):
    await tx.raw.executemany(
        "INSERT INTO account (tenant_id, id, currency, code, class, debits, credits) "
        "VALUES ('acme', $1, $2, $3, 'revenue', 0, 0)",
        [(ACCOUNT, "EUR", "a"), (OTHER, "EUR", "b"), (UUID(int=4), "USD", "a")],
    )


async def insert_entry(tx, *postings, declared=None, id_=ENTRY):
    await tx.raw.execute(
        "INSERT INTO transaction VALUES ('acme', $1, 'invoice', $2, 'INV', NULL, $1, 'EUR', 0, "
        "$3, $3, 'c', $4, $5)",
        id_, uuid4(), AT, bytes(32), declared or len(postings),
    )  # fmt: skip
    await insert_postings(tx, *postings, id_=id_)


async def insert_postings(tx, *postings, first=1, id_=ENTRY):
    lines = range(first, first + len(postings))
    await tx.raw.execute(
        "INSERT INTO posting SELECT 'acme', $1, * FROM unnest($2::smallint[], $3::uuid[], "
        "$4::text[], $5::numeric[], $6::timestamptz[])",
        id_, list(lines), *([posting[n] for posting in postings] for n in range(4)),
    )  # fmt: skip


GOOD = ((ACCOUNT, "EUR", 5, AT), (OTHER, "EUR", -5, AT))
UNBALANCED = {
    "sum": ((ACCOUNT, "EUR", 5, AT), (OTHER, "EUR", -4, AT)),
    "nothing posted": (),
    "other currency": (*GOOD, (UUID(int=4), "USD", 0, AT)),
    "other moment": (*GOOD[:1], (OTHER, "EUR", -5, datetime(2025, 4, 2, tzinfo=UTC))),
}


@pytest.mark.parametrize("postings", UNBALANCED.values(), ids=UNBALANCED)
async def test_an_unbalanced_transaction_is_refused_at_commit(ledger, postings):
    async with transaction(ledger, tenant=ALL_TENANTS) as tx:
        await open_accounts(tx)
    with pytest.raises(REFUSED, match="not balanced"):
        async with transaction(ledger, tenant=ALL_TENANTS) as tx:
            await insert_entry(tx, *postings)
    async with snapshot(ledger, tenant=ALL_TENANTS) as read:
        assert await read.raw.fetchval("SELECT count(*) FROM posting") == 0


@pytest.mark.parametrize(
    ("first", "id_", "why"),
    [
        (3, ENTRY, "not balanced"),  # the lines after the last
        (2, ENTRY, "posting_pkey"),  # a line that is taken
        (1, UUID(int=9), "not balanced"),  # a transaction that is not there
    ],
)
async def test_nothing_is_added_to_a_transaction_later(ledger, first, id_, why):
    async with transaction(ledger, tenant=ALL_TENANTS) as tx:
        await open_accounts(tx)
        await insert_entry(tx, *GOOD)
    with pytest.raises((*REFUSED, asyncpg.UniqueViolationError), match=why):
        async with transaction(ledger, tenant=ALL_TENANTS) as tx:
            await insert_postings(tx, *GOOD, first=first, id_=id_)


async def test_a_transaction_with_fewer_postings_than_declared_is_refused(ledger):
    async with transaction(ledger, tenant=ALL_TENANTS) as tx:
        await open_accounts(tx)
    with pytest.raises(REFUSED, match="not balanced"):
        async with transaction(ledger, tenant=ALL_TENANTS) as tx:
            await insert_entry(tx, *GOOD, declared=4)


APPENDED = [
    "transaction", "posting", "allocation", "invoice_note", "reading_entry", "removed_meter",
    "definition", "seal", "checkpoint", "property_version", "meter_version", "removed_property",
]  # fmt: skip


@pytest.mark.parametrize(
    "statement", ["UPDATE {} SET tenant_id = 'x'", "DELETE FROM {}", "TRUNCATE {}"]
)
async def test_the_books_refuse_changes_by_privilege_and_by_trigger(ledger, statement):
    for table in APPENDED:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with transaction(ledger, tenant=ALL_TENANTS) as tx:
                await tx.raw.execute(statement.format(table))
        async with transaction(ledger, tenant=ALL_TENANTS) as tx:
            await tx.raw.execute(f"GRANT ALL ON {table} TO CURRENT_USER")
        with pytest.raises(asyncpg.RestrictViolationError, match=f"{table} is append-only"):
            async with transaction(ledger, tenant=ALL_TENANTS) as tx:
                await tx.raw.execute(statement.format(table))


async def test_rows_of_other_tenants_do_not_exist(ledger):
    async with transaction(ledger, tenant=ALL_TENANTS) as tx:
        await open_accounts(tx)
        await insert_entry(tx, *GOOD)
    for tenant, seen in (("acme", 2), ("other", 0), ("", 0), (ALL_TENANTS, 2)):
        async with snapshot(ledger, tenant=tenant) as read:
            assert await read.raw.fetchval("SELECT count(*) FROM posting") == seen, tenant
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        async with transaction(ledger, tenant="other") as tx:
            await open_accounts(tx)


async def test_every_table_of_the_ledger_isolates_tenants(ledger):
    async with snapshot(ledger, tenant=ALL_TENANTS) as read:
        rows = await read.raw.fetch(
            "SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity"
        )
    letters = {"dead_letter", "dead_letter_count"}
    assert {row["relname"] for row in rows} == {*ledger_tables(), *letters}


def ledger_tables():
    own = (gridtally.ledger.tables.METADATA, gridtally.http.idempotency.METADATA)
    return [table.name for metadata in own for table in metadata.sorted_tables]
