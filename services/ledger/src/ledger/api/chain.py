"""`/v1/ledger`: the chain of sealed entries, its checkpoints, proofs and export.

Everything here serves somebody who does not trust this service: the hashes are repeated from the
export by `gridtally verify`, and a checkpoint that was kept elsewhere holds the ledger to it.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from database import Database, ReadConnection, snapshot
from kernel.chain import (
    Checkpoint,
    export_header,
    export_line,
    export_trailer,
    record_of,
)
from kernel.errors import Conflict, Fault, NotFound, Rejected
from kernel.merkle import inclusion_path
from ledger.api.models import Reader
from ledger.domain.chain import CHUNK_ENTRIES, EntryKind
from ledger.store import chain
from ledger.store.entries import fetch_entries
from serving.context import Db
from serving.paging import Page, Paging

router = APIRouter(prefix="/v1/ledger", tags=["ledger"])
EXPORT_BATCH_ENTRIES = 1_000
SIZE_MAX = 2**62
NDJSON = "application/x-ndjson"
Size = Annotated[int, Query(ge=0, le=SIZE_MAX)]


class SealedCheckpoint(BaseModel):
    """What to keep elsewhere: the chain's hash and the Merkle tree after `size` entries, hashes in
    hexadecimal. `frontier` are the tree's peaks, the widest first; they hash to `root`."""

    tenant: str
    size: int
    head: str
    root: str
    frontier: list[str]


class KeptCheckpoint(SealedCheckpoint):
    """A checkpoint that the ledger made as it passed it."""

    made_at: datetime


class Status(BaseModel):
    """How many entries there are of each kind (of properties and meters, one per version), and how
    many of all are sealed; `whole` where every entry is either sealed or waits for its seal, and
    the registry has nothing that no entry tells of. What waits can still be changed without a
    trace: `unsealed_since` is when the oldest of it came, `in_time` where that was not over a
    minute ago.
    """

    whole: bool
    transactions: int
    readings: int
    definitions: int
    meter_ends: int
    void_notes: int
    properties: int
    property_ends: int
    meters: int
    sealed: int
    unsealed: int
    unsealed_since: datetime | None
    in_time: bool


class Seal(BaseModel):
    """Where an entry stands in the chain."""

    seq: int
    kind: EntryKind
    entry_id: UUID
    leaf: str
    head: str


class Proof(BaseModel):
    """That an entry is among the first `size`: from the hash of `record` the `path` leads to the
    root of `checkpoint` (RFC 6962, section 2.1.1)."""

    record: dict[str, Any]
    size: int
    path: list[str]
    checkpoint: SealedCheckpoint


@router.get("/status")
async def get_status(db: Db, caller: Reader) -> Status:
    """How far sealing has come, counted anew."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        counts = await chain.fetch_counts(read, caller.tenant_id)
    return Status.model_validate(counts, from_attributes=True)


@router.get("/checkpoint")
async def get_checkpoint(db: Db, caller: Reader, size: Size | None = None) -> SealedCheckpoint:
    """The checkpoint after all sealed entries, or after the first `size` of them."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        head = await chain.fetch_head(read, caller.tenant_id)
        found = head if size is None else await _checkpoint_at(read, head, size)
    return SealedCheckpoint.model_validate(found.to_json())


@router.get("/checkpoints")
async def list_checkpoints(db: Db, caller: Reader, paging: Paging) -> Page[KeptCheckpoint]:
    """The checkpoints that the ledger made as it grew, one per 1024 entries, the oldest first."""
    after = paging.after(int)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rows = await chain.list_checkpoints(
            read, caller.tenant_id, after[0] if after else 0, paging.rows
        )
    return paging.cut(
        rows,
        item=lambda one: KeptCheckpoint(**one[0].to_json(), made_at=one[1]),
        position=lambda one: (one[0].size,),
    )


