"""Rules for alerts, meters that are to be looked at, and alerts."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from gridtally.database.columns import INSTANT, key, required, tenant
from gridtally.ingest.tables.metadata import METADATA

alert_rules = sa.Table(
    "alert_rules",
    METADATA,
    tenant(),
    required("version", sa.Integer),
    required("settings", JSONB),
    required("is_on", sa.Boolean),
    required("updated_at", INSTANT),
)
alert_check = sa.Table(
    "alert_check",
    METADATA,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    required("tenant_id", sa.Text),
    required("meter_id", sa.Uuid),
    required("watched_from", INSTANT),
    sa.Column("correlation_id", sa.Text),
    required("due_at", INSTANT),
    sa.Index("alert_check_due", "due_at"),
    sa.Index("alert_check_of_meter", "tenant_id", "meter_id"),
)
alert = sa.Table(
    "alert",
    METADATA,
    tenant(),
    key(),
    required("meter_id", sa.Uuid),
    required("kind", sa.Text),
    required("flow", sa.Text),
    required("number", sa.Integer),
    required("since_at", INSTANT),
    sa.Column("day", sa.Date),
    required("value", sa.Numeric),
    required("worst_value", sa.Numeric),
    required("limit", sa.Numeric),
    required("raised_at", INSTANT),
    required("seen_at", INSTANT),
    required("correlation_id", sa.Text),
    sa.Column("cleared_at", INSTANT),
    sa.Column("reason", sa.Text),
    sa.Column("acknowledged_at", INSTANT),
    sa.Column("acknowledged_by", sa.Text),
    sa.Column("note", sa.Text),
    sa.UniqueConstraint(
        "tenant_id", "meter_id", "kind", "flow", "number", name="alert_number_once"
    ),
    sa.Index("alert_by_age", "tenant_id", "raised_at", "id"),
    sa.Index(
        "alert_open",
        "tenant_id",
        "meter_id",
        "kind",
        "flow",
        unique=True,
        postgresql_where=sa.text("cleared_at IS NULL"),
    ),
)
