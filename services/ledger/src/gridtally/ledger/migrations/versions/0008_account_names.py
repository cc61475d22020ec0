"""Open items are allocated and customers' balances published: columns, indexes, a constraint."""

from alembic import op

revision = "0008"
down_revision = "0007"

# In the order in which writers lock them, so that none is waited for that waits for us.
NAMES = """
ALTER TABLE customer RENAME COLUMN announced TO published_version;
ALTER INDEX customer_to_announce RENAME TO customer_to_publish;
ALTER TABLE open_item RENAME COLUMN settled TO allocated;
ALTER TABLE open_item RENAME COLUMN overdue_told TO overdue_reported;
ALTER TABLE open_item RENAME CONSTRAINT open_item_settled TO open_item_allocated"""


def upgrade() -> None:
    """New names for what is there; no row changes."""
    for statement in NAMES.split(";\n"):
        op.execute(statement)
