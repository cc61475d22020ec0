"""Rules for readings, what is remembered of channels, registers to look at, and verdicts."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from gridtally.database.columns import INSTANT, key, required, tenant
from gridtally.ingest.tables.metadata import METADATA

validation_rules = sa.Table(
    "validation_rules",
    METADATA,
    tenant(),
    required("version", sa.Integer),
    required("settings", JSONB),
    required("updated_at", INSTANT),
)
channel_history = sa.Table(
    "channel_history",
    METADATA,
    tenant(),
    key("meter_id"),
    key("flow", sa.Text),
    key("minutes", sa.SmallInteger),
    required("history", sa.LargeBinary),
)
register_check = sa.Table(
    "register_check",
    METADATA,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    required("tenant_id", sa.Text),
    required("meter_id", sa.Uuid),
    required("flow", sa.Text),
    required("from_at", INSTANT),
    required("to_at", INSTANT),
    sa.Index("register_check_of_register", "tenant_id", "meter_id", "flow"),
)
verdict = sa.Table(
    "verdict",
    METADATA,
    tenant(),
    key("meter_id"),
    key("flow", sa.Text),
    key("minutes", sa.SmallInteger),
    key("day", sa.Date),
    key("rule", sa.Text),
    required("value", sa.Double),
    required("limit", sa.Double),
    required("slot", sa.SmallInteger),
    required("intervals", sa.SmallInteger),
    required("judged_at", INSTANT),
    sa.Column("cleared_at", INSTANT),
    sa.Index("verdict_by_day", "tenant_id", "day", "meter_id", "flow", "rule", "minutes"),
)
