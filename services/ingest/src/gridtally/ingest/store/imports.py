"""Imports: the file as it came, compressed, what was declared of it, and how far it has come."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import RowMapping

from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.pages import page_after
from gridtally.database.rows import insert_rows
from gridtally.ingest.domain.imports import Status
from gridtally.ingest.tables import file_import as table
from gridtally.kernel.errors import NotFound

_SHOWN = [column for column in table.c if column.name != "content"]


@dataclass(frozen=True, slots=True)
class NewImport:
    """A file that came, and what it seems to be."""

    tenant_id: str
    id: UUID
    name: str
    zone: str
    sha256: str
    content: bytes
    status: Status
    proposal: Any
    correlation_id: str


async def insert_import(tx: WriteConnection, new: NewImport, now: datetime) -> bool:
    """Store a file; False where the tenant has sent one with the same content before."""
    row = {
        "tenant_id": new.tenant_id, "id": new.id, "name": new.name, "zone": new.zone,
        "sha256": new.sha256, "content": zlib.compress(new.content),
        "size_bytes": len(new.content), "status": new.status,
        "proposal": orjson.dumps(new.proposal).decode(), "declaration": None, "run_at": None,
        "runs": 0,
        "correlation_id": new.correlation_id, "blocks": 0, "done": 0, "accepted": 0,
        "refusals": "[]", "created_at": now, "updated_at": now,
    }  # fmt: skip
    then = "ON CONFLICT (tenant_id, sha256) DO NOTHING RETURNING id"
    return bool(await insert_rows(tx, table, [row], then))


async def fetch_by_content(read: ReadConnection, tenant_id: str, sha256: str) -> RowMapping:
    """The import of a file with this content, which is there."""
    where = (table.c.tenant_id == tenant_id, table.c.sha256 == sha256)
    row = await read.one_or_none(sa.select(*_SHOWN).where(*where))
    if row is None:
        raise _unknown()
    return row


async def fetch_import(read: ReadConnection, tenant_id: str, import_id: UUID) -> RowMapping:
    """An import without its file; NotFound where there is none of this id."""
    row = await read.one_or_none(sa.select(*_SHOWN).where(*_is(tenant_id, import_id)))
    if row is None:
        raise _unknown()
    return row


async def lock_import(tx: WriteConnection, tenant_id: str, import_id: UUID) -> RowMapping:
    """The same, locked until the transaction ends."""
    query = sa.select(*_SHOWN).where(*_is(tenant_id, import_id)).with_for_update()
    row = await tx.one_or_none(query)
    if row is None:
        raise _unknown()
    return row


async def fetch_content(read: ReadConnection, tenant_id: str, import_id: UUID) -> bytes:
    """The file of an import that is there, as it came."""
    row = await read.one_or_none(sa.select(table.c.content).where(*_is(tenant_id, import_id)))
    if row is None:
        raise _unknown()
    return zlib.decompress(row["content"])


async def list_imports(
    read: ReadConnection,
    tenant_id: str,
    *,
    after: tuple[datetime, UUID] | None,
    rows_max: int,
) -> Sequence[RowMapping]:
    """Imports without their files, oldest first."""
    query = sa.select(*_SHOWN).where(table.c.tenant_id == tenant_id)
    position = (table.c.created_at, table.c.id)
    return await read.all(page_after(query, position, after=after, rows_max=rows_max))


async def lock_at_work(tx: WriteConnection) -> RowMapping | None:
    """An import that is to be published or undone and that no other process has locked; the one
    that was looked at longest ago."""
    return await tx.one_or_none(
        sa.select(*_SHOWN)
        .where(table.c.status.in_(("running", "undoing")))
        .order_by(table.c.updated_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )


async def update_import(
    tx: WriteConnection, tenant_id: str, import_id: UUID, now: datetime, **columns: Any
) -> None:
    """Set columns of an import."""
    await tx.execute(
        sa.update(table).where(*_is(tenant_id, import_id)).values(updated_at=now, **columns)
    )


def _is(tenant_id: str, import_id: UUID) -> tuple[sa.ColumnElement[bool], ...]:
    return table.c.tenant_id == tenant_id, table.c.id == import_id


def _unknown() -> NotFound:
    return NotFound("import_unknown", "there is no import of this id")
