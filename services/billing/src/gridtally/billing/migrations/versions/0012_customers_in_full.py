"""Customers in full: numbers, addresses, contacts, taxes, terms; they change, and are erased.

Answers to idempotency keys are stored, as the ledger does.
"""

from alembic import op

import gridtally.http.idempotency
from gridtally.database.security import isolate_tenants

revision = "0012"
down_revision = "0011"

CUSTOMERS = """
ALTER TABLE customer
  ADD COLUMN number text, ADD COLUMN phone_number text, ADD COLUMN language text,
  ADD COLUMN billing_address jsonb, ADD COLUMN supply_address jsonb,
  ADD COLUMN contacts jsonb NOT NULL DEFAULT '[]', ADD COLUMN tax_id text,
  ADD COLUMN tax_exemptions jsonb NOT NULL DEFAULT '[]', ADD COLUMN payment_days integer,
  ADD COLUMN e_invoice_consent_on date, ADD COLUMN erased_at timestamptz,
  ADD COLUMN version integer NOT NULL DEFAULT 1,
  ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now(),
  ADD CONSTRAINT customer_number UNIQUE (tenant_id, number),
  ADD CONSTRAINT customer_version CHECK (version >= 1),
  ADD CONSTRAINT customer_payment_days CHECK (payment_days BETWEEN 0 AND 365)
"""


def upgrade() -> None:
    """The columns; customers that there are were never changed, and are published as they were."""
    op.execute(CUSTOMERS)
    op.execute("UPDATE customer SET updated_at = created_at")
    gridtally.http.idempotency.create(op.get_bind())
    isolate_tenants(op, "idempotency_key")
