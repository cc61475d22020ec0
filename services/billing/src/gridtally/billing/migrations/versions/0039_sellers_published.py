"""Letterheads are published, also those that there are."""

from alembic import op

from gridtally.database.security import isolate_tenants

revision = "0039"
down_revision = "0038"


def upgrade() -> None:
    """How far they are: a letterhead itself never changes. The loop publishes what is not."""
    op.execute(
        """
        CREATE TABLE published_seller (
            tenant_id text PRIMARY KEY,
            version integer NOT NULL
        )
        """
    )
    isolate_tenants(op, "published_seller")
