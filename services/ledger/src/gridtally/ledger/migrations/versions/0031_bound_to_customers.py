"""What sessions that are bound to one customer see, and keys that are bound to one."""

from alembic import op

from gridtally.database.security import close_to_customers, show_own_rows, show_rows_of
from gridtally.http.keys import ADD_CUSTOMER

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    """What is named here is shown; a bound session sees nothing in any other table."""
    op.execute(ADD_CUSTOMER)
    close_to_customers(op)
    show_own_rows(op, "account", "transaction", "open_item", "allocation", "payment_plan")
    show_rows_of(op, "account", "posting")
