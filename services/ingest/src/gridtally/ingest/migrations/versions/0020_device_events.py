"""Events of devices: what meters noted of themselves."""

from alembic import op

from gridtally.database.security import isolate_tenants

revision = "0020"
down_revision = "0019"

TABLES = """
CREATE TABLE device_event (
    tenant_id      text COLLATE "C" NOT NULL,
    id             uuid NOT NULL,
    meter_id       uuid NOT NULL,
    kind           text COLLATE "C" NOT NULL,
    severity       text COLLATE "C" NOT NULL CHECK (severity IN ('tamper', 'warning', 'info')),
    happened_at    timestamptz NOT NULL,
    detail         text NOT NULL CHECK (length(detail) <= 200),
    source         text NOT NULL,
    correlation_id text NOT NULL,
    recorded_at    timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT device_event_once UNIQUE (tenant_id, meter_id, kind, happened_at)
);
CREATE INDEX device_event_by_age ON device_event (tenant_id, happened_at, id);
CREATE INDEX device_event_of_meter ON device_event (tenant_id, meter_id, happened_at, id);
CREATE INDEX device_event_of_tampering ON device_event (tenant_id, meter_id, happened_at)
    WHERE severity = 'tamper';
CREATE INDEX device_event_expiry ON device_event (recorded_at)
"""


def upgrade() -> None:
    """A table of its own."""
    for statement in TABLES.split(";\n"):
        op.execute(statement)
    isolate_tenants(op, "device_event")
