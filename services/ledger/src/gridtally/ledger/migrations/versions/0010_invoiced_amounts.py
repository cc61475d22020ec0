"""What of a customer's account invoices and credit notes have made, published with its balance."""

from alembic import op

revision = "0010"
down_revision = "0009"

# Every balance is published once more, because those on the topic do not say it.
INVOICED = """
ALTER TABLE account ADD COLUMN invoiced numeric(38, 8) NOT NULL DEFAULT 0;
SELECT set_config('gridtally.tenant', '*', true);
UPDATE account a SET invoiced = d.amount
  FROM (SELECT p.tenant_id, p.account_id, sum(p.amount) AS amount
          FROM posting p
          JOIN transaction t ON t.tenant_id = p.tenant_id AND t.id = p.transaction_id
         WHERE t.kind IN ('invoice', 'credit_note')
         GROUP BY p.tenant_id, p.account_id) AS d
 WHERE a.tenant_id = d.tenant_id AND a.id = d.account_id AND a.customer_id IS NOT NULL;
UPDATE customer SET version = version + 1"""


def upgrade() -> None:
    """The column, what it is for accounts that there are, and their balances to be published."""
    for statement in INVOICED.split(";\n"):
        op.execute(statement)
