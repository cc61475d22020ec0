"""What the version before has stored is there after the migration, in the words of this one."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest
from alembic import command

from gridtally.database import Database
from gridtally.database.migrations import _config, upgrade
from integration.ingest.conftest import ingest_app

METER, UNKNOWN, AGREEMENT, EVENT = (UUID(int=n) for n in range(1, 5))
DAY = date(2025, 5, 10)
MIDNIGHT = datetime(2025, 5, 9, 22, tzinfo=UTC)  # in Berlin
BLOCK = f"""{{"meter_id": "{UNKNOWN}", "flow": "import", "start_at": "{MIDNIGHT.isoformat()}",
              "minutes": 15, "values": [1, 2]}}"""
CHANNELS = '[{"flow": "import", "minutes": 15, "interval_wh_max": 10000}]'
STORED = f"""
INSERT INTO meter VALUES ('acme', '{METER}', 'main', 'Home', 'Europe/Berlin', 3, '{CHANNELS}');
INSERT INTO agreement VALUES ('acme', '{AGREEMENT}', '{METER}', '2025-05-01', NULL, 'wait', 72, 1,
                              '2025-07-01');
INSERT INTO period (tenant_id, agreement_id, meter_id, start_on, end_on, check_at)
    VALUES ('acme', '{AGREEMENT}', '{METER}', '2025-05-01', '2025-06-01', '2025-05-31 22:00Z');
INSERT INTO waiting_block (tenant_id, meter_id, event_id, source, occurred_at, correlation_id,
                           value, recorded_at)
    VALUES ('acme', '{UNKNOWN}', '{EVENT}', 'gateway/1', '2025-05-11Z', 'cause', '{BLOCK}'::bytea,
            '2025-05-11Z');
INSERT INTO tally VALUES ('acme', 0, 9, 5, 1, 2, 1, 96, 0, 0), ('umbra', 0, 1, 1, 0, 0, 0, 1, 0, 0);
INSERT INTO channel_day VALUES ('acme', '{METER}', 'import', 15, '{DAY}', 'Europe/Berlin', 1, 96,
                                now(), 'cause', repeat('A', 96), array_fill(7, ARRAY[96]));
INSERT INTO usage_pending (tenant_id, meter_id, flow, minutes, day, due_at)
    VALUES ('acme', '{METER}', 'import', 15, '{DAY}', '2025-05-11Z');
INSERT INTO register_channel (tenant_id, meter_id, flow, ranked_at, correlation_id, told_from,
                              told_to)
    VALUES ('acme', '{METER}', 'import', '2025-05-11Z', 'cause', '2025-05-01Z', '2025-05-02Z');
INSERT INTO held_stretch VALUES
    ('acme', '{METER}', 'import', '2025-05-01Z', '2025-05-02Z', 'fall', 12, 11),
    ('acme', '{METER}', 'import', '2025-05-02Z', '2025-05-03Z', 'other_dial', 9, 1),
    ('umbra', '{METER}', 'import', '1025-05-01Z', '2025-05-03Z', 'too_old', 0, 1)
"""  # noqa: S608 - constants


def migrate(url, revision):
    config = _config("gridtally.ingest")
    config.attributes["url"] = url
    command.upgrade(config, revision)


HAS_TIMESCALE = "SELECT FROM pg_available_extensions WHERE name = 'timescaledb'"
IS_NATIVE = "SELECT relkind = 'p' FROM pg_class WHERE oid = 'channel_day'::regclass"
PARTITIONS = """
CREATE TABLE channel_day_2025_05 PARTITION OF channel_day
   FOR VALUES FROM ('2025-05-01') TO ('2025-06-01');
CREATE TABLE reading_block_2025_05 PARTITION OF reading_block
   FOR VALUES FROM ('2025-05-01') TO ('2025-06-01');
ALTER TABLE channel_day_2025_05 OWNER TO "{owner}";
ALTER TABLE reading_block_2025_05 OWNER TO "{owner}"
"""


@pytest.fixture(params=["native", "timescale"])
async def before(request, database_url, postgres_admin_url):
    """A database of the version before, with something in each table that is renamed.

    It has hypertables where that is wanted and the server has the extension.
    """
    url = database_url()
    name = url.rpartition("/")[2].partition("?")[0]
    admin = await asyncpg.connect(postgres_admin_url, database=name)
    if request.param == "timescale" and await admin.fetch(HAS_TIMESCALE):
        await admin.execute("CREATE EXTENSION timescaledb")
    await asyncio.to_thread(migrate, url, "0003")
    if await admin.fetchval(IS_NATIVE):
        owner = await admin.fetchval("SELECT tableowner FROM pg_tables WHERE tablename = 'meter'")
        await admin.execute(PARTITIONS.format(owner=owner))
    await admin.execute(STORED)
    yield url
    await admin.close()


async def test_what_the_version_before_stored_continues(before, ingest, clients_of):
    await asyncio.to_thread(upgrade, before, package="gridtally.ingest")
    async with await Database.connect(before, application="test") as database:
        ingest.database = database
        ingest.now = datetime(2025, 6, 2, tzinfo=UTC)
        client = await clients_of(ingest_app(ingest), database)()

        async def items(path):
            return (await client.get(path)).json()["items"]

        counted = await ingest.counts()
        assert (counted["received"], counted["pending"], counted["new"]) == (9, 1, 96)
        exceptions = await items("/v1/register-exceptions")
        assert [(row["reason"], row["start_value"]) for row in exceptions] == [
            ("decrease", "12"), ("register_mismatch", "9")
        ]  # fmt: skip
        others = await ingest.rows("SELECT tenant_id, reason FROM register_exception")
        assert ("umbra", "too_old") in [tuple(row.values()) for row in others]
        [pending] = await items("/v1/pending-blocks")
        assert (pending["meter_id"], pending["blocks"]) == (str(UNKNOWN), 1)
        [channel] = await ingest.rows("SELECT reported_from, reported_to FROM register_channel")
        assert channel["reported_to"] - channel["reported_from"] == timedelta(days=1)
        meter = (await client.get(f"/v1/meters/{METER}")).json()
        assert (meter["meter_type"], meter["channels"][0]["interval_wh_max"]) == ("main", 10_000)

        await continues(ingest)


async def continues(ingest):
    """The queues of the version before are worked off, and new rows come beside the old ones."""
    [usage] = await ingest.publish_usage()
    assert (usage["day"], usage["version"], sum(usage["values"])) == ("2025-05-10", 1, 7 * 96)
    assert await ingest.rows("SELECT 1 FROM changed_day") == []
    await ingest.register(UNKNOWN)
    assert await ingest.record_pending() == 1
    days = await ingest.days()
    assert days[UNKNOWN, "import", DAY][0][:3] == [1, 2, None]
    await ingest.deliver(ingest.block(UUID(int=9), MIDNIGHT, [1]))
    counted = await ingest.counts()
    assert (counted["received"], counted["stored"], counted["pending"]) == (10, 6, 1)
    assert await ingest.close() == [], "the period of the version before waits for its values"
    [period] = await ingest.rows("SELECT state, check_at FROM period WHERE start_on = '2025-05-01'")
    assert (period["state"], period["check_at"]) == ("open", None)
