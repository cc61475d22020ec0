"""What invoices and their lines rest on besides actual readings."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """What was issued before has none: null, which takes no rewriting."""
    op.execute("ALTER TABLE invoice ADD COLUMN quality jsonb")
    op.execute("ALTER TABLE invoice_line ADD COLUMN quality jsonb")
