"""Seals as rows, and the queue of entries that wait for theirs.

Whoever seals holds the row of the tenant's head (`store.checkpoints`), so that a tenant has one
sealer at a time.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from uuid import UUID

import asyncpg

from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.rows import as_row, from_row, insert_rows
from gridtally.kernel.errors import Conflict
from gridtally.ledger.audit import tables
from gridtally.ledger.audit.domain.entries import ENTRY_KINDS
from gridtally.ledger.audit.domain.seals import Seal
from gridtally.ledger.audit.store.entries import Entry

# The first in the queue, whatever kinds this version knows: entries of a kind that only a later
# version knows wait for it, and are not sealed as gone.
_TAKE = """
DELETE FROM entry_queue WHERE tenant_id = $1 AND position IN
       (SELECT position FROM entry_queue WHERE tenant_id = $1 AND kind = ANY($3::text[])
         ORDER BY position LIMIT $2)
RETURNING position, kind, entry_id
"""


async def take_queued(tx: WriteConnection, tenant_id: str, entries_max: int) -> list[Entry]:
    """Take entries out of the queue, the first come first; the head must be locked."""
    rows = await tx.raw.fetch(_TAKE, tenant_id, entries_max, ENTRY_KINDS)
    return [(row["kind"], row["entry_id"]) for row in sorted(rows, key=lambda row: row["position"])]


async def insert_seals(tx: WriteConnection, tenant_id: str, seals: Sequence[Seal]) -> None:
    """Seal entries for good; Conflict where their places are taken, or they are sealed already."""
    with refusing_a_moved_head(tenant_id):
        await insert_rows(
            tx, tables.seal, [as_row(seal, tables.seal, tenant_id=tenant_id) for seal in seals]
        )


@contextmanager
def refusing_a_moved_head(tenant_id: str) -> Iterator[None]:
    """Conflict where a row is there already: what comes next in a chain can only be there where
    somebody moved its head back."""
    try:
        yield
    except asyncpg.UniqueViolationError as taken:
        detail = f"{tenant_id}'s chain does not go on where its head says: {taken}"
        raise Conflict("chain_broken", detail) from taken


_FETCH_SEALS = """
SELECT seq, kind, entry_id, leaf, head FROM seal
 WHERE tenant_id = $1 AND seq > $2 AND seq <= $3 ORDER BY seq LIMIT $4
"""


async def fetch_seals(
    read: ReadConnection, tenant_id: str, after: int, upto: int, seals_max: int
) -> list[Seal]:
    """The seals from place `after` + 1 to `upto`, the first of them, in their order."""
    rows = await read.raw.fetch(_FETCH_SEALS, tenant_id, after, upto, seals_max)
    return [from_row(Seal, row) for row in rows]


# By the unique constraint, which begins with the kind: so all kinds are named.
_FETCH_SEAL_OF = """
SELECT * FROM seal WHERE tenant_id = $1 AND kind = ANY($2::text[]) AND entry_id = $3
"""


async def fetch_seal_of(read: ReadConnection, tenant_id: str, entry_id: UUID) -> Seal | None:
    """The seal of an entry; None where it has none yet."""
    row = await read.raw.fetchrow(_FETCH_SEAL_OF, tenant_id, ENTRY_KINDS, entry_id)
    return from_row(Seal, row) if row else None


_FETCH_SEALS_OF = """
SELECT seq, kind, entry_id, leaf, head FROM seal
 WHERE tenant_id = $1 AND kind = ANY($2::text[]) AND entry_id = ANY($3::uuid[])
"""


async def fetch_seals_of(
    read: ReadConnection, tenant_id: str, entry_ids: Sequence[UUID]
) -> dict[UUID, Seal]:
    """The seals of those of these entries that have one, by the entry."""
    rows = await read.raw.fetch(_FETCH_SEALS_OF, tenant_id, ENTRY_KINDS, entry_ids)
    return {row["entry_id"]: from_row(Seal, row) for row in rows}


_FETCH_LEAVES = """
SELECT leaf FROM seal WHERE tenant_id = $1 AND seq > $2 AND seq <= $3 ORDER BY seq
"""


async def fetch_leaves(read: ReadConnection, tenant_id: str, after: int, upto: int) -> list[bytes]:
    """The leaves from place `after` + 1 to `upto`, of a chunk or less."""
    rows = await read.raw.fetch(_FETCH_LEAVES, tenant_id, after, upto)
    return [row["leaf"] for row in rows]
