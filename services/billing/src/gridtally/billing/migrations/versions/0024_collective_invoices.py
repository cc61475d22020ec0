"""Collective invoices: their sections, and the periods that wait for one another."""

from alembic import op

from gridtally.database.security import append_only, isolate_tenants

revision = "0024"
down_revision = "0023"

_TABLES = """
ALTER TABLE customer
  ADD COLUMN invoicing text NOT NULL DEFAULT 'single'
      CONSTRAINT customer_invoicing CHECK (invoicing IN ('single', 'collective')),
  ADD COLUMN collective_grace_hours integer NOT NULL DEFAULT 120
      CONSTRAINT customer_collective_grace CHECK (collective_grace_hours BETWEEN 0 AND 8784);
ALTER TABLE invoice
  ADD COLUMN is_collective boolean NOT NULL DEFAULT false,
  ADD COLUMN collective_id uuid,
  ADD CONSTRAINT invoice_collective
      CHECK (NOT is_collective OR (agreement_id = customer_id AND collective_id IS NULL));
CREATE INDEX invoice_by_collective ON invoice (tenant_id, collective_id, id)
 WHERE collective_id IS NOT NULL;
CREATE TABLE invoice_section (
    tenant_id text NOT NULL,
    invoice_id uuid NOT NULL,
    position integer NOT NULL CONSTRAINT invoice_section_position CHECK (position >= 1),
    section_id uuid NOT NULL,
    line_count integer NOT NULL CONSTRAINT invoice_section_lines CHECK (line_count >= 0),
    change text CONSTRAINT invoice_section_change
        CHECK (change IN ('revision', 'restatement', 'added')),
    CONSTRAINT invoice_section_once UNIQUE (tenant_id, section_id),
    PRIMARY KEY (tenant_id, invoice_id, position)
);
CREATE TABLE collective_member (
    tenant_id text NOT NULL,
    agreement_id uuid NOT NULL,
    start_on date NOT NULL,
    customer_id uuid NOT NULL,
    end_on date NOT NULL,
    collective_start_on date NOT NULL,
    collective_end_on date NOT NULL,
    waits_since timestamptz NOT NULL,
    grace_ends_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    released_by text,
    released_at timestamptz,
    CONSTRAINT collective_member_released CHECK ((released_by IS NULL) = (released_at IS NULL)),
    PRIMARY KEY (tenant_id, agreement_id, start_on)
);
CREATE INDEX collective_member_due ON collective_member (due_at);
CREATE INDEX collective_member_by_customer
    ON collective_member (tenant_id, customer_id, collective_start_on);
"""


def upgrade() -> None:
    """No customer has collective invoices yet."""
    for statement in _TABLES.strip().removesuffix(";").split(";\n"):
        op.execute(statement)
    isolate_tenants(op, "invoice_section")
    append_only(op, "invoice_section")
    isolate_tenants(op, "collective_member")
