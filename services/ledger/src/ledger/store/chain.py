"""The chain as rows: what waits for its seal, seals and checkpoints.

Whoever seals holds the row of the tenant's head, so there is one sealer of a tenant at a time.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from database import ReadConnection, WriteConnection
from kernel.chain import Checkpoint
from kernel.errors import Conflict
from kernel.merkle import HASH_BYTES, Frontier, tree
from ledger.domain.chain import CHUNK_ENTRIES, ENTRY_KINDS, SEALED_WITHIN_S, EntryKind
from ledger.store.entries import Entry

UNSEALED_COUNTED_MAX = 100_000

_CLAIM_HEAD = """
SELECT tenant_id, size, head, peaks FROM chain_head h
 WHERE EXISTS (SELECT FROM entry_queue q
                WHERE q.tenant_id = h.tenant_id AND q.kind = ANY($1::text[]))
 ORDER BY random() LIMIT 1 FOR UPDATE SKIP LOCKED
"""
_HEAD = "SELECT tenant_id, size, head, peaks FROM chain_head WHERE tenant_id = $1"
_TAKE = """
DELETE FROM entry_queue WHERE tenant_id = $1 AND position IN
       (SELECT position FROM entry_queue WHERE tenant_id = $1 AND kind = ANY($3::text[])
         ORDER BY position LIMIT $2)
RETURNING position, kind, entry_id
"""
_INSERT_SEALS = """
INSERT INTO seal (tenant_id, seq, kind, entry_id, leaf, head)
SELECT $1, * FROM unnest($2::bigint[], $3::text[], $4::uuid[], $5::bytea[], $6::bytea[])
"""
_INSERT_CHECKPOINTS = """
INSERT INTO checkpoint (tenant_id, size, head, peaks, chunk_root)
SELECT $1, * FROM unnest($2::bigint[], $3::bytea[], $4::bytea[], $5::bytea[])
"""
_MOVE_HEAD = "UPDATE chain_head SET size = $2, head = $3, peaks = $4 WHERE tenant_id = $1"
_SEALS = """
SELECT seq, kind, entry_id, leaf, head FROM seal
 WHERE tenant_id = $1 AND seq > $2 AND seq <= $3 ORDER BY seq LIMIT $4
"""
_SEAL_OF = """
SELECT * FROM seal WHERE tenant_id = $1 AND kind = ANY($2::text[]) AND entry_id = $3
"""
_CHUNK_ROOTS = """
SELECT chunk_root FROM checkpoint WHERE tenant_id = $1 AND size <= $2 ORDER BY size
"""
_LEAVES = "SELECT leaf FROM seal WHERE tenant_id = $1 AND seq > $2 AND seq <= $3 ORDER BY seq"
_COUNTS = """
SELECT (SELECT count(*) FROM transaction WHERE tenant_id = $1) AS transactions,
       (SELECT count(*) FROM reading_entry WHERE tenant_id = $1) AS readings,
       (SELECT count(*) FROM definition WHERE tenant_id = $1) AS definitions,
       (SELECT count(*) FROM removed_meter WHERE tenant_id = $1) AS meter_ends,
       (SELECT count(*) FROM invoice_note WHERE tenant_id = $1) AS void_notes,
       (SELECT count(*) FROM property_version WHERE tenant_id = $1) AS properties,
       (SELECT count(*) FROM removed_property WHERE tenant_id = $1) AS property_ends,
       (SELECT count(*) FROM meter_version WHERE tenant_id = $1) AS meters,
       (SELECT count(*) FROM property p WHERE tenant_id = $1 AND NOT EXISTS
               (SELECT FROM property_version v
                 WHERE (v.tenant_id, v.property_id, v.created_at, v.version)
                     = (p.tenant_id, p.id, p.created_at, p.version)))
       + (SELECT count(*) FROM meter m WHERE tenant_id = $1 AND NOT EXISTS
                 (SELECT FROM meter_version v
                   WHERE (v.tenant_id, v.meter_id, v.created_at, v.version)
                       = (m.tenant_id, m.id, m.created_at, m.version))) AS unnoted,
       (SELECT count(*) FROM seal WHERE tenant_id = $1) AS sealed,
       waiting.unsealed, waiting.unsealed_since,
       coalesce(waiting.unsealed_since >= clock_timestamp() - make_interval(secs => $2), true)
           AS in_time
  FROM (SELECT count(*) AS unsealed, min(queued_at) AS unsealed_since
          FROM entry_queue WHERE tenant_id = $1) AS waiting
