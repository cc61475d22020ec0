"""Alerts: rules by tenant, which meters are to be looked at, and what was raised."""

from alembic import op

from gridtally.database.security import isolate_tenants

revision = "0018"
down_revision = "0017"

TABLES = """
CREATE TABLE alert_rules (
    tenant_id  text COLLATE "C" PRIMARY KEY,
    version    integer NOT NULL CHECK (version > 0),
    settings   jsonb NOT NULL,
    is_on      boolean NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE TABLE alert_check (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id      text COLLATE "C" NOT NULL,
    meter_id       uuid NOT NULL,
    watched_from   timestamptz NOT NULL,
    correlation_id text,
    due_at         timestamptz NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000,
        autovacuum_vacuum_cost_delay = 0);
CREATE INDEX alert_check_due ON alert_check (due_at);
CREATE INDEX alert_check_of_meter ON alert_check (tenant_id, meter_id);
CREATE TABLE alert (
    tenant_id       text COLLATE "C" NOT NULL,
    id              uuid NOT NULL,
    meter_id        uuid NOT NULL,
    kind            text COLLATE "C" NOT NULL,
    flow            text COLLATE "C" NOT NULL,
    number          integer NOT NULL CHECK (number > 0),
    since_at        timestamptz NOT NULL,
    day             date,
    value           numeric NOT NULL,
    worst_value     numeric NOT NULL,
    "limit"         numeric NOT NULL,
    raised_at       timestamptz NOT NULL,
    seen_at         timestamptz NOT NULL,
    correlation_id  text NOT NULL,
    cleared_at      timestamptz,
    reason          text CHECK (reason IN ('ended', 'rule_off', 'meter_removed')),
    acknowledged_at timestamptz,
    acknowledged_by text,
    note            text,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT alert_number_once UNIQUE (tenant_id, meter_id, kind, flow, number),
    CONSTRAINT alert_cleared_has_reason CHECK ((cleared_at IS NULL) = (reason IS NULL)),
    CONSTRAINT alert_acknowledged_by_whom CHECK (
        (acknowledged_at IS NULL) = (acknowledged_by IS NULL)
        AND (acknowledged_at IS NULL) = (note IS NULL))
);
CREATE INDEX alert_by_age ON alert (tenant_id, raised_at, id);
CREATE UNIQUE INDEX alert_open ON alert (tenant_id, meter_id, kind, flow)
    WHERE cleared_at IS NULL
"""


def upgrade() -> None:
    """Tables of their own; no tenant has rules yet, and nothing else changes."""
    for statement in TABLES.split(";\n"):
        op.execute(statement)
    isolate_tenants(op, "alert_rules", "alert")
