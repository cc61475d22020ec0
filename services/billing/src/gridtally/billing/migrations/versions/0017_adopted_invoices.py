"""Invoices that were taken over from their topic, until their periods come again."""

from alembic import op

from gridtally.database.security import isolate_tenants

revision = "0017"
down_revision = "0016"

_ADOPTED_INVOICE = """
CREATE TABLE adopted_invoice (
    tenant_id text NOT NULL,
    agreement_id uuid NOT NULL,
    start_on date NOT NULL,
    revision integer NOT NULL,
    restatement integer NOT NULL,
    invoice_id uuid NOT NULL,
    PRIMARY KEY (tenant_id, agreement_id, start_on, revision, restatement)
)
"""


def upgrade() -> None:
    """Empty, but after a restore."""
    op.execute(_ADOPTED_INVOICE)
    isolate_tenants(op, "adopted_invoice")
