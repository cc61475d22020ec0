"""Keys that are bound to one customer, and sessions that are, which see nothing here."""

from alembic import op

from gridtally.database.security import close_to_customers
from gridtally.http.keys import ADD_CUSTOMER

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """A bound session sees nothing of any table."""
    op.execute(ADD_CUSTOMER)
    close_to_customers(op)
