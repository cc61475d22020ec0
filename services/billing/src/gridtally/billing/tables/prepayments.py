"""The tables of prepayment: who pays in advance, and who pays by a budget plan instead."""

import sqlalchemy as sa

from gridtally.billing.tables.metadata import METADATA
from gridtally.database.columns import INSTANT, key, required, tenant

prepayment = sa.Table(
    "prepayment",
    METADATA,
    tenant(),
    key("customer_id"),
    required("is_active", sa.Boolean),
    sa.Column("alert_amount", sa.Numeric),
    sa.Column("alert_days", sa.SmallInteger),
    sa.Column("alert", sa.Text),
    sa.Column("alert_since", INSTANT),
    sa.Column("alert_balance", sa.Numeric),
    required("version", sa.Integer),
    required("look_at", INSTANT),
    sa.CheckConstraint("alert IN ('prepayment_low', 'prepayment_empty')", name="prepayment_alert"),
    sa.CheckConstraint(
        "num_nonnulls(alert, alert_since, alert_balance) IN (0, 3)", name="prepayment_alerted"
    ),
    sa.CheckConstraint("is_active OR alert IS NULL", name="prepayment_ended"),
    sa.CheckConstraint("alert_days BETWEEN 0 AND 366", name="prepayment_alert_days"),
    sa.CheckConstraint("version >= 1", name="prepayment_version"),
    sa.Index("prepayment_to_look_at", "look_at", postgresql_where=sa.text("is_active")),
)
"""Customers on prepayment, with the alert that is raised and what was left then; one who is not any
more keeps a row, which no older version replaces. At `look_at` what is left is looked at again."""

budget_plan = sa.Table(
    "budget_plan",
    METADATA,
    tenant(),
    key(),
    required("customer_id", sa.Uuid),
    required("currency", sa.Text),
    required("start_on", sa.Date),
    required("end_on", sa.Date),
    required("settle_on", sa.Date),
    required("agreed_at", INSTANT),
    sa.Column("settled_at", INSTANT),
    required("version", sa.Integer),
    sa.Index("budget_plan_by_customer", "tenant_id", "customer_id"),
)
"""The ledger's budget plans, as it published them."""
