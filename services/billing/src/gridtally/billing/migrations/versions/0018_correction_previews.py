"""Previews of corrections, for ever: a correction names the one that it was decided by."""

from alembic import op

from gridtally.database.security import append_only, isolate_tenants

revision = "0018"
down_revision = "0017"

TABLE = """
CREATE TABLE correction_preview (
    tenant_id text NOT NULL,
    id uuid NOT NULL,
    document jsonb NOT NULL,
    made_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id)
)"""


def upgrade() -> None:
    """One table, under row-level security and append-only."""
    op.execute(TABLE)
    isolate_tenants(op, "correction_preview")
    append_only(op, "correction_preview")
