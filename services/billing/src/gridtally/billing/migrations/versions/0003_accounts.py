"""What customers owe, copied from the ledger, and shown on the invoices that come next."""

from alembic import op

from gridtally.database.security import isolate_tenants

revision = "0003"
down_revision = "0002"

ACCOUNTS = """
CREATE TABLE customer_account (
    tenant_id text NOT NULL,
    customer_id uuid NOT NULL,
    currency text NOT NULL,
    balance numeric NOT NULL,
    arrears numeric NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (tenant_id, customer_id, currency)
);
ALTER TABLE invoice
    ADD COLUMN brought_forward numeric NOT NULL DEFAULT 0,
    ADD COLUMN arrears numeric NOT NULL DEFAULT 0;
ALTER TABLE invoice
    ALTER COLUMN brought_forward DROP DEFAULT,
    ALTER COLUMN arrears DROP DEFAULT;
"""


def upgrade() -> None:
    """Invoices until now brought nothing forward."""
    for statement in ACCOUNTS.strip().removesuffix(";").split(";\n"):
        op.execute(statement)
    isolate_tenants(op, "customer_account")