"""
_UNSEALED = "SELECT count(*) FROM (SELECT FROM entry_queue LIMIT $1) AS waiting"
_LATE = """
SELECT (SELECT count(*) FROM (SELECT FROM entry_queue
                               WHERE queued_at < clock_timestamp() - make_interval(secs => $1)
                               LIMIT $2) AS waiting) AS late,
       (SELECT coalesce(sum(size), 0)::bigint FROM chain_head) AS sealed
"""
_CHECKPOINTS = """
SELECT size, head, peaks, made_at FROM checkpoint
 WHERE tenant_id = $1 AND size > $2 ORDER BY size LIMIT $3
"""


@dataclass(frozen=True, slots=True)
class Seal:
    """The place of an entry in the chain, its leaf, and the chain's hash after it."""

    seq: int
    kind: EntryKind
    entry_id: UUID
    leaf: bytes
    head: bytes


def checkpoint_of(tenant_id: str, size: int, head: bytes | None, peaks: bytes) -> Checkpoint:
    """A checkpoint from its columns; Conflict where they contradict one another."""
    if head is None:
        return Checkpoint.start(tenant_id)
    cut = tuple(peaks[at : at + HASH_BYTES] for at in range(0, len(peaks), HASH_BYTES))
    try:
        return Checkpoint(tenant_id, head, Frontier(size, cut))
    except ValueError as wrong:
        raise Conflict(
            "chain_broken", f"the head of {tenant_id}'s chain cannot be: {wrong}"
        ) from None


async def claim_head(tx: WriteConnection) -> Checkpoint | None:
    """The head of a tenant that has something to seal, locked; None where there is none free.

    Conflict where it was tampered with.
    """
    row = await tx.raw.fetchrow(_CLAIM_HEAD, ENTRY_KINDS)
    return checkpoint_of(**row) if row else None


async def fetch_head(read: ReadConnection, tenant_id: str) -> Checkpoint:
    """Where the tenant's chain stands."""
    row = await read.raw.fetchrow(_HEAD, tenant_id)
    return checkpoint_of(**row) if row else Checkpoint.start(tenant_id)


async def take_unsealed(tx: WriteConnection, tenant_id: str, entries_max: int) -> list[Entry]:
    """Take entries out of the queue, the first come first; the head must be locked."""
    rows = await tx.raw.fetch(_TAKE, tenant_id, entries_max, ENTRY_KINDS)
    return [(row["kind"], row["entry_id"]) for row in sorted(rows, key=lambda row: row["position"])]


async def insert_seals(tx: WriteConnection, tenant_id: str, seals: Sequence[Seal]) -> None:
    """Seal entries for good; Conflict where their places are taken, or they are sealed already."""
    with _unbroken(tenant_id):
        await tx.raw.execute(
            _INSERT_SEALS,
            tenant_id,
            [one.seq for one in seals],
            [one.kind for one in seals],
            [one.entry_id for one in seals],
            [one.leaf for one in seals],
            [one.head for one in seals],
        )


@contextmanager
def _unbroken(tenant_id: str) -> Iterator[None]:
    """What comes next in a chain is there already only where somebody moved its head back."""
    try:
        yield
    except asyncpg.UniqueViolationError as taken:
        told = f"{tenant_id}'s chain does not go on where its head says: {taken}"
        raise Conflict("chain_broken", told) from taken


async def move_head(
    tx: WriteConnection, to: Checkpoint, chunks: Sequence[tuple[Checkpoint, bytes]]
) -> None:
    """The chain stands here now, and passed these checkpoints, each with its chunk's root; Conflict
    where those are there already."""
    if chunks:
        with _unbroken(to.tenant_id):
            await tx.raw.execute(
                _INSERT_CHECKPOINTS,
                to.tenant_id,
                [one.size for one, _ in chunks],
                [one.head for one, _ in chunks],
                [b"".join(one.frontier.peaks) for one, _ in chunks],
                [root for _, root in chunks],
            )
    peaks = b"".join(to.frontier.peaks)
    await tx.raw.execute(_MOVE_HEAD, to.tenant_id, to.size, to.head, peaks)


