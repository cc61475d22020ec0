"""`/v1/ledger/entries/{seq}/proof` and `/v1/ledger/export`: sealed entries, for whoever doubts.

Everything here serves somebody who does not trust this service: the hashes are repeated from the
export by `gridtally verify`, and a proof leads from an entry to a checkpoint of their own.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Path
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from gridtally.database import Database, ReadConnection, snapshot, transaction
from gridtally.http.context import Db, Now
from gridtally.http.json_bodies import Router
from gridtally.http.resources import AnswerModel
from gridtally.kernel.chain import Checkpoint, export_header, export_line, export_trailer, record_of
from gridtally.kernel.errors import Fault, NotFound, Rejected
from gridtally.kernel.merkle import inclusion_path
from gridtally.ledger.audit.api.checkpoints import (
    SealedCheckpoint,
    Size,
    chain_broken,
    checkpoint_at,
)
from gridtally.ledger.audit.domain.checkpoints import CHUNK_ENTRIES
from gridtally.ledger.audit.domain.entries import EntryKind
from gridtally.ledger.audit.domain.seals import Seal
from gridtally.ledger.audit.handlers import erasures
from gridtally.ledger.audit.store import checkpoints, seals
from gridtally.ledger.audit.store.entries import fetch_entries
from gridtally.ledger.callers import Reader, WriteCause

router = Router(prefix="/v1/ledger", tags=["ledger"])
EXPORT_BATCH_ENTRIES = 1_000
NDJSON = "application/x-ndjson"
Place = Annotated[int, Path(ge=1, le=2**53, description="The entry's place in the chain, from 1")]


class Proof(BaseModel):
    """That an entry is among the first `size`: from the hash of `record` the `path` leads to the
    root of `checkpoint` (RFC 6962, section 2.1.1)."""

    record: dict[str, Any]
    size: int
    path: list[str]
    checkpoint: SealedCheckpoint


class ErasedEntry(AnswerModel):
    """That the texts of a sealed entry were erased, when, and by which key or event."""

    seq: int
    """The entry's place in the chain."""
    kind: EntryKind
    """What was sealed."""
    entry_id: UUID
    """The id of what was sealed."""
    erased_at: datetime
    """When its texts were erased, UTC."""
    erased_by: str
    """The API key that asked for it, or `customer.changed` where the customer was erased."""


@router.get("/entries/{seq}/proof")
async def get_proof(seq: int, db: Db, caller: Reader, size: Size | None = None) -> Proof:
    """A proof that the entry is among all sealed entries, or among the first `size`."""
    tenant_id = caller.tenant_id
    async with snapshot(db, tenant=tenant_id) as read:
        head = await checkpoints.fetch_head(read, tenant_id)
        upto = head.size if size is None else size
        if not 1 <= seq <= upto:
            raise NotFound("entry_unknown", "no sealed entry has this place")
        checkpoint = await checkpoint_at(read, head, upto)
        path = await _path(read, tenant_id, seq, upto)
        at_place = await seals.fetch_seals(read, tenant_id, seq - 1, seq, 1)
        if not at_place:
            raise chain_broken()
        [seal] = at_place
        wanted = (seal.kind, seal.entry_id)
        entries = await fetch_entries(read, tenant_id, [wanted])
    return Proof(
        record=record_of(tenant_id, seq, seal.kind, entries.get(wanted)),
        size=upto,
        path=[step.hex() for step in path],
        checkpoint=SealedCheckpoint.of(checkpoint),
    )


@router.post("/entries/{seq}/erase")
async def erase_entry(seq: Place, db: Db, cause: WriteCause, now: Now) -> ErasedEntry:
    """Take away what may name people in a sealed entry (references, memos, notes, reasons, names,
    addresses), for good; the chain stays as it is. The second time answers the same.

    409 for what a property or meter is called now, and where there is nothing to erase."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        erased = await erasures.erase_entry(tx, cause.tenant_id, seq, cause.key_id, now)
    return ErasedEntry(
        seq=erased.seal.seq,
        kind=erased.seal.kind,
        entry_id=erased.seal.entry_id,
        erased_at=erased.erased_at,
        erased_by=erased.erased_by,
    )


async def _path(read: ReadConnection, tenant_id: str, seq: int, size: int) -> list[bytes]:
    """The hashes that lead from an entry to the root of the tree over the first `size`: those
    within its chunk, then those over the chunks. Conflict where leaves are missing."""
    tree = await checkpoints.fetch_tree(read, tenant_id, size)
    chunk, within = divmod(seq - 1, CHUNK_ENTRIES)
    begin = chunk * CHUNK_ENTRIES
    end = min(begin + CHUNK_ENTRIES, size)
    leaves = await seals.fetch_leaves(read, tenant_id, begin, end)
    if len(leaves) != end - begin:
        raise chain_broken()
    return [*inclusion_path(within, leaves), *inclusion_path(chunk, tree.nodes)]


@router.get(
    "/export",
    response_class=StreamingResponse,
    responses={200: {"content": {NDJSON: {"schema": {"type": "string"}}}}},
)
async def export(db: Db, caller: Reader, after: Size = 0) -> StreamingResponse:
    """Every sealed entry from `after` + 1 on, one JSON line each, between a header and the
    checkpoint that they lead to. `gridtally verify ledger --export` checks it without a server."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        head = await checkpoints.fetch_head(read, caller.tenant_id)
    if after > head.size:
        fault = Fault("/query/after", f"must be at most {head.size}")
        raise Rejected("not_sealed_yet", "so many entries are not sealed", (fault,))
    return StreamingResponse(_lines(db, head, after), media_type=NDJSON)


async def _lines(db: Database, end: Checkpoint, after: int) -> AsyncIterator[bytes]:
    """The lines of the export in batches, each from a snapshot of its own: what is sealed stays as
    it is, and no snapshot stays open for as long as a slow reader takes."""
    tenant_id = end.tenant_id
    yield export_header(tenant_id, after, end.size)
    exported = after
    while exported < end.size:
        async with snapshot(db, tenant=tenant_id) as read:
            batch = await seals.fetch_seals(
                read, tenant_id, exported, end.size, EXPORT_BATCH_ENTRIES
            )
            lines = await export_lines(read, tenant_id, batch)
        if not batch:  # the verifier will say what is missing
            break
        yield lines
        exported = batch[-1].seq
    yield export_trailer(end)


async def export_lines(read: ReadConnection, tenant_id: str, batch: Sequence[Seal]) -> bytes:
    """The lines of sealed entries, with their content as it is stored now."""
    wanted = [(seal.kind, seal.entry_id) for seal in batch]
    entries = await fetch_entries(read, tenant_id, wanted)
    return b"".join(
        export_line(
            record_of(tenant_id, seal.seq, seal.kind, entries.get((seal.kind, seal.entry_id))),
            seal.leaf,
            seal.head,
        )
        for seal in batch
    )
