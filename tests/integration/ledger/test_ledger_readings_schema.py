"""What the database refuses of readings, what it makes of an older registry, and how it looks
readings up."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import asyncpg
import pytest
from alembic import command

from gridtally.database import ALL_TENANTS, Database, snapshot, transaction
from gridtally.database.migrations import _config, upgrade

METER, PLACE = UUID(int=1), UUID(int=2)
AT = datetime(2025, 4, 1, tzinfo=UTC)
COLUMNS = (
    "tenant_id, id, reading_id, version, supersedes_id, meter_id, property_id, flow, kind, "
    "exchange_id, value, digits, decimals, multiplier, quality, note, read_at, correlation_id"
)
GOOD = {
    "tenant_id": "acme", "id": UUID(int=10), "reading_id": UUID(int=10), "version": 1,
    "supersedes_id": None, "meter_id": METER, "property_id": PLACE, "flow": "import",
    "kind": "reading", "exchange_id": None, "value": Decimal("1.5"), "digits": 6, "decimals": 3,
    "multiplier": Decimal(1), "quality": "actual", "note": "", "read_at": AT,
    "correlation_id": "c",
}  # fmt: skip
WRONG = {
    "negative": {"value": Decimal(-1)},
    "beyond the dial": {"value": Decimal(1_000_000)},
    "too many decimals": {"value": Decimal("0.0001")},
    "of the future": {"read_at": datetime.now(UTC) + timedelta(days=1)},
    "no such kind": {"kind": "guess"},
    "no such quality": {"quality": "good"},
    "supersedes nothing": {"version": 2},
    "a first one that supersedes": {"supersedes_id": UUID(int=9)},
    "half an exchange": {"kind": "exchange_final"},
    "no multiplier": {"multiplier": Decimal(0)},
    "a fine multiplier": {"multiplier": Decimal("1.0000001")},
}


async def insert(ledger, **fields):
    values = GOOD | fields
    marks = ", ".join(f"${n}" for n in range(1, len(values) + 1))
    async with transaction(ledger, tenant=ALL_TENANTS) as tx:
        await tx.raw.execute(
            f"INSERT INTO reading_entry ({COLUMNS}) VALUES ({marks})",  # noqa: S608 - constants
            *values.values(),
        )


@pytest.mark.parametrize("fields", WRONG.values(), ids=WRONG)
async def test_an_entry_that_cannot_be_is_refused_by_the_database(ledger, fields):
    with pytest.raises(asyncpg.CheckViolationError):
        await insert(ledger, **fields)
    await insert(ledger)


async def test_a_reading_has_one_entry_of_each_version(ledger):
    await insert(ledger)
    with pytest.raises(asyncpg.UniqueViolationError, match="reading_entry_version"):
        await insert(ledger, id=UUID(int=11))


OLDER = """
INSERT INTO property (tenant_id, id, name, address, zone) VALUES ('acme', $1, 'Home', '', 'UTC');
"""


async def test_meters_from_before_readings_get_registers(database_url):
    url = database_url()

    def older():
        config = _config("gridtally.ledger")
        config.attributes["url"] = url
        command.upgrade(config, "0001")

    await asyncio.to_thread(older)
    async with await Database.connect(url, application="test") as ledger:
        async with transaction(ledger, tenant=ALL_TENANTS) as tx:
            await tx.raw.execute(OLDER.strip().rstrip(";"), PLACE)
            types = ["gg", "unmetered", "total", "solar"]
            await tx.raw.executemany(
                "INSERT INTO meter (tenant_id, id, property_id, type, name) "
                "VALUES ('acme', $1, $2, $3, $3)",
                [(UUID(int=n), PLACE, type_) for n, type_ in enumerate(types)],
            )
            await tx.raw.executemany(
                "INSERT INTO channel VALUES ('acme', $1, $2, 15, 1000)",
                [(UUID(int=2), "import"), (UUID(int=2), "export")],
            )
        await asyncio.to_thread(upgrade, url, package="gridtally.ledger")
        async with snapshot(ledger, tenant="acme") as read:
            rows = await read.raw.fetch("SELECT meter_id, flow FROM register ORDER BY 1, 2")
        assert [(row["meter_id"].int, row["flow"]) for row in rows] == [
            (0, "import"), (2, "export"), (2, "import"), (3, "generation"),
        ]  # fmt: skip


async def test_a_page_is_looked_up_by_key_though_the_table_has_no_statistics(ledger):
    async with transaction(ledger, tenant="acme") as tx:
        await tx.raw.execute(
            f"""
            INSERT INTO reading_entry ({COLUMNS})
            SELECT 'acme', id, id, 1, NULL, $1, $2, 'import', 'reading', NULL, n, 9, 3, 1, 'actual',
                   '', $3::timestamptz + n * interval '1 min', 'c'
              FROM (SELECT n, gen_random_uuid() AS id FROM generate_series(1, 20000) n) AS made
            """,  # noqa: S608 - constants
            METER, PLACE, AT,
        )  # fmt: skip
    async with snapshot(ledger, tenant="acme") as read:
        rows = await read.raw.fetch(
            "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) SELECT * FROM reading_known_at('infinity') e "
            "WHERE e.tenant_id = 'acme' AND (e.read_at, e.reading_id) > ($1, $2) "
            "ORDER BY e.read_at, e.reading_id LIMIT 50",
            AT + timedelta(days=5), METER,
        )  # fmt: skip
    plan = "\n".join(row[0] for row in rows)
    assert "Seq Scan on reading_entry" not in plan, plan
    assert "Hash" not in plan, plan
    assert "Function Scan" not in plan, plan
