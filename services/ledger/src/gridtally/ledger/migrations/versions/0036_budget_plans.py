"""Budget plans: equal monthly amounts, and an account of each plan until it is settled."""

from alembic import op

from gridtally.database.security import isolate_tenants, show_own_rows

revision = "0036"
down_revision = "0035"

# What is there fits the wider rules, so it is looked at without keeping writers out.
_RULES = """
ALTER TABLE account DROP CONSTRAINT account_class_check;
ALTER TABLE account ADD CONSTRAINT account_class_check CHECK (class IN ('receivable', 'prepaid',
    'export_payable', 'deposit', 'budget', 'payable', 'revenue', 'tax', 'cash', 'rounding',
    'write_off', 'suspense', 'opening_balance')) NOT VALID;
ALTER TABLE account VALIDATE CONSTRAINT account_class_check;
ALTER TABLE account DROP CONSTRAINT account_of_customer;
ALTER TABLE account ADD CONSTRAINT account_of_customer CHECK ((customer_id IS NOT NULL) =
    (class IN ('receivable', 'prepaid', 'export_payable', 'deposit', 'budget'))) NOT VALID;
ALTER TABLE account VALIDATE CONSTRAINT account_of_customer;
ALTER TABLE transaction DROP CONSTRAINT transaction_kind_check;
ALTER TABLE transaction ADD CONSTRAINT transaction_kind_check CHECK (kind IN ('invoice',
    'credit_note', 'payment', 'refund', 'write_off', 'adjustment', 'allocation', 'release',
    'reversal', 'assignment', 'settlement', 'deposit', 'opening_balance', 'dunning_fee',
    'instalment', 'deferral', 'budget_settlement')) NOT VALID;
ALTER TABLE transaction VALIDATE CONSTRAINT transaction_kind_check
"""
_TABLE = """
CREATE TABLE budget_plan (
    tenant_id text NOT NULL,
    id uuid NOT NULL,
    customer_id uuid NOT NULL,
    currency text NOT NULL,
    start_on date NOT NULL,
    end_on date NOT NULL,
    due_days date[] NOT NULL,
    due_amounts numeric(38, 8)[] NOT NULL,
    settle_on date NOT NULL,
    agreed_at timestamptz NOT NULL,
    settled_at timestamptz,
    settled numeric(38, 8) NOT NULL,
    version integer NOT NULL,
    look_on date,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT budget_plan_days CHECK (start_on < end_on AND end_on <= settle_on),
    CONSTRAINT budget_plan_settled CHECK (settled_at IS NOT NULL OR settled = 0)
);
CREATE INDEX budget_plan_by_customer ON budget_plan (tenant_id, customer_id, agreed_at, id);
CREATE INDEX budget_plan_by_age ON budget_plan (tenant_id, agreed_at, id);
CREATE INDEX budget_plan_to_look_at ON budget_plan (look_on) WHERE look_on IS NOT NULL
"""


def upgrade() -> None:
    """Their class of accounts and kinds of transactions; a tenant that has agreed none has no row.
    A bound customer sees its own."""
    for statement in (*_RULES.strip().split(";\n"), *_TABLE.strip().split(";\n")):
        op.execute(statement)
    isolate_tenants(op, "budget_plan")
    show_own_rows(op, "budget_plan")
