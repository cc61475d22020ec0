"""Refunds, write-offs and whatever else was posted for a customer is adopted too."""

from alembic import op

revision = "0023"
down_revision = "0022"

_COLUMNS = """
ALTER TABLE adopted_payment
    ADD COLUMN topic text NOT NULL DEFAULT 'payment.recorded.v1',
    ADD COLUMN tries integer NOT NULL DEFAULT 0
"""


def upgrade() -> None:
    """Which event waits, and how often it was looked at in vain."""
    op.execute(_COLUMNS)
    op.execute(
        "CREATE INDEX adopted_payment_by_customer ON adopted_payment (tenant_id, customer_id)"
    )
