"""How credit is used: by the terms of its tenant, also credit that there is already."""

from alembic import op

revision = "0011"
down_revision = "0010"

# Nothing is posted here: the loop applies the credit of those who are marked.
RULES = """
ALTER TABLE payment_terms
    ADD COLUMN credit_allocation text NOT NULL DEFAULT 'oldest_first'
        CONSTRAINT payment_terms_allocation
            CHECK (credit_allocation IN ('oldest_first', 'manual')),
    ADD COLUMN credit_deallocation text NOT NULL DEFAULT 'newest_first'
        CONSTRAINT payment_terms_deallocation
            CHECK (credit_deallocation IN ('newest_first', 'oldest_first'));
ALTER TABLE customer ADD COLUMN credit_due boolean NOT NULL DEFAULT false;
SELECT set_config('gridtally.tenant', '*', true);
UPDATE customer c SET credit_due = true
  FROM account a
 WHERE a.tenant_id = c.tenant_id AND a.customer_id = c.id
   AND a.class IN ('prepaid', 'export_payable') AND a.credits > a.debits;
CREATE INDEX customer_credit_due ON customer (tenant_id, id) WHERE credit_due"""


def upgrade() -> None:
    """Two columns of the terms, and a mark on customers who have credit."""
    for statement in RULES.split(";\n"):
        op.execute(statement)
