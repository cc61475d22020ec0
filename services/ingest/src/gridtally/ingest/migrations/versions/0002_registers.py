"""Reads of cumulative registers, which become interval energy by difference."""

from alembic import op

from gridtally.database.security import isolate_tenants

revision = "0002"
down_revision = "0001"

TABLES = """
CREATE TABLE register_entry (
    tenant_id      text NOT NULL,
    reading_id     uuid NOT NULL,
    meter_id       uuid NOT NULL,
    flow           text NOT NULL,
    version        integer NOT NULL,
    kind           text NOT NULL,
    value          numeric NOT NULL,
    digits         smallint NOT NULL,
    multiplier     numeric NOT NULL,
    read_at        timestamptz NOT NULL,
    recorded_at    timestamptz NOT NULL,
    correlation_id text NOT NULL,
    PRIMARY KEY (tenant_id, reading_id)
);
CREATE INDEX register_entry_in_order ON register_entry (tenant_id, meter_id, flow, read_at);

CREATE TABLE register_channel (
    tenant_id      text NOT NULL,
    meter_id       uuid NOT NULL,
    flow           text NOT NULL,
    from_at        timestamptz,
    to_at          timestamptz,
    ranked_at      timestamptz NOT NULL,
    correlation_id text NOT NULL,
    PRIMARY KEY (tenant_id, meter_id, flow),
    CONSTRAINT register_channel_due CHECK ((from_at IS NULL) = (to_at IS NULL))
);
CREATE INDEX register_channel_due ON register_channel (from_at) WHERE from_at IS NOT NULL
"""


def upgrade() -> None:
    """Tables of their own; nothing else changes."""
    for statement in TABLES.split(";\n"):
        op.execute(statement)
    isolate_tenants(op, "register_entry", "register_channel")
