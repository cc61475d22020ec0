"""Billing runs, and whether another person than who made one approves it."""

from alembic import op

from gridtally.database.security import isolate_tenants

revision = "0035"
down_revision = "0034"

_STEPS = """
CREATE TABLE billing_run (
    tenant_id text NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    start_on date NOT NULL,
    end_on date NOT NULL,
    customer_ids uuid[] NOT NULL,
    shock_percent integer NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL,
    version integer NOT NULL,
    state text NOT NULL
        CONSTRAINT billing_run_state
        CHECK (state IN ('proposed', 'approved', 'issued', 'cancelled')),
    decided_by text,
    decided_at timestamptz,
    correlation_id text,
    CONSTRAINT billing_run_dates CHECK (end_on > start_on),
    CONSTRAINT billing_run_decided CHECK (num_nonnulls(decided_by, decided_at, correlation_id)
        = CASE state WHEN 'proposed' THEN 0 ELSE 3 END),
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX billing_run_newest ON billing_run (tenant_id, created_at, id);
CREATE INDEX billing_run_due ON billing_run (tenant_id, id) WHERE state = 'approved';
ALTER TABLE invoicing_terms ADD COLUMN runs_approved_by text NOT NULL DEFAULT 'anyone'
    CONSTRAINT invoicing_terms_runs CHECK (runs_approved_by IN ('anyone', 'another_person'));
CREATE INDEX invoice_by_approval ON invoice (tenant_id, approved_at, approved_by)
    WHERE approved_at IS NOT NULL
"""


def upgrade() -> None:
    """There are no runs yet."""
    for statement in _STEPS.strip().split(";\n"):
        op.execute(statement)
    isolate_tenants(op, "billing_run")
