"""Merges of customers."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from gridtally.billing.tables.metadata import METADATA
from gridtally.database.columns import INSTANT, key, required, tenant

customer_merge = sa.Table(
    "customer_merge",
    METADATA,
    tenant(),
    key(),
    required("duplicate_id", sa.Uuid),
    required("survivor_id", sa.Uuid),
    required("reason", sa.Text),
    required("merged_by", sa.Text),
    required("merged_at", INSTANT),
    required("correlation_id", sa.Text),
    required("agreement_ids", JSONB),
    sa.Index("customer_merge_newest", "tenant_id", "merged_at", "id"),
)
"""Who was merged into whom, by which key and why, and the agreements that went over;
append-only."""
