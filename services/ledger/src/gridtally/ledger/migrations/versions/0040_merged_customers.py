"""Customers who were merged into another one, and transactions that move what they had."""

from alembic import op

revision = "0040"
down_revision = "0039"

# What is there fits the wider rule, so it is looked at without keeping writers out.
_STEPS = """
ALTER TABLE transaction DROP CONSTRAINT transaction_kind_check;
ALTER TABLE transaction ADD CONSTRAINT transaction_kind_check CHECK (kind IN ('invoice',
    'credit_note', 'payment', 'refund', 'write_off', 'adjustment', 'allocation', 'release',
    'reversal', 'assignment', 'settlement', 'deposit', 'opening_balance', 'dunning_fee',
    'instalment', 'deferral', 'budget_settlement', 'merge')) NOT VALID;
ALTER TABLE transaction VALIDATE CONSTRAINT transaction_kind_check;
ALTER TABLE customer ADD COLUMN merged_into uuid;
CREATE INDEX customer_by_survivor ON customer (tenant_id, merged_into)
    WHERE merged_into IS NOT NULL;
ALTER TABLE open_item ADD COLUMN opened_for uuid
"""


def upgrade() -> None:
    """Nobody was merged so far: both columns are empty, and the old version passes them over."""
    for statement in _STEPS.strip().split(";\n"):
        op.execute(statement)
