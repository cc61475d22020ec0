"""Agreements whose invoices begin later than they do."""

from alembic import op

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    """Those that there are were invoiced from their first day on."""
    op.execute("ALTER TABLE agreement ADD COLUMN billing_starts_on date")
