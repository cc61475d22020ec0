"""No trigger of any service keeps a plan that reads a whole table.

A statement over the rows of a change (`REFERENCING NEW TABLE`) has no parameters, so a session
plans it once, whatever `plan_cache_mode` says. Where it also looks into a table, the function must
be made with `SET enable_seqscan = off`.
"""

import re

import asyncpg
import pytest

TRIGGERS = """
SELECT DISTINCT p.proname, p.prosrc, p.proconfig
  FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
 WHERE NOT t.tgisinternal AND (t.tgnewtable IS NOT NULL OR t.tgoldtable IS NOT NULL)
"""
RELATIONS = """
SELECT relname FROM pg_class
 WHERE relkind IN ('r', 'p', 'v', 'm') AND relnamespace = 'public'::regnamespace
"""


@pytest.mark.parametrize("service", ["billing", "ingest", "ledger", "simulation", "tariff"])
async def test_no_trigger_keeps_a_plan_that_reads_a_table(service, service_url):
    connection = await asyncpg.connect(await service_url(service))
    try:
        triggers = await connection.fetch(TRIGGERS)
        relations = {row["relname"] for row in await connection.fetch(RELATIONS)}
    finally:
        await connection.close()
    reading = {
        row["proname"]: row["proconfig"] or []
        for row in triggers
        if relations.intersection(re.findall(r"\b(?:FROM|JOIN|USING)\s+(\w+)", row["prosrc"]))
    }
    assert [name for name, set_ in reading.items() if "enable_seqscan=off" not in set_] == []
    assert ("refuse_additions" in reading) == (service == "ledger")
