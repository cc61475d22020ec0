"""Drafts of invoices that are approved before they are issued, and who approved an invoice."""

from alembic import op

from gridtally.database.security import isolate_tenants

revision = "0022"
down_revision = "0021"

_TABLES = """
CREATE TABLE invoicing_terms (
    tenant_id text NOT NULL PRIMARY KEY,
    approval text NOT NULL
        CONSTRAINT invoicing_terms_approval CHECK (approval IN ('none', 'required'))
);
CREATE TABLE invoice_draft (
    tenant_id text NOT NULL,
    agreement_id uuid NOT NULL,
    start_on date NOT NULL,
    id uuid NOT NULL,
    customer_id uuid NOT NULL,
    meter_id uuid NOT NULL,
    end_on date NOT NULL,
    revision integer NOT NULL,
    restatement integer NOT NULL,
    currency text NOT NULL,
    net numeric NOT NULL,
    tax numeric NOT NULL,
    total numeric NOT NULL,
    lines jsonb NOT NULL,
    digest text NOT NULL,
    replaces_id uuid,
    drafted_at timestamptz NOT NULL,
    correlation_id text NOT NULL,
    version integer NOT NULL,
    state text NOT NULL
        CONSTRAINT invoice_draft_state CHECK (state IN ('pending', 'approved', 'rejected')),
    decided_by text,
    decided_at timestamptz,
    reason text,
    CONSTRAINT invoice_draft_decided CHECK ((state = 'pending') = (decided_by IS NULL)
        AND (state = 'pending') = (decided_at IS NULL)
        AND (state = 'rejected') = (reason IS NOT NULL)),
    PRIMARY KEY (tenant_id, agreement_id, start_on)
);
CREATE UNIQUE INDEX invoice_draft_id ON invoice_draft (tenant_id, id);
CREATE INDEX invoice_draft_by_period ON invoice_draft (tenant_id, start_on, id);
CREATE INDEX invoice_draft_by_customer ON invoice_draft (tenant_id, customer_id, start_on, id);
ALTER TABLE invoice ADD COLUMN approved_by text, ADD COLUMN approved_at timestamptz,
  ADD CONSTRAINT invoice_approved CHECK ((approved_by IS NULL) = (approved_at IS NULL));
"""


def upgrade() -> None:
    """No tenant approves yet, and nobody approved what was issued."""
    for statement in _TABLES.strip().removesuffix(";").split(";\n"):
        op.execute(statement)
    isolate_tenants(op, "invoicing_terms")
    isolate_tenants(op, "invoice_draft")
