"""Drafts of invoices, and which tenants approve their invoices before they are issued."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from gridtally.billing.tables.metadata import METADATA
from gridtally.database.columns import INSTANT, key, required, tenant

invoicing_terms = sa.Table(
    "invoicing_terms",
    METADATA,
    tenant(),
    required("approval", sa.Text),
    sa.Column("runs_approved_by", sa.Text, nullable=False, server_default="anyone"),
    sa.CheckConstraint("approval IN ('none', 'required')", name="invoicing_terms_approval"),
    sa.CheckConstraint(
        "runs_approved_by IN ('anyone', 'another_person')", name="invoicing_terms_runs"
    ),
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
    sa.Column("run_id", sa.Uuid),
    sa.CheckConstraint("state IN ('pending', 'approved', 'rejected')", name="invoice_draft_state"),
    sa.CheckConstraint(
        "(state = 'pending') = (decided_by IS NULL) AND (state = 'pending') = (decided_at IS NULL)"
        " AND (state = 'rejected') = (reason IS NOT NULL)",
        name="invoice_draft_decided",
    ),
    sa.Index("invoice_draft_id", "tenant_id", "id", unique=True),
    sa.Index("invoice_draft_by_period", "tenant_id", "start_on", "id"),
    sa.Index(
        "invoice_draft_by_run",
        "tenant_id",
        "run_id",
        "start_on",
        "id",
        postgresql_where=sa.text("run_id IS NOT NULL"),
    ),
    sa.Index("invoice_draft_by_customer", "tenant_id", "customer_id", "start_on", "id"),
)
"""The draft of a period that is held until somebody approves it; `id` is the invoice's to be."""

billing_run = sa.Table(
    "billing_run",
    METADATA,
    tenant(),
    key(),
    required("name", sa.Text),
    required("start_on", sa.Date),
    required("end_on", sa.Date),
    required("customer_ids", ARRAY(sa.Uuid)),
    required("shock_percent", sa.Integer),
    required("created_by", sa.Text),
    required("created_at", INSTANT),
    required("version", sa.Integer),
    required("state", sa.Text),
    sa.Column("decided_by", sa.Text),
    sa.Column("decided_at", INSTANT),
    sa.Column("correlation_id", sa.Text),
    sa.CheckConstraint(
        "state IN ('proposed', 'approved', 'issued', 'cancelled')", name="billing_run_state"
    ),
    sa.CheckConstraint("end_on > start_on", name="billing_run_dates"),
    sa.CheckConstraint(
        "num_nonnulls(decided_by, decided_at, correlation_id)"
        " = CASE state WHEN 'proposed' THEN 0 ELSE 3 END",
        name="billing_run_decided",
    ),
    sa.Index("billing_run_newest", "tenant_id", "created_at", "id"),
    sa.Index("billing_run_due", "tenant_id", "id", postgresql_where=sa.text("state = 'approved'")),
)
"""Runs over drafts, and what was decided of them; without customers, over those of all."""
