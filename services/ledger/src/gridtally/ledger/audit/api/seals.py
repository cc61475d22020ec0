"""`/v1/ledger/status` and `/v1/ledger/seals`: what is sealed, and where an entry stands."""

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel, Field

from gridtally.database import snapshot
from gridtally.http.context import Db
from gridtally.http.json_bodies import Router
from gridtally.kernel.errors import NotFound
from gridtally.ledger.audit.domain import seals as domain
from gridtally.ledger.audit.domain.entries import EntryKind
from gridtally.ledger.audit.store import seals, status
from gridtally.ledger.callers import Reader

router = Router(prefix="/v1/ledger", tags=["ledger"])


class Status(BaseModel):
    """How many entries there are of each kind (of properties and meters, one per version), and how
    many of all are sealed; `whole` where every entry is either sealed or waits for its seal, and
    the registry has nothing that no entry records. What waits can still be changed without a trace:
    `unsealed_since` is when the oldest of it came, `in_time` where that was not over a minute ago.
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
    erasures: int = Field(description="Entries whose texts were erased")
    sealed: int
    unsealed: int
    unsealed_since: datetime | None
    in_time: bool

    @classmethod
    def of(cls, counts: status.Counts) -> Self:
        """The counts as the API shows them."""
        return cls.model_validate(counts, from_attributes=True)


class Seal(BaseModel):
    """Where an entry stands in the chain."""

    seq: int
    kind: EntryKind
    entry_id: UUID
    leaf: str
    head: str

    @classmethod
    def of(cls, seal: domain.Seal) -> Self:
        """The seal as the API shows it, hashes in hexadecimal."""
        return cls(
            seq=seal.seq,
            kind=seal.kind,
            entry_id=seal.entry_id,
            leaf=seal.leaf.hex(),
            head=seal.head.hex(),
        )


@router.get("/status")
async def get_status(db: Db, caller: Reader) -> Status:
    """How far sealing has come, recounted."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        counts = await status.fetch_counts(read, caller.tenant_id)
    return Status.of(counts)


@router.get("/seals/{entry_id}")
async def get_seal(entry_id: UUID, db: Db, caller: Reader) -> Seal:
    """Where an entry stands: a transaction, an entry of a reading or of a definition, the end of a
    meter, or by the invoice's id the note that it was voided. 404 until it is sealed."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        seal = await seals.fetch_seal_of(read, caller.tenant_id, entry_id)
    if seal is None:
        raise NotFound("seal_unknown", "no sealed entry has this id")
    return Seal.of(seal)
