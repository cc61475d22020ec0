"""Estimates of what periods lack: what was estimated, how, and under which agreements."""

from alembic import op

from gridtally.database.security import isolate_tenants

revision = "0014"
down_revision = "0013"

STATEMENTS = """
ALTER TABLE agreement DROP CONSTRAINT agreement_closing_check;
ALTER TABLE agreement ADD CONSTRAINT agreement_closing_check
    CHECK (closing IN ('wait', 'bill_present', 'estimate'));
ALTER TABLE period ADD COLUMN estimate text CHECK (estimate IN ('due', 'impossible'));
CREATE INDEX period_to_estimate ON period (tenant_id, agreement_id, start_on)
    WHERE estimate = 'due';
CREATE TABLE estimate (
    tenant_id text COLLATE "C" NOT NULL,
    meter_id  uuid NOT NULL,
    flow      text COLLATE "C" NOT NULL,
    minutes   smallint NOT NULL,
    day       date NOT NULL,
    methods   text COLLATE "C" NOT NULL,
    values    int4[] NOT NULL,
    made_at   timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, meter_id, flow, minutes, day),
    CONSTRAINT estimate_methods CHECK (length(methods) = cardinality(values))
);
CREATE INDEX estimate_by_day ON estimate (tenant_id, day, meter_id, flow, minutes);
CREATE TABLE estimation_settings (
    tenant_id      text COLLATE "C" PRIMARY KEY,
    line_hours_max smallint NOT NULL CHECK (line_hours_max BETWEEN 0 AND 24),
    days_max       smallint NOT NULL CHECK (days_max BETWEEN 1 AND 6),
    holidays       text,
    version        integer NOT NULL CHECK (version > 0)
)
"""


def upgrade() -> None:
    """No agreement closes so yet; what there is stays as it is."""
    for statement in STATEMENTS.split(";\n"):
        op.execute(statement)
    isolate_tenants(op, "estimate", "estimation_settings")
