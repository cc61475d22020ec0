"""Events that were withdrawn: their blocks stay stored and count no more."""

from alembic import op

from gridtally.database.security import append_only, isolate_tenants

revision = "0010"
down_revision = "0009"

TABLE = """
CREATE TABLE withdrawn_event (
    tenant_id    text COLLATE "C" NOT NULL,
    meter_id     uuid NOT NULL,
    flow         text COLLATE "C" NOT NULL,
    event_id     uuid NOT NULL,
    withdrawn_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, meter_id, flow, event_id)
)
"""


def upgrade() -> None:
    """A table of its own; no block is changed."""
    op.execute(TABLE)
    isolate_tenants(op, "withdrawn_event")
    append_only(op, "withdrawn_event")
