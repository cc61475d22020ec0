"""Daily costs, daily usage and customers' balances are called so."""

from alembic import op

revision = "0005"
down_revision = "0004"

RENAMES = """
ALTER TABLE day_usage RENAME TO daily_usage;
ALTER TABLE daily_usage RENAME CONSTRAINT day_usage_pkey TO daily_usage_pkey;
ALTER TABLE cost_day RENAME TO daily_cost;
ALTER TABLE daily_cost RENAME CONSTRAINT cost_day_pkey TO daily_cost_pkey;
ALTER TABLE daily_cost RENAME CONSTRAINT cost_day_gross TO daily_cost_gross;
ALTER TABLE daily_cost RENAME CONSTRAINT cost_day_currency TO daily_cost_currency;
ALTER TABLE customer_account RENAME TO customer_balance;
ALTER TABLE customer_balance RENAME CONSTRAINT customer_account_pkey TO customer_balance_pkey;
"""


def upgrade() -> None:
    """Names alone: rows, row-level security and privileges stay with their tables."""
    for statement in RENAMES.strip().removesuffix(";").split(";\n"):
        op.execute(statement)
