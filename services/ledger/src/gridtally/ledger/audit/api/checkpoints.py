"""`/v1/ledger/checkpoint` and `/v1/ledger/checkpoints`: what holds the ledger to its history.

A checkpoint that is stored elsewhere, out of reach of whoever can write to the database, shows
later that nothing before it was changed.
"""

from datetime import datetime
from typing import Annotated, Self

from fastapi import Query
from pydantic import BaseModel

from gridtally.database import ReadConnection, snapshot
from gridtally.http.context import Db
from gridtally.http.json_bodies import Router
from gridtally.http.paging import Page, Paging
from gridtally.kernel.chain import Checkpoint
from gridtally.kernel.errors import Conflict, NotFound
from gridtally.ledger.audit.store import checkpoints, seals
from gridtally.ledger.callers import Reader

router = Router(prefix="/v1/ledger", tags=["ledger"])
SIZE_MAX = 2**62
Size = Annotated[int, Query(ge=0, le=SIZE_MAX)]
"""A number of entries, from the first on."""


class SealedCheckpoint(BaseModel):
    """What to store elsewhere: the chain's hash and the Merkle tree after `size` entries, hashes in
    hexadecimal. `frontier` are the tree's peaks, the widest first; they hash to `root`."""

    tenant: str
    size: int
    head: str
    root: str
    frontier: list[str]

    @classmethod
    def of(cls, checkpoint: Checkpoint) -> Self:
        """The checkpoint as the API shows it."""
        return cls.model_validate(checkpoint.to_json())


class StoredCheckpoint(SealedCheckpoint):
    """A checkpoint that the ledger made as it passed it."""

    made_at: datetime


@router.get("/checkpoint")
async def get_checkpoint(db: Db, caller: Reader, size: Size | None = None) -> SealedCheckpoint:
    """The checkpoint after all sealed entries, or after the first `size` of them."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        head = await checkpoints.fetch_head(read, caller.tenant_id)
        checkpoint = head if size is None else await checkpoint_at(read, head, size)
    return SealedCheckpoint.of(checkpoint)


@router.get("/checkpoints")
async def list_checkpoints(db: Db, caller: Reader, paging: Paging) -> Page[StoredCheckpoint]:
    """The checkpoints that the ledger made as it grew, one per 1024 entries, the oldest first."""
    after = paging.after(int)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rows = await checkpoints.list_checkpoints(
            read, caller.tenant_id, after[0] if after else 0, paging.rows
        )
    return paging.cut(
        rows,
        item=lambda row: StoredCheckpoint(**row[0].to_json(), made_at=row[1]),
        position=lambda row: (row[0].size,),
    )


async def checkpoint_at(read: ReadConnection, head: Checkpoint, size: int) -> Checkpoint:
    """The checkpoint after the first `size` entries of the chain that stands at `head`; NotFound
    where so many are not sealed, Conflict where seals are missing."""
    if size > head.size:
        raise NotFound("checkpoint_unknown", f"{head.size} entries are sealed so far")
    if size == 0:
        return Checkpoint.start(head.tenant_id)
    tree = await checkpoints.fetch_tree(read, head.tenant_id, size)
    last = await seals.fetch_seals(read, head.tenant_id, size - 1, size, 1)
    if not tree.is_whole or not last:
        raise chain_broken()
    return Checkpoint(head.tenant_id, last[0].head, tree.frontier)


def chain_broken() -> Conflict:
    """The answer where the stored chain contradicts itself."""
    return Conflict("chain_broken", "seals are missing: verify the ledger")
