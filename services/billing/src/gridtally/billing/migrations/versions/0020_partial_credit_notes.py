"""Credit notes of a part of an invoice, with the lines that they credit."""

from alembic import op

from gridtally.database.security import append_only, isolate_tenants

revision = "0020"
down_revision = "0019"

# The constraint held one note for each invoice; now one cancels it, and others credit parts.
_EXTENT = """
ALTER TABLE credit_note
  ADD COLUMN extent text NOT NULL DEFAULT 'whole'
      CONSTRAINT credit_note_extent CHECK (extent IN ('whole', 'part', 'rest')),
  ADD COLUMN credited_by text,
  ADD CONSTRAINT credit_note_credited_by CHECK ((extent = 'part') = (credited_by IS NOT NULL)),
  DROP CONSTRAINT credit_note_once_per_invoice;
CREATE UNIQUE INDEX credit_note_cancels_once ON credit_note (tenant_id, invoice_id)
 WHERE extent <> 'part';
CREATE INDEX credit_note_by_invoice ON credit_note (tenant_id, invoice_id);
CREATE TABLE credit_note_line (
    tenant_id text NOT NULL,
    credit_note_id uuid NOT NULL,
    position integer NOT NULL,
    quantity numeric NOT NULL,
    unit text NOT NULL,
    rate numeric NOT NULL,
    amount_exact numeric NOT NULL,
    amount numeric NOT NULL,
    PRIMARY KEY (tenant_id, credit_note_id, position)
);
"""


def upgrade() -> None:
    """Those that there are cancel whole invoices, and have no lines of their own."""
    for statement in _EXTENT.strip().rstrip(";").split(";"):
        op.execute(statement)
    isolate_tenants(op, "credit_note_line")
    append_only(op, "credit_note_line")
