"""What each tenant's new resources have where nothing else is said."""

from alembic import op

from gridtally.database.security import isolate_tenants

revision = "0028"
down_revision = "0027"

_TABLE = """
CREATE TABLE tenant_defaults (
    tenant_id text PRIMARY KEY,
    zone text,
    currency text,
    country text,
    meters jsonb,
    version integer NOT NULL DEFAULT 1,
    updated_at timestamptz NOT NULL DEFAULT now()
)
"""


def upgrade() -> None:
    """A tenant that has set nothing has no row."""
    op.execute(_TABLE)
    isolate_tenants(op, "tenant_defaults")
