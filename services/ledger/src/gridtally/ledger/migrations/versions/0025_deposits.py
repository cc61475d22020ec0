"""Deposits: money that is held for customers, on accounts of theirs that are never overdrawn."""

from alembic import op

revision = "0025"
down_revision = "0024"

# What is there fits the wider rules, so it is looked at without keeping writers out.
_RULES = """
ALTER TABLE account DROP CONSTRAINT account_class_check;
ALTER TABLE account ADD CONSTRAINT account_class_check CHECK (class IN ('receivable', 'prepaid',
    'export_payable', 'deposit', 'payable', 'revenue', 'tax', 'cash', 'rounding', 'write_off',
    'suspense')) NOT VALID;
ALTER TABLE account VALIDATE CONSTRAINT account_class_check;
ALTER TABLE account DROP CONSTRAINT account_of_customer;
ALTER TABLE account ADD CONSTRAINT account_of_customer CHECK ((customer_id IS NOT NULL) =
    (class IN ('receivable', 'prepaid', 'export_payable', 'deposit'))) NOT VALID;
ALTER TABLE account VALIDATE CONSTRAINT account_of_customer;
ALTER TABLE transaction DROP CONSTRAINT transaction_kind_check;
ALTER TABLE transaction ADD CONSTRAINT transaction_kind_check CHECK (kind IN ('invoice',
    'credit_note', 'payment', 'refund', 'write_off', 'adjustment', 'allocation', 'release',
    'reversal', 'assignment', 'settlement', 'deposit')) NOT VALID;
ALTER TABLE transaction VALIDATE CONSTRAINT transaction_kind_check;
DROP TRIGGER overdraft ON account;
CREATE TRIGGER overdraft AFTER INSERT OR UPDATE ON account FOR EACH ROW
    WHEN (NEW.class IN ('prepaid', 'deposit') AND NEW.debits > NEW.credits)
    EXECUTE FUNCTION refuse_overdraft()
"""


def upgrade() -> None:
    """Accounts and transactions of deposits; what a deposit holds is never spent twice."""
    for statement in _RULES.strip().split(";\n"):
        op.execute(statement)
