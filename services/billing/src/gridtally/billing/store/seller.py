"""The tenant's letterhead: every version, append-only."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter

from gridtally.billing import tables
from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.rows import Row, insert_rows
from gridtally.documents.facts import Seller
from gridtally.kernel.resources import Stored

seller = tables.seller
_SELLER = TypeAdapter(Seller)


async def fetch_seller(read: ReadConnection, tenant_id: str) -> Stored[Seller] | None:
    """The newest version, or None."""
    row = await read.one_or_none(
        sa.select(seller)
        .where(seller.c.tenant_id == tenant_id)
        .order_by(seller.c.version.desc())
        .limit(1)
    )
    return None if row is None else _stored(row)


# What was issued before there was a letterhead gets the first one.
_AS_OF = """
SELECT * FROM seller WHERE tenant_id = $1
 ORDER BY created_at > $2, CASE WHEN created_at > $2 THEN version ELSE -version END LIMIT 1
"""


async def fetch_seller_at(read: ReadConnection, tenant_id: str, at: datetime) -> Seller | None:
    """The version as of an instant, the first one where that is later; None without any."""
    rows = await read.raw.fetch(_AS_OF, tenant_id, at)
    return _stored(rows[0]).resource if rows else None


# Two that change at once write the same version, of which the primary key lets one in.
async def insert_seller(
    tx: WriteConnection, tenant_id: str, changed: Seller, version: int, now: datetime
) -> bool:
    """Store a version; whether nobody else had stored it before."""
    fields = asdict(changed)
    logo = fields.pop("logo")
    row = {
        "tenant_id": tenant_id,
        "version": version,
        "fields": json.dumps(fields),
        "logo": logo,
        "created_at": now,
    }
    added = await insert_rows(tx, seller, [row], "ON CONFLICT DO NOTHING RETURNING version")
    return bool(added)


# Letterheads are append-only, so that what was published of them stands beside them. Another
# process may publish the same version meanwhile, which says the same.
_FETCH_UNPUBLISHED = """
SELECT s.* FROM seller s LEFT JOIN published_seller p ON p.tenant_id = s.tenant_id
 WHERE s.version > coalesce(p.version, 0) ORDER BY s.tenant_id, s.version LIMIT $1
"""


async def fetch_unpublished(
    read: ReadConnection, sellers_max: int
) -> list[tuple[str, Stored[Seller]]]:
    """Versions of all tenants that were not published yet, each with its tenant, in their order."""
    rows = await read.raw.fetch(_FETCH_UNPUBLISHED, sellers_max)
    return [(row["tenant_id"], _stored(row)) for row in rows]


_RAISE_PUBLISHED = """
ON CONFLICT (tenant_id) DO UPDATE SET version = excluded.version
 WHERE published_seller.version < excluded.version
"""


async def upsert_published(tx: WriteConnection, versions: Mapping[str, int]) -> None:
    """Record that the letterheads of these tenants were published up to these versions."""
    rows = [
        {"tenant_id": tenant_id, "version": version}
        for tenant_id, version in sorted(versions.items())
    ]
    await insert_rows(tx, tables.published_seller, rows, _RAISE_PUBLISHED)


def _stored(row: Row) -> Stored[Seller]:
    fields: Mapping[str, Any] = row["fields"]
    resource = _SELLER.validate_python({**fields, "logo": row["logo"]})
    return Stored(resource, row["version"], row["created_at"], row["created_at"])