async def fetch_seals(
    read: ReadConnection, tenant_id: str, after: int, upto: int, seals_max: int
) -> list[Seal]:
    """Seals in their order."""
    rows = await read.raw.fetch(_SEALS, tenant_id, after, upto, seals_max)
    return [Seal(**row) for row in rows]


async def fetch_seal_of(read: ReadConnection, tenant_id: str, entry_id: UUID) -> Seal | None:
    """The seal of an entry, once it has one."""
    row = await read.raw.fetchrow(_SEAL_OF, tenant_id, ENTRY_KINDS, entry_id)
    if row is None:
        return None
    return Seal(row["seq"], row["kind"], row["entry_id"], row["leaf"], row["head"])


@dataclass(frozen=True, slots=True)
class Tree:
    """A tree of `size` leaves: the roots of its whole chunks, and the leaves after them."""

    size: int
    chunks: list[bytes]
    rest: list[bytes]

    @property
    def is_whole(self) -> bool:
        """Whether nothing is missing."""
        return divmod(self.size, CHUNK_ENTRIES) == (len(self.chunks), len(self.rest))

    @property
    def frontier(self) -> Frontier:
        """Its peaks: those over chunks, then those over the rest."""
        return Frontier(self.size, (*tree(self.chunks).peaks, *tree(self.rest).peaks))

    @property
    def nodes(self) -> list[bytes]:
        """Its chunks, the last of them perhaps less than whole."""
        return [*self.chunks, *([tree(self.rest).root] if self.rest else [])]


async def fetch_tree(read: ReadConnection, tenant_id: str, size: int) -> Tree:
    """The tree over the first `size` entries, as far as it is there."""
    whole = size - size % CHUNK_ENTRIES
    chunks = await read.raw.fetch(_CHUNK_ROOTS, tenant_id, whole)
    rest = await fetch_leaves(read, tenant_id, whole, size)
    return Tree(size, [row["chunk_root"] for row in chunks], rest)


async def fetch_leaves(read: ReadConnection, tenant_id: str, after: int, upto: int) -> list[bytes]:
    """The leaves of a chunk or less."""
    rows = await read.raw.fetch(_LEAVES, tenant_id, after, upto)
    return [row["leaf"] for row in rows]


@dataclass(frozen=True, slots=True)
class Counts:
    """How many entries there are of each kind, sealed ones, and ones that wait for their seal.

    `unnoted` are properties and meters that the registry has and no version tells of;
    `unsealed_since` is when the oldest of those came; `in_time` where none has waited for more than
    `SEALED_WITHIN_S`.
    """

    transactions: int
    readings: int
    definitions: int
    meter_ends: int
    void_notes: int
    properties: int
    property_ends: int
    meters: int
    unnoted: int
    sealed: int
    unsealed: int
    unsealed_since: datetime | None
    in_time: bool

    @property
    def whole(self) -> bool:
        """Whether every entry is either sealed or waits for its seal, and the registry has no
        more than there are entries of."""
        there = self.transactions + self.readings + self.definitions
        there += self.meter_ends + self.void_notes
        there += self.properties + self.property_ends + self.meters
        return there == self.sealed + self.unsealed and not self.unnoted


async def fetch_counts(read: ReadConnection, tenant_id: str) -> Counts:
    """Counted anew."""
    [row] = await read.raw.fetch(_COUNTS, tenant_id, SEALED_WITHIN_S)
    return Counts(**row)


async def count_unsealed(read: ReadConnection) -> int:
    """How many entries of all tenants wait for their seal, up to `UNSEALED_COUNTED_MAX`."""
    return int(await read.raw.fetchval(_UNSEALED, UNSEALED_COUNTED_MAX))


async def count_late(read: ReadConnection) -> tuple[int, int]:
    """How many entries of all tenants have waited for their seal for too long, up to
    `UNSEALED_COUNTED_MAX`, and how many are sealed."""
    [row] = await read.raw.fetch(_LATE, SEALED_WITHIN_S, UNSEALED_COUNTED_MAX)
    return row["late"], row["sealed"]


async def list_checkpoints(
    read: ReadConnection, tenant_id: str, after: int, limit: int
) -> list[tuple[Checkpoint, datetime]]:
    """A page of checkpoints by size, each with when it was made."""
    rows = await read.raw.fetch(_CHECKPOINTS, tenant_id, after, limit)
    return [
        (checkpoint_of(tenant_id, row["size"], row["head"], row["peaks"]), row["made_at"])
        for row in rows
    ]
