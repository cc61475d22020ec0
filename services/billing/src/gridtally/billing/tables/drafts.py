"""Drafts of invoices, and which tenants approve their invoices before they are issued."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from gridtally.billing.tables.metadata import METADATA
from gridtally.database.columns import INSTANT, key, required, tenant

invoicing_terms = sa.Table(
    "invoicing_terms",
    METADATA,
    tenant(),
    required("approval", sa.Text),
    sa.CheckConstraint("approval IN ('none', 'required')", name="invoicing_terms_approval"),
)

invoice_draft = sa.Table(
    "invoice_draft",
    METADATA,
    tenant(),
    key("agreement_id"),
    key("start_on", sa.Date),
    required("id", sa.Uuid),
    required("customer_id", sa.Uuid),
    required("meter_id", sa.Uuid),
    required("end_on", sa.Date),
    required("revision", sa.Integer),
    required("restatement", sa.Integer),
    required("currency", sa.Text),
    required("net", sa.Numeric),
    required("tax", sa.Numeric),
    required("total", sa.Numeric),
    required("lines", JSONB),
    required("digest", sa.Text),
    sa.Column("replaces_id", sa.Uuid),
    required("drafted_at", INSTANT),
    required("correlation_id", sa.Text),
    required("version", sa.Integer),
    required("state", sa.Text),
    sa.Column("decided_by", sa.Text),
    sa.Column("decided_at", INSTANT),
    sa.Column("reason", sa.Text),
    sa.CheckConstraint("state IN ('pending', 'approved', 'rejected')", name="invoice_draft_state"),
    sa.CheckConstraint(
        "(state = 'pending') = (decided_by IS NULL) AND (state = 'pending') = (decided_at IS NULL)"
        " AND (state = 'rejected') = (reason IS NOT NULL)",
        name="invoice_draft_decided",
    ),
    sa.Index("invoice_draft_id", "tenant_id", "id", unique=True),
    sa.Index("invoice_draft_by_period", "tenant_id", "start_on", "id"),
    sa.Index("invoice_draft_by_customer", "tenant_id", "customer_id", "start_on", "id"),
)
"""The draft of a period that is held until somebody approves it; `id` is the invoice's to be."""
