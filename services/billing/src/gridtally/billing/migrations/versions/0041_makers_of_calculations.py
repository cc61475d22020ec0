"""Calculations that customers made by themselves, apart from those of the seller's staff."""

from alembic import op

from gridtally.database.security import CUSTOMER, show_to_customers

revision = "0041"
down_revision = "0040"


def upgrade() -> None:
    """Nobody knows who made those that there are, so they stay the staff's; a bound session sees
    what its customer made, and no longer what staff tried for it."""
    op.execute("ALTER TABLE calculated_bill ADD COLUMN by_customer boolean NOT NULL DEFAULT false")
    op.execute("DROP POLICY customer ON calculated_bill")
    show_to_customers(op, "calculated_bill", f"by_customer AND customer_id::text = {CUSTOMER}")
