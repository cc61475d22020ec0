"""Heads of chains, checkpoints, and the roots of chunks, as rows."""

from collections.abc import Sequence
from datetime import datetime

from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.rows import insert_rows
from gridtally.kernel.chain import Checkpoint
from gridtally.kernel.errors import Conflict
from gridtally.kernel.merkle import HASH_BYTES, Frontier
from gridtally.ledger.audit import tables
from gridtally.ledger.audit.domain.checkpoints import CHUNK_ENTRIES, Tree
from gridtally.ledger.audit.domain.entries import ENTRY_KINDS
from gridtally.ledger.audit.store.seals import fetch_leaves, refusing_a_moved_head


def checkpoint_of(tenant_id: str, size: int, head: bytes | None, peaks: bytes) -> Checkpoint:
    """A checkpoint from its columns, `peaks` one after the other; Conflict where they contradict
    one another, as only tampering makes them."""
    if head is None:
        return Checkpoint.start(tenant_id)
    cut = tuple(peaks[begin : begin + HASH_BYTES] for begin in range(0, len(peaks), HASH_BYTES))
    try:
        return Checkpoint(tenant_id, head, Frontier(size, cut))
    except ValueError as wrong:
        raise Conflict(
            "chain_broken", f"the head of {tenant_id}'s chain cannot be: {wrong}"
        ) from None


# Of the tenants that have something to seal one that no other sealer has locked, at random: in any
# fixed order the sealers would all try the same few tenants, and one whose chain is broken would
# hold up all after it.
_CLAIM_HEAD = """
SELECT tenant_id, size, head, peaks FROM chain_head h
 WHERE EXISTS (SELECT FROM entry_queue q
                WHERE q.tenant_id = h.tenant_id AND q.kind = ANY($1::text[]))
 ORDER BY random() LIMIT 1 FOR UPDATE SKIP LOCKED
"""


async def claim_head(tx: WriteConnection) -> Checkpoint | None:
    """The head of a tenant that has something to seal, locked; None where there is none free.

    Conflict where it was tampered with.
    """
    row = await tx.raw.fetchrow(_CLAIM_HEAD, ENTRY_KINDS)
    return checkpoint_of(**row) if row else None


_FETCH_HEAD = "SELECT tenant_id, size, head, peaks FROM chain_head WHERE tenant_id = $1"


async def fetch_head(read: ReadConnection, tenant_id: str) -> Checkpoint:
    """Where the tenant's chain stands."""
    row = await read.raw.fetchrow(_FETCH_HEAD, tenant_id)
    return checkpoint_of(**row) if row else Checkpoint.start(tenant_id)


_MOVE_HEAD = "UPDATE chain_head SET size = $2, head = $3, peaks = $4 WHERE tenant_id = $1"


async def move_head(
    tx: WriteConnection, to: Checkpoint, chunks: Sequence[tuple[Checkpoint, bytes]]
) -> None:
    """Record that the chain stands at `to` now, and passed these checkpoints, each with the root of
    the chunk that ended there; Conflict where those are there already. The head must be locked."""
    rows = [
        {
            "tenant_id": to.tenant_id,
            "size": passed.size,
            "head": passed.head,
            "peaks": b"".join(passed.frontier.peaks),
            "chunk_root": root,
        }
        for passed, root in chunks
    ]
    with refusing_a_moved_head(to.tenant_id):
        await insert_rows(tx, tables.checkpoint, rows)
    peaks = b"".join(to.frontier.peaks)
    await tx.raw.execute(_MOVE_HEAD, to.tenant_id, to.size, to.head, peaks)


_FETCH_CHUNK_ROOTS = """
SELECT chunk_root FROM checkpoint WHERE tenant_id = $1 AND size <= $2 ORDER BY size
"""


async def fetch_tree(read: ReadConnection, tenant_id: str, size: int) -> Tree:
    """The tree over the first `size` entries, as far as it is there."""
    whole = size - size % CHUNK_ENTRIES
    chunks = await read.raw.fetch(_FETCH_CHUNK_ROOTS, tenant_id, whole)
    rest = await fetch_leaves(read, tenant_id, whole, size)
    return Tree(size, [row["chunk_root"] for row in chunks], rest)


_LIST_CHECKPOINTS = """
SELECT size, head, peaks, made_at FROM checkpoint
 WHERE tenant_id = $1 AND size > $2 ORDER BY size LIMIT $3
"""


async def list_checkpoints(
    read: ReadConnection, tenant_id: str, after: int, rows_max: int
) -> list[tuple[Checkpoint, datetime]]:
    """A page of checkpoints by size, each with when it was made."""
    rows = await read.raw.fetch(_LIST_CHECKPOINTS, tenant_id, after, rows_max)
    return [
        (checkpoint_of(tenant_id, row["size"], row["head"], row["peaks"]), row["made_at"])
        for row in rows
    ]
