"""What meters noted of themselves."""

import sqlalchemy as sa

from gridtally.database.columns import INSTANT, key, required, tenant
from gridtally.ingest.tables.metadata import METADATA

device_event = sa.Table(
    "device_event",
    METADATA,
    tenant(),
    key(),
    required("meter_id", sa.Uuid),
    required("kind", sa.Text),
    required("severity", sa.Text),
    required("happened_at", INSTANT),
    required("detail", sa.Text),
    required("source", sa.Text),
    required("correlation_id", sa.Text),
    required("recorded_at", INSTANT),
    sa.UniqueConstraint("tenant_id", "meter_id", "kind", "happened_at", name="device_event_once"),
    sa.Index("device_event_by_age", "tenant_id", "happened_at", "id"),
    sa.Index("device_event_of_meter", "tenant_id", "meter_id", "happened_at", "id"),
    sa.Index(
        "device_event_of_tampering",
        "tenant_id",
        "meter_id",
        "happened_at",
        postgresql_where=sa.text("severity = 'tamper'"),
    ),
    sa.Index("device_event_by_kind", "tenant_id", "kind", "happened_at", "id"),
    sa.Index(
        "device_event_of_tenant_tampering",
        "tenant_id",
        "happened_at",
        "id",
        postgresql_where=sa.text("severity = 'tamper'"),
    ),
    sa.Index("device_event_expiry", "recorded_at"),
)
