"""Rules for readings by tenant, what is remembered of channels, and verdicts."""

from alembic import op

from gridtally.database.security import isolate_tenants

revision = "0013"
down_revision = "0012"

TABLES = """
CREATE TABLE validation_rules (
    tenant_id  text COLLATE "C" PRIMARY KEY,
    version    integer NOT NULL CHECK (version > 0),
    settings   jsonb NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE TABLE channel_history (
    tenant_id text COLLATE "C" NOT NULL,
    meter_id  uuid NOT NULL,
    flow      text COLLATE "C" NOT NULL,
    minutes   smallint NOT NULL,
    history   bytea NOT NULL,
    PRIMARY KEY (tenant_id, meter_id, flow, minutes)
) WITH (fillfactor = 50);
ALTER TABLE channel_history ALTER history SET STORAGE MAIN;
CREATE TABLE verdict (
    tenant_id  text COLLATE "C" NOT NULL,
    meter_id   uuid NOT NULL,
    flow       text COLLATE "C" NOT NULL,
    minutes    smallint NOT NULL,
    day        date NOT NULL,
    rule       text COLLATE "C" NOT NULL,
    value      double precision NOT NULL,
    "limit"    double precision NOT NULL,
    slot       smallint NOT NULL CHECK (slot >= 0),
    intervals  smallint NOT NULL CHECK (intervals > 0),
    judged_at  timestamptz NOT NULL,
    cleared_at timestamptz,
    PRIMARY KEY (tenant_id, meter_id, flow, minutes, day, rule)
);
CREATE INDEX verdict_by_day ON verdict (tenant_id, day, meter_id, flow, rule, minutes)
"""


def upgrade() -> None:
    """Tables of their own; no tenant has rules yet, and nothing else changes."""
    for statement in TABLES.split(";\n"):
        op.execute(statement)
    isolate_tenants(op, "validation_rules", "channel_history", "verdict")