@router.get("/seals/{entry_id}")
async def get_seal(entry_id: UUID, db: Db, caller: Reader) -> Seal:
    """Where an entry stands: a transaction, an entry of a reading or of a definition, the end of a
    meter, or by the invoice's id the note that it was voided. 404 until it is sealed."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        found = await chain.fetch_seal_of(read, caller.tenant_id, entry_id)
    if found is None:
        raise NotFound("seal_unknown", "no sealed entry has this id")
    return Seal(
        seq=found.seq,
        kind=found.kind,
        entry_id=found.entry_id,
        leaf=found.leaf.hex(),
        head=found.head.hex(),
    )


@router.get("/entries/{seq}/proof")
async def get_proof(seq: int, db: Db, caller: Reader, size: Size | None = None) -> Proof:
    """A proof that the entry is among all sealed entries, or among the first `size`."""
    tenant_id = caller.tenant_id
    async with snapshot(db, tenant=tenant_id) as read:
        head = await chain.fetch_head(read, tenant_id)
        upto = head.size if size is None else size
        if not 1 <= seq <= upto:
            raise NotFound("entry_unknown", "no sealed entry has this place")
        checkpoint = await _checkpoint_at(read, head, upto)
        tree = await chain.fetch_tree(read, tenant_id, upto)
        chunk, within = divmod(seq - 1, CHUNK_ENTRIES)
        begin = chunk * CHUNK_ENTRIES
        end = min(begin + CHUNK_ENTRIES, upto)
        leaves = await chain.fetch_leaves(read, tenant_id, begin, end)
        seals = await chain.fetch_seals(read, tenant_id, seq - 1, seq, 1)
        if len(leaves) != end - begin or not seals:
            raise _broken()
        [seal] = seals
        wanted = (seal.kind, seal.entry_id)
        entries = await fetch_entries(read, tenant_id, [wanted])
    path = inclusion_path(within, leaves) + inclusion_path(chunk, tree.nodes)
    return Proof(
        record=record_of(tenant_id, seq, seal.kind, entries.get(wanted)),
        size=upto,
        path=[step.hex() for step in path],
        checkpoint=SealedCheckpoint.model_validate(checkpoint.to_json()),
    )


@router.get(
    "/export",
    response_class=StreamingResponse,
    responses={200: {"content": {NDJSON: {"schema": {"type": "string"}}}}},
)
async def export(db: Db, caller: Reader, after: Size = 0) -> StreamingResponse:
    """Every sealed entry from `after` + 1 on, one JSON line each, between a header and the
    checkpoint that they lead to. `gridtally verify ledger --export` checks it without a server."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        head = await chain.fetch_head(read, caller.tenant_id)
    if after > head.size:
        fault = Fault("/query/after", f"must be at most {head.size}")
        raise Rejected("beyond_the_end", "so many entries are not sealed", (fault,))
    return StreamingResponse(_lines(db, head, after), media_type=NDJSON)


async def _lines(db: Database, end: Checkpoint, after: int) -> AsyncIterator[bytes]:
    """In batches, each from a snapshot of its own: what is sealed stays as it is."""
    tenant_id = end.tenant_id
    yield export_header(tenant_id, after, end.size)
    done = after
    while done < end.size:
        async with snapshot(db, tenant=tenant_id) as read:
            seals = await chain.fetch_seals(read, tenant_id, done, end.size, EXPORT_BATCH_ENTRIES)
            written = await _written(read, tenant_id, seals)
        if not seals:  # the verifier will say what is missing
            break
        yield written
        done = seals[-1].seq
    yield export_trailer(end)


async def _written(read: ReadConnection, tenant_id: str, seals: Sequence[chain.Seal]) -> bytes:
    """The lines of sealed entries, with their content as it is stored now."""
    wanted = [(seal.kind, seal.entry_id) for seal in seals]
    entries = await fetch_entries(read, tenant_id, wanted)
    return b"".join(
        export_line(
            record_of(tenant_id, seal.seq, seal.kind, entries.get((seal.kind, seal.entry_id))),
            seal.leaf,
            seal.head,
        )
        for seal in seals
    )


async def _checkpoint_at(read: ReadConnection, head: Checkpoint, size: int) -> Checkpoint:
    if size > head.size:
        raise NotFound("checkpoint_unknown", f"{head.size} entries are sealed so far")
    if size == 0:
        return Checkpoint.start(head.tenant_id)
    tree = await chain.fetch_tree(read, head.tenant_id, size)
    seals = await chain.fetch_seals(read, head.tenant_id, size - 1, size, 1)
    if not tree.is_whole or not seals:
        raise _broken()
    return Checkpoint(head.tenant_id, seals[0].head, tree.frontier)


def _broken() -> Conflict:
    return Conflict("chain_broken", "seals are missing: verify the ledger")
