"""The schema: models and migrations agree, and every table is isolated."""

import asyncio

import asyncpg
import pytest

import messaging.tables
import serving.keys
from billing.tables import METADATA
from database.migrations import drift

MODELS = [METADATA, messaging.tables.METADATA, serving.keys.METADATA]


async def test_models_and_migrations_agree(migrated_url):
    assert await asyncio.to_thread(drift, migrated_url, MODELS, package="billing") == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("ALTER TABLE meter DROP COLUMN connected_kw", "connected_kw"),
        ("ALTER TABLE meter ADD COLUMN colour text", "colour"),
        ("ALTER TABLE meter ALTER COLUMN version TYPE bigint", "modify_type"),
        ("DROP TABLE due_day", "due_day"),
        ("DROP TABLE dead_letter", "dead_letter"),
        ("UPDATE alembic_version SET version_num = '0000'", "the schema is not at"),
    ],
)
async def test_where_they_do_not_agree_it_is_told(migrated_url, change, told):
    owner = await asyncpg.connect(migrated_url)
    await owner.execute(change)
    await owner.close()
    (difference,) = await asyncio.to_thread(drift, migrated_url, MODELS, package="billing")
    assert told in difference


async def test_every_table_is_under_row_level_security(world):
    rows = await world.rows(
        "SELECT relname FROM pg_class WHERE relname = ANY($1) "
        "AND relrowsecurity AND relforcerowsecurity",
        list(METADATA.tables),
    )
    assert {row["relname"] for row in rows} == set(METADATA.tables)
    assert all("tenant_id" in table.primary_key.columns for table in METADATA.tables.values())
