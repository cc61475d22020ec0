"""The tables of dunning: rules, runs, notices, and customers who get none."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from gridtally.database.columns import INSTANT, key, tenant
from gridtally.ledger.columns import METADATA, MONEY

dunning_rules = sa.Table(
    "dunning_rules",
    METADATA,
    tenant(),
    sa.Column("levels", JSONB, nullable=False),
    sa.Column("minimums", JSONB, nullable=False),
    sa.Column("runs_daily", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    sa.Column("updated_at", INSTANT, nullable=False, server_default=sa.func.now()),
)
dunning_run = sa.Table(
    "dunning_run",
    METADATA,
    tenant(),
    key(),
    sa.Column("dunned_on", sa.Date, nullable=False),
    sa.Column("started_at", INSTANT, nullable=False),
    sa.Column("finished_at", INSTANT),
    sa.Column("after_customer", sa.Uuid),
    sa.Index("dunning_run_by_age", "tenant_id", "started_at", "id"),
    sa.Index(
        "dunning_run_one_at_once",
        "tenant_id",
        unique=True,
        postgresql_where=sa.text("finished_at IS NULL"),
    ),
)
"""Looks at all customers of a tenant, by their ids: those up to `after_customer` are done."""
dunning_notice = sa.Table(
    "dunning_notice",
    METADATA,
    tenant(),
    key(),
    sa.Column("run_id", sa.Uuid, nullable=False),
    sa.Column("customer_id", sa.Uuid, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("dunned_on", sa.Date, nullable=False),
    sa.Column("level", sa.SmallInteger, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("item_ids", ARRAY(sa.Uuid), nullable=False),
    sa.Column("item_levels", ARRAY(sa.SmallInteger), nullable=False),
    sa.Column("item_due_days", ARRAY(sa.Date), nullable=False),
    sa.Column("item_amounts", ARRAY(MONEY), nullable=False),
    sa.Column("others", MONEY, nullable=False),
    sa.Column("credit", MONEY, nullable=False),
    sa.Column("fee", MONEY, nullable=False),
    sa.Column("pay_by", sa.Date, nullable=False),
    sa.Column("issued_at", INSTANT, nullable=False),
    sa.Column("withdrawn_at", INSTANT),
    sa.Column("withdraw_reason", sa.Text),
    sa.Column("version", sa.Integer, nullable=False),
    sa.CheckConstraint(
        "(withdrawn_at IS NULL) = (withdraw_reason IS NULL)", "dunning_notice_reason"
    ),
    sa.Index("dunning_notice_by_customer", "tenant_id", "customer_id", "issued_at", "id"),
    sa.Index("dunning_notice_by_run", "tenant_id", "run_id", "issued_at", "id"),
    sa.Index("dunning_notice_by_age", "tenant_id", "issued_at", "id"),
)
"""Notices, each a row: its items are arrays, in order."""
dunning_stop = sa.Table(
    "dunning_stop",
    METADATA,
    tenant(),
    sa.Column("customer_id", sa.Uuid, primary_key=True),
    sa.Column("reason", sa.Text),
    sa.Column("until", sa.Date),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    sa.CheckConstraint("reason IS NOT NULL OR until IS NULL", "dunning_stop_ended"),
)
"""Who gets no notices; one that was ended is there without a reason, in its last version."""
