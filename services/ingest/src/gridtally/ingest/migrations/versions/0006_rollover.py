"""Registers that begin again at zero at any total, and not only after their last digit."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """What is stored of before begins again after its last digit: null."""
    op.execute("ALTER TABLE register_entry ADD COLUMN rollover_kwh numeric")
