"""Keys that are bound to one customer."""

from alembic import op

from gridtally.http.keys import ADD_CUSTOMER

revision = "0038"
down_revision = "0037"


def upgrade() -> None:
    """Keys that were there are bound to nobody."""
    op.execute(ADD_CUSTOMER)
