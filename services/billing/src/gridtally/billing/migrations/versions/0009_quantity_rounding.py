"""How the energy of each interval was rounded before a line of an invoice priced it."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """What was issued before was not rounded: null, which takes no rewriting."""
    op.execute("ALTER TABLE invoice_line ADD COLUMN quantity_rounding jsonb")
