"""The schema: models and migrations agree, and every table is isolated."""

import asyncio

import messaging.tables
import serving.keys
from billing.tables import METADATA
from database.migrations import drift

MODELS = [METADATA, messaging.tables.METADATA, serving.keys.METADATA]


async def test_models_and_migrations_agree(migrated_url):
    assert await asyncio.to_thread(drift, migrated_url, MODELS, package="billing") == []


async def test_every_table_is_under_row_level_security(world):
    rows = await world.rows(
        "SELECT relname FROM pg_class WHERE relname = ANY($1) "
        "AND relrowsecurity AND relforcerowsecurity",
        list(METADATA.tables),
    )
    assert {row["relname"] for row in rows} == set(METADATA.tables)
    assert all("tenant_id" in table.primary_key.columns for table in METADATA.tables.values())
