"""Agreements that are corrected for so many months only."""

from alembic import op

revision = "0040"
down_revision = "0039"


def upgrade() -> None:
    """Those that there are are corrected however late."""
    op.execute(
        """
        ALTER TABLE agreement
          ADD COLUMN back_billing_months smallint
              CONSTRAINT agreement_back_billing CHECK (back_billing_months BETWEEN 1 AND 120)
        """
    )
