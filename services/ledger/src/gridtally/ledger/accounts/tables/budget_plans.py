"""The table of budget plans."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from gridtally.database.columns import INSTANT, key, tenant
from gridtally.ledger.columns import METADATA, MONEY

budget_plan = sa.Table(
    "budget_plan",
    METADATA,
    tenant(),
    key(),
    sa.Column("customer_id", sa.Uuid, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("start_on", sa.Date, nullable=False),
    sa.Column("end_on", sa.Date, nullable=False),
    sa.Column("due_days", ARRAY(sa.Date), nullable=False),
    sa.Column("due_amounts", ARRAY(MONEY), nullable=False),
    sa.Column("settle_on", sa.Date, nullable=False),
    sa.Column("agreed_at", INSTANT, nullable=False),
    sa.Column("settled_at", INSTANT),
    sa.Column("settled", MONEY, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("look_on", sa.Date),
    sa.CheckConstraint("start_on < end_on AND end_on <= settle_on", "budget_plan_days"),
    sa.CheckConstraint("settled_at IS NOT NULL OR settled = 0", "budget_plan_settled"),
    sa.Index("budget_plan_by_customer", "tenant_id", "customer_id", "agreed_at", "id"),
    sa.Index("budget_plan_by_age", "tenant_id", "agreed_at", "id"),
    sa.Index("budget_plan_to_look_at", "look_on", postgresql_where=sa.text("look_on IS NOT NULL")),
)
"""Equal amounts that are settled later, each plan a row; its instalments are arrays, by their due
days. On `look_on` something is to be asked for or settled."""
