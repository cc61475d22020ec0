"""Opening balances: what customers' accounts were taken over with, from the books before these."""

from alembic import op

revision = "0029"
down_revision = "0028"

# What is there fits the wider rules, so it is looked at without keeping writers out.
_RULES = """
ALTER TABLE account DROP CONSTRAINT account_class_check;
ALTER TABLE account ADD CONSTRAINT account_class_check CHECK (class IN ('receivable', 'prepaid',
    'export_payable', 'deposit', 'payable', 'revenue', 'tax', 'cash', 'rounding', 'write_off',
    'suspense', 'opening_balance')) NOT VALID;
ALTER TABLE account VALIDATE CONSTRAINT account_class_check;
ALTER TABLE transaction DROP CONSTRAINT transaction_kind_check;
ALTER TABLE transaction ADD CONSTRAINT transaction_kind_check CHECK (kind IN ('invoice',
    'credit_note', 'payment', 'refund', 'write_off', 'adjustment', 'allocation', 'release',
    'reversal', 'assignment', 'settlement', 'deposit', 'opening_balance')) NOT VALID;
ALTER TABLE transaction VALIDATE CONSTRAINT transaction_kind_check;
CREATE INDEX transaction_opening_balance ON transaction (tenant_id, currency)
    WHERE kind = 'opening_balance'
"""


def upgrade() -> None:
    """Their account and their kind of transaction; an index by which they are added up."""
    for statement in _RULES.strip().split(";\n"):
        op.execute(statement)
