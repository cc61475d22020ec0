"""Money for nobody who is known stands in suspense, until it is assigned or paid back."""

from alembic import op

from gridtally.database.security import isolate_tenants

revision = "0013"
down_revision = "0012"

# Whoever has an account is known; billing publishes all customers once, those without one too.
SUSPENSE = """
ALTER TABLE account DROP CONSTRAINT account_class_check;
ALTER TABLE account ADD CONSTRAINT account_class_check CHECK (class IN ('receivable', 'prepaid',
    'export_payable', 'revenue', 'tax', 'cash', 'rounding', 'write_off', 'suspense'));
ALTER TABLE transaction DROP CONSTRAINT transaction_kind_check;
ALTER TABLE transaction ADD CONSTRAINT transaction_kind_check CHECK (kind IN ('invoice',
    'credit_note', 'payment', 'refund', 'write_off', 'adjustment', 'allocation', 'release',
    'reversal', 'assignment'));
CREATE TABLE known_customer (
    tenant_id text NOT NULL,
    id        uuid NOT NULL,
    currency  text NOT NULL,
    PRIMARY KEY (tenant_id, id, currency)
);
CREATE TABLE unmatched_payment (
    tenant_id   text NOT NULL,
    id          uuid NOT NULL,
    customer_id uuid NOT NULL,
    currency    text NOT NULL,
    amount      numeric(38, 8) NOT NULL CONSTRAINT unmatched_payment_amount CHECK (amount > 0),
    resolved_by uuid,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX unmatched_payment_open ON unmatched_payment (tenant_id, recorded_at, id)
    WHERE resolved_by IS NULL;
CREATE INDEX unmatched_payment_by_customer ON unmatched_payment (tenant_id, customer_id, currency)
    WHERE resolved_by IS NULL;
SELECT set_config('gridtally.tenant', '*', true);
INSERT INTO known_customer (tenant_id, id, currency)
    SELECT DISTINCT tenant_id, customer_id, currency FROM account WHERE customer_id IS NOT NULL"""
REFUSE_SECOND = """
-- A payment is given to one customer, or paid back, once: only a reversal makes it open again.
CREATE FUNCTION refuse_second_resolution() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.resolved_by IS NOT NULL AND NEW.resolved_by IS NOT NULL
       AND NEW.resolved_by <> OLD.resolved_by
       OR (NEW.tenant_id, NEW.id, NEW.customer_id, NEW.currency, NEW.amount)
       <> (OLD.tenant_id, OLD.id, OLD.customer_id, OLD.currency, OLD.amount)
    THEN
        RAISE EXCEPTION 'payment % is assigned or paid back already', OLD.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'resolved_once';
    END IF;
    RETURN NEW;
END $$
"""


def upgrade() -> None:
    """An account class, a kind of transaction, who is known, and what is unmatched."""
    for statement in SUSPENSE.split(";\n"):
        op.execute(statement)
    op.execute(REFUSE_SECOND)
    op.execute(
        "CREATE TRIGGER resolved_once BEFORE UPDATE ON unmatched_payment FOR EACH ROW "
        "EXECUTE FUNCTION refuse_second_resolution()"
    )
    isolate_tenants(op, "known_customer", "unmatched_payment")
