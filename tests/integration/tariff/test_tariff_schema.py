"""What a catalogue of an earlier schema becomes."""

import asyncio

from alembic import command

from database import ALL_TENANTS, Database, snapshot, transaction
from database.migrations import _config, upgrade

OF_THE_FIRST_SCHEMA = """
INSERT INTO region (tenant_id, id, code, name, zone)
VALUES ('acme', gen_random_uuid(), 'r', 'R', 'Europe/Berlin');
INSERT INTO tariff (tenant_id, id, code, name, currency, zone)
SELECT tenant, gen_random_uuid(), 'home', 'Home', 'EUR', 'Europe/Berlin'
  FROM unnest('{acme,other}'::text[]) AS tenant;
INSERT INTO tariff_version
       (tenant_id, id, tariff_id, number, status, effective_from, document, updated_at)
SELECT 'acme', gen_random_uuid(), id, number, 'draft', '2025-01-01', '{}', '2025-01-02Z'
  FROM tariff, generate_series(1, 3) AS number WHERE tenant_id = 'acme';
UPDATE tariff_version SET status = 'published' WHERE number >= 2;
UPDATE tariff_version SET status = 'withdrawn' WHERE number = 3
"""


async def test_a_catalogue_of_the_first_schema_is_carried_over(database_url):
    url = database_url()
    config = _config("tariff")
    config.attributes["url"] = url
    await asyncio.to_thread(command.upgrade, config, "0001")
    async with await Database.connect(url, application="test") as old:
        async with transaction(old, tenant=ALL_TENANTS) as tx:
            await tx.raw.execute(OF_THE_FIRST_SCHEMA)
        await asyncio.to_thread(upgrade, url, package="tariff")
        async with snapshot(old, tenant=ALL_TENANTS) as read:
            regions = await read.raw.fetch("SELECT kind, parent_id FROM region")
            numbers = await read.raw.fetch("SELECT tenant_id, last_number FROM tariff ORDER BY 1")
            versions = await read.raw.fetch(
                "SELECT status, published_by, published_at = updated_at, withdrawn_from::text "
                "FROM tariff_version ORDER BY number"
            )
    assert [tuple(row) for row in regions] == [("municipality", None)]
    assert [tuple(row) for row in numbers] == [("acme", 3), ("other", 0)]
    assert [tuple(row) for row in versions] == [
        ("draft", None, None, None),
        ("published", "unknown", True, None),
        ("withdrawn", "unknown", True, "2025-01-01"),
    ]
