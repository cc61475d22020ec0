"""Dunning: rules, runs, notices, and customers who get none."""

from alembic import op

from gridtally.database.security import isolate_tenants, show_own_rows

revision = "0033"
down_revision = "0032"

# What is there fits the wider rule, so it is looked at without keeping writers out.
_KINDS = """
ALTER TABLE transaction DROP CONSTRAINT transaction_kind_check;
ALTER TABLE transaction ADD CONSTRAINT transaction_kind_check CHECK (kind IN ('invoice',
    'credit_note', 'payment', 'refund', 'write_off', 'adjustment', 'allocation', 'release',
    'reversal', 'assignment', 'settlement', 'deposit', 'opening_balance',
    'dunning_fee')) NOT VALID;
ALTER TABLE transaction VALIDATE CONSTRAINT transaction_kind_check
"""
_TABLES = """
CREATE TABLE dunning_rules (
    tenant_id text PRIMARY KEY,
    levels jsonb NOT NULL,
    minimums jsonb NOT NULL,
    version integer NOT NULL DEFAULT 1,
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE dunning_run (
    tenant_id text NOT NULL,
    id uuid NOT NULL,
    dunned_on date NOT NULL,
    started_at timestamptz NOT NULL,
    finished_at timestamptz,
    after_customer uuid,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX dunning_run_by_age ON dunning_run (tenant_id, started_at, id);
CREATE UNIQUE INDEX dunning_run_one_at_once ON dunning_run (tenant_id) WHERE finished_at IS NULL;
CREATE TABLE dunning_notice (
    tenant_id text NOT NULL,
    id uuid NOT NULL,
    run_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    currency text NOT NULL,
    dunned_on date NOT NULL,
    level smallint NOT NULL,
    name text NOT NULL,
    item_ids uuid[] NOT NULL,
    item_levels smallint[] NOT NULL,
    item_due_days date[] NOT NULL,
    item_amounts numeric(38, 8)[] NOT NULL,
    others numeric(38, 8) NOT NULL,
    credit numeric(38, 8) NOT NULL,
    fee numeric(38, 8) NOT NULL,
    pay_by date NOT NULL,
    issued_at timestamptz NOT NULL,
    withdrawn_at timestamptz,
    withdraw_reason text,
    version integer NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT dunning_notice_reason CHECK ((withdrawn_at IS NULL) = (withdraw_reason IS NULL))
);
CREATE INDEX dunning_notice_by_customer ON dunning_notice (tenant_id, customer_id, issued_at, id);
CREATE INDEX dunning_notice_by_run ON dunning_notice (tenant_id, run_id, issued_at, id);
CREATE INDEX dunning_notice_by_age ON dunning_notice (tenant_id, issued_at, id);
CREATE TABLE dunning_stop (
    tenant_id text NOT NULL,
    customer_id uuid NOT NULL,
    reason text,
    until date,
    version integer NOT NULL DEFAULT 1,
    PRIMARY KEY (tenant_id, customer_id),
    CONSTRAINT dunning_stop_ended CHECK (reason IS NOT NULL OR until IS NULL)
)
"""


def upgrade() -> None:
    """A kind of transaction, and four tables; a tenant that has no rules has no row in any."""
    for statement in (*_KINDS.strip().split(";\n"), *_TABLES.strip().split(";\n")):
        op.execute(statement)
    isolate_tenants(op, "dunning_rules", "dunning_run", "dunning_notice", "dunning_stop")
    show_own_rows(op, "dunning_notice")
