"""The schema: models and migrations agree, and the rules of a run's life stand in the database."""

import asyncio

import asyncpg
import pytest

import gridtally.http.idempotency
import gridtally.http.keys
import gridtally.messaging.tables
from gridtally.database.migrations import drift
from gridtally.simulation.tables import METADATA

MODELS = [
    METADATA,
    gridtally.messaging.tables.METADATA,
    gridtally.http.keys.METADATA,
    gridtally.http.idempotency.METADATA,
]
ISOLATED = """
SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity ORDER BY relname
"""
RUN = """
INSERT INTO run (tenant_id, id, name, billing_cycle_month, billing_cycle_year,
                 topology_root_node_id, source, policy, profile, seed, missing, status)
VALUES ('acme', gen_random_uuid(), 'r', 1, 2025, gen_random_uuid(), 'stored', '{}', '{}', 0,
        'refused', $1)
"""


async def test_models_and_migrations_agree(service_url):
    url = await service_url("simulation")
    assert await asyncio.to_thread(drift, url, MODELS, package="gridtally.simulation") == []
    owner = await asyncpg.connect(url)
    isolated = {row["relname"] for row in await owner.fetch(ISOLATED)}
    assert {table.name for table in METADATA.tables.values()} <= isolated
    await owner.execute("SELECT set_config('gridtally.tenant', 'acme', false)")
    await owner.execute(RUN, "PENDING")
    for status in ("RUNNING", "COMPLETED", "FAILED", "CANCELLED", "LOST"):
        with pytest.raises(asyncpg.CheckViolationError):
            await owner.execute(RUN, status)
    await owner.close()
