"""The tables of documents: what they look like, and the letterhead on them."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from gridtally.billing.tables.metadata import METADATA
from gridtally.database.columns import INSTANT, key, required, tenant

seller = sa.Table(
    "seller",
    METADATA,
    tenant(),
    key("version", sa.Integer),
    required("fields", JSONB),
    sa.Column("logo", sa.LargeBinary),
    required("created_at", INSTANT),
    sa.CheckConstraint("version >= 1", name="seller_version"),
)
"""A tenant's letterhead, every version: a document has the one as of its issue."""

published_seller = sa.Table(
    "published_seller",
    METADATA,
    tenant(),
    required("version", sa.Integer),
)
"""Up to which version a tenant's letterhead was published."""

document = sa.Table(
    "document",
    METADATA,
    tenant(),
    key(),
    key("format", sa.Text),
    required("customer_id", sa.Uuid),
    required("sha256", sa.Text),
    required("content", sa.LargeBinary),
    required("created_at", INSTANT),
    sa.Index("document_by_customer", "tenant_id", "customer_id"),
)
"""What an invoice or credit note, by its `id`, looks like: never changed, and deleted only where a
person is erased. PDFs are compressed already, so the column is stored as it is."""
