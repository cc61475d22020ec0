"""Payees have accounts: what lines of invoices name them for, and what was paid to them."""

from alembic import op

from gridtally.database.security import isolate_tenants

revision = "0024"
down_revision = "0023"

# What is there fits the narrower rules, so it is looked at without keeping writers out.
_RULES = """
ALTER TABLE account DROP CONSTRAINT account_class_check;
ALTER TABLE account ADD CONSTRAINT account_class_check CHECK (class IN ('receivable', 'prepaid',
    'export_payable', 'payable', 'revenue', 'tax', 'cash', 'rounding', 'write_off', 'suspense'))
    NOT VALID;
ALTER TABLE account VALIDATE CONSTRAINT account_class_check;
ALTER TABLE transaction DROP CONSTRAINT transaction_kind_check;
ALTER TABLE transaction ADD CONSTRAINT transaction_kind_check CHECK (kind IN ('invoice',
    'credit_note', 'payment', 'refund', 'write_off', 'adjustment', 'allocation', 'release',
    'reversal', 'assignment', 'settlement')) NOT VALID;
ALTER TABLE transaction VALIDATE CONSTRAINT transaction_kind_check;
ALTER TABLE transaction ALTER COLUMN customer_id DROP NOT NULL;
ALTER TABLE transaction ADD CONSTRAINT transaction_customer CHECK (CASE kind
    WHEN 'settlement' THEN customer_id IS NULL
    WHEN 'reversal' THEN true
    ELSE customer_id IS NOT NULL END) NOT VALID;
ALTER TABLE transaction VALIDATE CONSTRAINT transaction_customer
"""
# Documents that were booked before stay what they are: what payees get of them is revenue. How many
# there are says why payees may be owed less than the lines of all invoices come to.
_BOOKED_BY_KIND = """
CREATE TABLE booked_by_kind (
    tenant_id text NOT NULL,
    currency  text NOT NULL,
    documents bigint NOT NULL,
    PRIMARY KEY (tenant_id, currency)
);
INSERT INTO booked_by_kind
    SELECT tenant_id, currency, count(*) FROM transaction
     WHERE kind IN ('invoice', 'credit_note') GROUP BY tenant_id, currency
"""


def upgrade() -> None:
    """Accounts and transactions of payees, and what was booked before."""
    for statement in _RULES.strip().split(";\n"):
        op.execute(statement)
    op.execute("SELECT set_config('gridtally.tenant', '*', true)")
    for statement in _BOOKED_BY_KIND.strip().split(";\n"):
        op.execute(statement)
    isolate_tenants(op, "booked_by_kind")
