"""Ingest's tables, as the migrations make them; the drift test compares the two.

Owns names and types for `store`. The rules that only SQL knows (append-only, row-level security,
partitions) stand in the migrations.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

METADATA = sa.MetaData()
_INSTANT = sa.DateTime(timezone=True)


def _key(name: str, kind: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, primary_key=True, autoincrement=False)


def _required(name: str, kind: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)


reading_block = sa.Table(
    "reading_block",
    METADATA,
    _key("tenant_id", sa.Text()),
    _key("meter_id", sa.Uuid()),
    _key("flow", sa.Text()),
    _key("day", sa.Date()),
    _key("event_id", sa.Uuid()),
    _key("start_at", _INSTANT),
    _required("minutes", sa.SmallInteger()),
    _required("slot", sa.SmallInteger()),
    _required("piece", sa.SmallInteger()),
    _required("quality", sa.Text()),
    _required("read_at", _INSTANT),
    _required("recorded_at", _INSTANT),
    _required("source", sa.Text()),
    _required("correlation_id", sa.Text()),
    _required("values", ARRAY(sa.Integer)),
)
channel_day = sa.Table(
    "channel_day",
    METADATA,
    _key("tenant_id", sa.Text()),
    _key("meter_id", sa.Uuid()),
    _key("flow", sa.Text()),
    _key("minutes", sa.SmallInteger()),
    _key("day", sa.Date()),
    _required("zone", sa.Text()),
    _required("version", sa.Integer()),
    _required("present", sa.SmallInteger()),
    _required("recorded_at", _INSTANT),
    _required("correlation_id", sa.Text()),
    _required("quality", sa.Text()),
    _required("values", ARRAY(sa.Integer)),
)
usage_pending = sa.Table(
    "usage_pending",
    METADATA,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    _required("tenant_id", sa.Text()),
    _required("meter_id", sa.Uuid()),
    _required("flow", sa.Text()),
    _required("minutes", sa.SmallInteger()),
    _required("day", sa.Date()),
    _required("due_at", _INSTANT),
    sa.Index("usage_pending_due", "due_at"),
    sa.Index("usage_pending_channel_day", "meter_id", "day"),
)
period_check = sa.Table(
    "period_check",
    METADATA,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    _required("tenant_id", sa.Text()),
    _required("meter_id", sa.Uuid()),
    _required("month_on", sa.Date()),
    _required("due_at", _INSTANT),
    sa.Index("period_check_due", "due_at"),
)
quarantine = sa.Table(
    "quarantine",
    METADATA,
    _key("tenant_id", sa.Text()),
    _key("id", sa.Uuid()),
    _required("event_id", sa.Uuid()),
    _required("meter_id", sa.Uuid()),
    _required("flow", sa.Text()),
    _required("reason", sa.Text()),
    _required("detail", sa.Text()),
    _required("source", sa.Text()),
    _required("occurred_at", _INSTANT),
    _required("correlation_id", sa.Text()),
    _required("value", sa.LargeBinary()),
    _required("recorded_at", _INSTANT),
    sa.Column("replayed_at", _INSTANT),
    sa.UniqueConstraint("tenant_id", "event_id", "meter_id", name="quarantine_event"),
    sa.Index("quarantine_by_age", "tenant_id", "recorded_at", "id"),
)
waiting_block = sa.Table(
    "waiting_block",
    METADATA,
    _key("tenant_id", sa.Text()),
    _key("meter_id", sa.Uuid()),
    _key("event_id", sa.Uuid()),
    sa.Column("seq", sa.BigInteger, sa.Identity(always=True), nullable=False),
    _required("source", sa.Text()),
    _required("occurred_at", _INSTANT),
    _required("correlation_id", sa.Text()),
    _required("value", sa.LargeBinary()),
    _required("recorded_at", _INSTANT),
)
tally = sa.Table(
    "tally",
    METADATA,
    _key("tenant_id", sa.Text()),
    _key("partition", sa.Integer()),
    _required("received", sa.BigInteger()),
    _required("stored", sa.BigInteger()),
    _required("duplicates", sa.BigInteger()),
    _required("quarantined", sa.BigInteger()),
    _required("waiting", sa.BigInteger()),
    _required("readings_new", sa.BigInteger()),
    _required("readings_corrected", sa.BigInteger()),
    _required("readings_unchanged", sa.BigInteger()),
)
meter = sa.Table(
    "meter",
    METADATA,
    _key("tenant_id", sa.Text()),
    _key("id", sa.Uuid()),
    _required("type", sa.Text()),
    _required("name", sa.Text()),
    _required("zone", sa.Text()),
    _required("version", sa.Integer()),
    _required("channels", JSONB()),
)
registry_change = sa.Table(
    "registry_change",
    METADATA,
    sa.Column("singleton", sa.Boolean, primary_key=True, server_default=sa.true()),
    _required("count", sa.BigInteger()),
)
agreement = sa.Table(
    "agreement",
    METADATA,
    _key("tenant_id", sa.Text()),
    _key("id", sa.Uuid()),
    _required("meter_id", sa.Uuid()),
    _required("start_on", sa.Date()),
    sa.Column("end_on", sa.Date),
    _required("closing", sa.Text()),
    _required("grace_hours", sa.Integer()),
    _required("version", sa.Integer()),
    _required("planned_until", sa.Date()),
    sa.Index("agreement_to_plan", "planned_until"),
)
period = sa.Table(
    "period",
    METADATA,
    _key("tenant_id", sa.Text()),
    _key("agreement_id", sa.Uuid()),
    _key("start_on", sa.Date()),
    _required("end_on", sa.Date()),
    _required("meter_id", sa.Uuid()),
    sa.Column("state", sa.Text, nullable=False, server_default="open"),
    sa.Column("revision", sa.Integer, nullable=False, server_default="0"),
    sa.Column("check_at", _INSTANT),
    sa.Column("closed_by", sa.Text),
    sa.Column("closed_at", _INSTANT),
    sa.Column("expected", sa.Integer),
    sa.Column("present", sa.Integer),
    sa.Column("energy_wh", JSONB),
    sa.Column("digest", sa.Text),
    sa.Column("correlation_id", sa.Text),
    sa.Index("period_of_meter", "tenant_id", "meter_id", "start_on"),
    sa.Index("period_to_check", "check_at", postgresql_where=sa.text("check_at IS NOT NULL")),
)
register_entry = sa.Table(
    "register_entry",
    METADATA,
    _key("tenant_id", sa.Text()),
    _key("reading_id", sa.Uuid()),
    _required("meter_id", sa.Uuid()),
    _required("flow", sa.Text()),
    _required("version", sa.Integer()),
    _required("kind", sa.Text()),
    _required("value", sa.Numeric()),
    _required("digits", sa.SmallInteger()),
    _required("multiplier", sa.Numeric()),
    _required("read_at", _INSTANT),
    _required("recorded_at", _INSTANT),
    _required("correlation_id", sa.Text()),
    sa.Index("register_entry_in_order", "tenant_id", "meter_id", "flow", "read_at"),
)
register_channel = sa.Table(
    "register_channel",
    METADATA,
    _key("tenant_id", sa.Text()),
    _key("meter_id", sa.Uuid()),
    _key("flow", sa.Text()),
    sa.Column("from_at", _INSTANT),
    sa.Column("to_at", _INSTANT),
    _required("ranked_at", _INSTANT),
    _required("correlation_id", sa.Text()),
    sa.Column("due_at", _INSTANT),
    sa.Column("told_from", _INSTANT),
    sa.Column("told_to", _INSTANT),
    sa.Index("register_channel_due", "from_at", postgresql_where=sa.text("from_at IS NOT NULL")),
)
held_stretch = sa.Table(
    "held_stretch",
    METADATA,
    _key("tenant_id", sa.Text()),
    _key("meter_id", sa.Uuid()),
    _key("flow", sa.Text()),
    _key("start_at", _INSTANT),
    _required("end_at", _INSTANT),
    _required("reason", sa.Text()),
    _required("start_value", sa.Numeric()),
    _required("end_value", sa.Numeric()),
)
