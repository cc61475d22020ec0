"""The schema: models and migrations agree, and every table is isolated."""

import asyncio

import asyncpg
import pytest

import gridtally.http.idempotency
import gridtally.http.keys
import gridtally.messaging.tables
from gridtally.billing.tables import METADATA
from gridtally.database.migrations import drift

MODELS = [
    METADATA,
    gridtally.messaging.tables.METADATA,
    gridtally.http.keys.METADATA,
    gridtally.http.idempotency.METADATA,
]


async def test_models_and_migrations_agree(migrated_url):
    assert await asyncio.to_thread(drift, migrated_url, MODELS, package="gridtally.billing") == []


@pytest.mark.parametrize(
    ("change", "reported"),
    [
        ("ALTER TABLE meter DROP COLUMN connected_kw", "connected_kw"),
        ("ALTER TABLE meter ADD COLUMN colour text", "colour"),
        ("ALTER TABLE meter ALTER COLUMN version TYPE bigint", "modify_type"),
        ("DROP TABLE due_day", "due_day"),
        ("DROP TABLE dead_letter_count", "dead_letter_count"),
        ("UPDATE alembic_version SET version_num = '0000'", "the schema is not at"),
    ],
)
async def test_where_they_do_not_agree_it_is_reported(migrated_url, change, reported):
    owner = await asyncpg.connect(migrated_url)
    await owner.execute(change)
    await owner.close()
    (difference,) = await asyncio.to_thread(
        drift, migrated_url, MODELS, package="gridtally.billing"
    )
    assert reported in difference


async def test_every_table_is_under_row_level_security(world):
    rows = await world.rows(
        "SELECT relname FROM pg_class WHERE relname = ANY($1) "
        "AND relrowsecurity AND relforcerowsecurity",
        list(METADATA.tables),
    )
    assert {row["relname"] for row in rows} == set(METADATA.tables)
    assert all("tenant_id" in table.primary_key.columns for table in METADATA.tables.values())
