"""What each tenant's new customers have where nothing else is said, as the ledger publishes it."""

from alembic import op

from gridtally.database.security import isolate_tenants

revision = "0034"
down_revision = "0033"

_TABLE = """
CREATE TABLE tenant_defaults (
    tenant_id text PRIMARY KEY,
    currency text,
    country text,
    version integer NOT NULL
)
"""


def upgrade() -> None:
    """The topic is read from its beginning, so those that there are come by themselves."""
    op.execute(_TABLE)
    isolate_tenants(op, "tenant_defaults")
