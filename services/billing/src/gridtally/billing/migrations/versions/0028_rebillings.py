"""Agreements that are cancelled, what was rebilled, and periods of which nothing is billed."""

from alembic import op

from gridtally.database.security import append_only, isolate_tenants

revision = "0028"
down_revision = "0027"

_STATEMENTS = """
ALTER TABLE agreement DROP CONSTRAINT agreement_dates;
ALTER TABLE agreement ADD CONSTRAINT agreement_dates CHECK (end_on >= start_on);
ALTER TABLE billed_period ADD COLUMN unbilled text
    CONSTRAINT billed_period_unbilled CHECK (unbilled IN ('withdrawn', 'dismissed'));
CREATE TABLE rebilling (
    tenant_id text NOT NULL,
    id uuid NOT NULL,
    agreement_id uuid NOT NULL,
    from_on date NOT NULL,
    replacement_id uuid,
    reason text NOT NULL,
    rebilled_by text NOT NULL,
    rebilled_at timestamptz NOT NULL,
    correlation_id text NOT NULL,
    invoice_ids jsonb NOT NULL,
    withdrawn jsonb NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX rebilling_newest ON rebilling (tenant_id, rebilled_at, id);
CREATE INDEX rebilling_by_agreement ON rebilling (tenant_id, agreement_id)
"""


def upgrade() -> None:
    """Nothing was rebilled yet."""
    for statement in _STATEMENTS.split(";\n"):
        op.execute(statement)
    isolate_tenants(op, "rebilling")
    append_only(op, "rebilling")
