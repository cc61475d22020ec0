"""What the tests of the chain share: sealing until nothing waits, and what a doubter is given."""

from database import ALL_TENANTS, ReadConnection, transaction
from kernel.chain import Checkpoint, export_header, export_trailer
from ledger.api.chain import _written
from ledger.handlers.sealing import seal_waiting
from ledger.store import chain


async def seal(ledger):
    """Until nothing waits."""
    total = 0
    while True:
        async with transaction(ledger, tenant=ALL_TENANTS) as tx:
            done = await seal_waiting(tx)
        if not done:
            return total
        total += done


async def exported(client, **params):
    answer = await client.get("/v1/ledger/export", params=params)
    assert answer.headers["content-type"] == "application/x-ndjson"
    return answer.content.splitlines(keepends=True)


async def kept(client, **params):
    answer = await client.get("/v1/ledger/checkpoint", params=params)
    return Checkpoint.from_json(answer.json())


async def lines_within(connection):
    """The export as it would be if the connection's open transaction were committed."""
    read = ReadConnection(None, connection)
    end = await chain.fetch_head(read, "acme")
    seals = await chain.fetch_seals(read, "acme", 0, end.size, end.size)
    entries = await _written(read, "acme", seals)
    head, last = export_header("acme", 0, end.size), export_trailer(end)
    return [head, *entries.splitlines(keepends=True), last]
