"""Letterheads as billing publishes them: every version, since a document has the one of its day."""

import json
from collections.abc import Sequence
from datetime import datetime

from gridtally.contracts.sellers import SellerChanged
from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.rows import insert_rows
from gridtally.documents.facts import Seller
from gridtally.documents.published_sellers import published_seller
from gridtally.ledger.accounts.tables import seller


async def insert_sellers(
    tx: WriteConnection, sellers: Sequence[tuple[str, SellerChanged, datetime]]
) -> None:
    """Store versions of tenants' letterheads, each in force since an instant; those that are stored
    already stay as they are."""
    rows = [
        {
            "tenant_id": tenant_id,
            "version": event.version,
            "published": json.dumps(event.model_dump(mode="json")),
            "created_at": at,
        }
        for tenant_id, event, at in sellers
    ]
    await insert_rows(tx, seller, rows, "ON CONFLICT DO NOTHING")


# What is of before there was a letterhead gets the first one.
_AS_OF = """
SELECT published FROM seller WHERE tenant_id = $1
 ORDER BY created_at > $2, CASE WHEN created_at > $2 THEN version ELSE -version END LIMIT 1
"""


async def fetch_seller_at(read: ReadConnection, tenant_id: str, at: datetime) -> Seller | None:
    """The letterhead in force at an instant, the first one where that is later; None without any.

    The same rule as for invoices.
    """
    published = await read.raw.fetchval(_AS_OF, tenant_id, at)
    return None if published is None else published_seller(published)
