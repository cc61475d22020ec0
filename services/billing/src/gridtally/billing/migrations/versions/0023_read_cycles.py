"""Read cycles, and the agreements that are billed by one."""

from alembic import op

from gridtally.database.security import isolate_tenants

revision = "0023"
down_revision = "0022"

_READ_CYCLE = """
CREATE TABLE read_cycle (
    tenant_id text NOT NULL,
    name text NOT NULL,
    dates jsonb NOT NULL,
    version integer NOT NULL DEFAULT 1,
    spread boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, name),
    CONSTRAINT read_cycle_version CHECK (version >= 1)
)
"""
_AGREEMENTS = """
ALTER TABLE agreement
  ADD COLUMN read_cycle text GENERATED ALWAYS AS (billing_calendar ->> 'read_cycle') STORED
"""


def upgrade() -> None:
    """Nobody has a read cycle yet."""
    op.execute(_READ_CYCLE)
    op.execute("CREATE INDEX read_cycle_unspread ON read_cycle (tenant_id, name) WHERE NOT spread")
    op.execute(_AGREEMENTS)
    op.execute(
        "CREATE INDEX agreement_by_read_cycle ON agreement (tenant_id, read_cycle, id) "
        "WHERE read_cycle IS NOT NULL"
    )
    isolate_tenants(op, "read_cycle")
