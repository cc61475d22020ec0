"""What the tests of the chain share: sealing until nothing waits, exports and checkpoints."""

from gridtally.database import ALL_TENANTS, ReadConnection, transaction
from gridtally.kernel.chain import Checkpoint, export_header, export_trailer
from gridtally.ledger.audit.api.entries import export_lines
from gridtally.ledger.audit.handlers.seals import seal_queued
from gridtally.ledger.audit.store import checkpoints, seals


async def seal(ledger):
    """Until nothing waits."""
    total = 0
    while True:
        async with transaction(ledger, tenant=ALL_TENANTS) as tx:
            count = await seal_queued(tx)
        if not count:
            return total
        total += count


async def exported(client, **params):
    answer = await client.get("/v1/ledger/export", params=params)
    assert answer.headers["content-type"] == "application/x-ndjson"
    return answer.content.splitlines(keepends=True)


async def checkpoint(client, **params):
    answer = await client.get("/v1/ledger/checkpoint", params=params)
    return Checkpoint.from_json(answer.json())


async def lines_within(connection):
    """The export as it would be if the connection's open transaction were committed."""
    read = ReadConnection(None, connection)
    end = await checkpoints.fetch_head(read, "acme")
    sealed = await seals.fetch_seals(read, "acme", 0, end.size, end.size)
    entries = await export_lines(read, "acme", sealed)
    head, last = export_header("acme", 0, end.size), export_trailer(end)
    return [head, *entries.splitlines(keepends=True), last]
