"""Who is billed, by which agreements, and on which dates their periods begin."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from gridtally.billing.tables.metadata import CURRENCY_RULE, METADATA
from gridtally.database.columns import INSTANT, key, required, tenant

customer = sa.Table(
    "customer",
    METADATA,
    tenant(),
    key(),
    required("name", sa.Text),
    sa.Column("email", sa.Text),
    required("currency", sa.Text),
    required("created_at", INSTANT),
    sa.Column("published", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("number", sa.Text),
    sa.Column("phone_number", sa.Text),
    sa.Column("language", sa.Text),
    sa.Column("billing_address", JSONB),
    sa.Column("supply_address", JSONB),
    sa.Column("contacts", JSONB, nullable=False, server_default="[]"),
    sa.Column("tax_id", sa.Text),
    sa.Column("tax_exemptions", JSONB, nullable=False, server_default="[]"),
    sa.Column("payment_days", sa.Integer),
    sa.Column("e_invoice_consent_on", sa.Date),
    sa.Column("erased_at", INSTANT),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    sa.Column("updated_at", INSTANT, nullable=False, server_default=sa.func.now()),
    sa.Column("billing_calendar", JSONB),
    sa.Column("invoicing", sa.Text, nullable=False, server_default="single"),
    sa.Column("collective_grace_hours", sa.Integer, nullable=False, server_default="120"),
    sa.Column("minimum_amount", sa.Numeric),
    sa.Column("minimum_periods_max", sa.Integer, nullable=False, server_default="12"),
    sa.Column("merged_into", sa.Uuid),
    sa.UniqueConstraint("tenant_id", "number", name="customer_number"),
    sa.CheckConstraint(CURRENCY_RULE, name="customer_currency"),
    sa.CheckConstraint("version >= 1", name="customer_version"),
    sa.CheckConstraint("payment_days BETWEEN 0 AND 365", name="customer_payment_days"),
    sa.CheckConstraint("invoicing IN ('single', 'collective')", name="customer_invoicing"),
    sa.CheckConstraint(
        "minimum_amount IS NULL OR (minimum_amount >= 0 AND invoicing = 'collective')",
        name="customer_minimum_amount",
    ),
    sa.CheckConstraint(
        "minimum_periods_max BETWEEN 1 AND 120", name="customer_minimum_periods_max"
    ),
    sa.CheckConstraint(
        "collective_grace_hours BETWEEN 0 AND 8784", name="customer_collective_grace"
    ),
    sa.CheckConstraint("merged_into <> id", name="customer_merged"),
    sa.Index(
        "customer_by_survivor",
        "tenant_id",
        "merged_into",
        "name",
        "id",
        postgresql_where=sa.text("merged_into IS NOT NULL"),
    ),
    sa.Index("customer_to_publish", "tenant_id", "id", postgresql_where=sa.text("NOT published")),
    sa.Index("customer_by_name", "tenant_id", "name", "id"),
)

erasure = sa.Table(
    "erasure",
    METADATA,
    tenant(),
    key("customer_id"),
    required("erased_at", INSTANT),
    required("key_id", sa.Text),
    required("reason", sa.Text),
    required("correlation_id", sa.Text),
    sa.Index("erasure_newest", "tenant_id", "erased_at", "customer_id"),
)
"""Whose names were erased, by which key and why; append-only."""

agreement = sa.Table(
    "agreement",
    METADATA,
    tenant(),
    key(),
    required("customer_id", sa.Uuid),
    required("meter_id", sa.Uuid),
    required("tariff_id", sa.Uuid),
    required("start_on", sa.Date),
    sa.Column("end_on", sa.Date),
    required("closing", sa.Text),
    required("grace_hours", sa.Integer),
    required("version", sa.Integer),
    required("created_at", INSTANT),
    required("updated_at", INSTANT),
    sa.Column(
        "billing_calendar",
        JSONB,
        nullable=False,
        server_default='{"months": 1, "anchor_month": 1, "start_day": 1}',
    ),
    sa.Column("earlier_calendars", JSONB, nullable=False, server_default="[]"),
    sa.Column(
        "read_cycle", sa.Text, sa.Computed("billing_calendar ->> 'read_cycle'", persisted=True)
    ),
    sa.Column("billing_starts_on", sa.Date),
    sa.Column("back_billing_months", sa.SmallInteger),
    sa.ForeignKeyConstraint(["tenant_id", "customer_id"], ["customer.tenant_id", "customer.id"]),
    sa.CheckConstraint("end_on >= start_on", name="agreement_dates"),
    sa.CheckConstraint("closing IN ('wait', 'bill_present', 'estimate')", name="agreement_closing"),
    sa.CheckConstraint("grace_hours BETWEEN 0 AND 8784", name="agreement_grace"),
    sa.CheckConstraint("back_billing_months BETWEEN 1 AND 120", name="agreement_back_billing"),
    sa.CheckConstraint("version >= 1", name="agreement_version"),
    sa.Index("agreement_by_customer", "tenant_id", "customer_id", "id"),
    sa.Index("agreement_by_meter", "tenant_id", "meter_id", "start_on"),
    sa.Index("agreement_by_tariff", "tenant_id", "tariff_id"),
    sa.Index("agreement_by_age", "tenant_id", "created_at", "id"),
    sa.Index(
        "agreement_by_read_cycle",
        "tenant_id",
        "read_cycle",
        "id",
        postgresql_where=sa.text("read_cycle IS NOT NULL"),
    ),
)
"""One meter has one agreement at a time: `agreement_overlap`, made by the first migration. One that
ends on its first day was cancelled."""

rebilling = sa.Table(
    "rebilling",
    METADATA,
    tenant(),
    key(),
    required("agreement_id", sa.Uuid),
    required("from_on", sa.Date),
    sa.Column("replacement_id", sa.Uuid),
    required("reason", sa.Text),
    required("rebilled_by", sa.Text),
    required("rebilled_at", INSTANT),
    required("correlation_id", sa.Text),
    required("invoice_ids", JSONB),
    required("withdrawn", JSONB),
    sa.Index("rebilling_newest", "tenant_id", "rebilled_at", "id"),
    sa.Index("rebilling_by_agreement", "tenant_id", "agreement_id"),
)
"""Which agreements were cancelled from a day on and why, the invoices that were credited for it,
and the first days of the periods that it has no longer; append-only."""

read_cycle = sa.Table(
    "read_cycle",
    METADATA,
    tenant(),
    key("name", sa.Text),
    required("dates", JSONB),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    sa.Column("spread", sa.Boolean, nullable=False, server_default=sa.true()),
    required("created_at", INSTANT),
    required("updated_at", INSTANT),
    sa.CheckConstraint("version >= 1", name="read_cycle_version"),
    sa.Index("read_cycle_unspread", "tenant_id", "name", postgresql_where=sa.text("NOT spread")),
)
"""A tenant's lists of dates; `spread` once all agreements on one have its dates."""
