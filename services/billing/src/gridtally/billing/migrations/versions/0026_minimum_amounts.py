"""Customers whose small bills wait for the next one."""

from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    """Nobody's bills wait yet."""
    op.execute(
        "ALTER TABLE customer ADD COLUMN minimum_amount numeric, "
        "ADD COLUMN minimum_periods_max integer NOT NULL DEFAULT 12, "
        "ADD CONSTRAINT customer_minimum_amount CHECK (minimum_amount IS NULL "
        "OR (minimum_amount >= 0 AND invoicing = 'collective')), "
        "ADD CONSTRAINT customer_minimum_periods_max "
        "CHECK (minimum_periods_max BETWEEN 1 AND 120)"
    )
