"""The trail of erasures: whose names were erased, by which key and why."""

from alembic import op

from gridtally.database.security import append_only, isolate_tenants

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """The table; its rows are never changed."""
    op.execute(
        """
        CREATE TABLE erasure (
            tenant_id text NOT NULL,
            customer_id uuid NOT NULL,
            erased_at timestamptz NOT NULL,
            key_id text NOT NULL,
            reason text NOT NULL,
            correlation_id text NOT NULL,
            PRIMARY KEY (tenant_id, customer_id)
        )
        """
    )
    op.execute("CREATE INDEX erasure_newest ON erasure (tenant_id, erased_at, customer_id)")
    isolate_tenants(op, "erasure")
    append_only(op, "erasure")
