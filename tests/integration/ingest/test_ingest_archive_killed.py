"""kill -9 in the middle of archiving: nothing is lost, and nothing is there twice."""

import asyncio
import sys

import pytest

from integration.ingest.archive_readings import answers, in_database, later, same, set_limit

# A process that archives and stops for ever at one stage, where it is killed.
_UNTIL = """
import asyncio, sys
from datetime import datetime
from pathlib import Path
from gridtally.database import ALL_TENANTS, Database, transaction
from gridtally.ingest.handlers import archive as handlers
from gridtally.ingest.store.archive import folders, parquet, rows, shards
from gridtally.ingest.store.archive.archive import Archive
from gridtally.ingest.store.partitions import Partitions

url, directory, now, stage = sys.argv[1:]

def halt(module, name, *, after):
    whole = getattr(module, name)
    def stop():
        print("there", flush=True)
        import time
        time.sleep(600)
    if asyncio.iscoroutinefunction(whole):
        async def halting(*given):
            if after:
                await whole(*given)
            stop()
    else:
        def halting(*given):
            if after:
                whole(*given)
            stop()
    setattr(module, name, halting)

STAGES = {
    "one file written": lambda: halt(parquet, "totals", after=False),
    "folder not named": lambda: halt(folders, "write_manifest", after=True),
    "not recorded": lambda: halt(shards, "lock_tenant", after=True),
    "recorded": lambda: halt(shards, "upsert_shard", after=True),
    "deleted": lambda: halt(rows, "delete_rows", after=True),
}
STAGES[stage]()

async def main():
    archive = Archive(folders.Folders(Path(directory)), Partitions())
    async with await Database.connect(url, application="killed") as database:
        async with transaction(database, tenant=ALL_TENANTS) as tx:
            await handlers.archive_oldest(tx, archive, datetime.fromisoformat(now))

asyncio.run(main())
"""


@pytest.mark.parametrize(
    "stage", ["one file written", "folder not named", "not recorded", "recorded", "deleted"]
)
async def test_killed_in_the_middle_nothing_is_lost_and_nothing_is_twice(ingest, spring, stage):
    await later(ingest, days=80)
    before = await answers(ingest, spring)
    await set_limit(ingest)
    stored = (await in_database(ingest), await in_database(ingest, "reading_block"))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _UNTIL, ingest.settings.database_url.get_secret_value(),
        str(ingest.settings.archive_directory), ingest.now.isoformat(), stage,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(60):
            assert await process.stdout.readline() == b"there\n"
    finally:
        process.kill()
        await process.wait()
    assert (await in_database(ingest), await in_database(ingest, "reading_block")) == stored
    assert (await spring.get("/v1/archived-shards")).json()["items"] == []
    assert same(before, await answers(ingest, spring)) == []
    await ingest.archive()
    assert await in_database(ingest) == await in_database(ingest, "reading_block") == {}
    assert same(before, await answers(ingest, spring)) == []
    folders = sorted(
        str(path.relative_to(ingest.settings.archive_directory))
        for path in ingest.settings.archive_directory.glob("*/*/*")
    )
    assert folders == [f"acme/2024-{month:02}/0000-1" for month in (2, 3, 4)]
