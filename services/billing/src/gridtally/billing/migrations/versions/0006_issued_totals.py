"""What each customer was issued in all, and what of a published balance that is."""

from alembic import op

from gridtally.database.security import isolate_tenants

revision = "0006"
down_revision = "0005"

TOTALS = """
ALTER TABLE customer_balance ADD COLUMN invoiced_total numeric;
CREATE TABLE issued_total (
    tenant_id   text NOT NULL,
    customer_id uuid NOT NULL,
    currency    text NOT NULL,
    total       numeric NOT NULL,
    PRIMARY KEY (tenant_id, customer_id, currency)
);
LOCK TABLE number_series, invoice, credit_note IN SHARE MODE;
SELECT set_config('gridtally.tenant', '*', true);
INSERT INTO issued_total (tenant_id, customer_id, currency, total)
    SELECT tenant_id, customer_id, currency, sum(total)
      FROM (SELECT tenant_id, customer_id, currency, total FROM invoice
            UNION ALL
            SELECT tenant_id, customer_id, currency, -total FROM credit_note) AS documents
     GROUP BY tenant_id, customer_id, currency"""


def upgrade() -> None:
    """The sums of what there is; the ledger says the rest with its next `account.changed`."""
    for statement in TOTALS.split(";\n"):
        op.execute(statement)
    isolate_tenants(op, "issued_total")
