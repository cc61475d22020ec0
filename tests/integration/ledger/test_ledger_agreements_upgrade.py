"""Agreements that the version before has stored get their customers: their topic is read again."""

import asyncio
from uuid import UUID

from gridtally.database.migrations import upgrade

BEFORE = f"""
INSERT INTO meter_agreement (tenant_id, id, meter_id, start_on, version)
    VALUES ('acme', '{UUID(int=1)}', '{UUID(int=2)}', '2025-01-01', 7),
           ('other', '{UUID(int=1)}', '{UUID(int=2)}', '2025-01-01', 3);
INSERT INTO consumed (consumer, topic, partition, next)
    VALUES ('ledger', 'agreement.changed.v1', 0, 9), ('ledger', 'customer.changed.v1', 0, 5)
"""  # noqa: S608 - constants


async def test_what_comes_again_is_taken_whatever_its_version(at_revision):
    """By the role that owns the tables, which row-level security holds back as everybody."""
    url, connection = await at_revision("0036")
    await connection.execute(BEFORE)
    await asyncio.to_thread(upgrade, url, package="gridtally.ledger")
    stored = await connection.fetch("SELECT version, customer_id FROM meter_agreement")
    assert [tuple(row) for row in stored] == [(0, None), (0, None)]
    topics = await connection.fetch("SELECT topic FROM consumed")
    assert [row["topic"] for row in topics] == ["customer.changed.v1"]
