"""Whose entries of readings are: those that a customer has sent, beside the sealed chain."""

from alembic import op

from gridtally.database.security import isolate_tenants

revision = "0038"
down_revision = "0037"

_TABLE = """
CREATE TABLE customer_reading (
    tenant_id text NOT NULL,
    entry_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    PRIMARY KEY (tenant_id, entry_id)
)
"""


def upgrade() -> None:
    """Of what the old version, which may still run, takes from customers it says nothing: that
    counts as the supplier's."""
    op.execute(_TABLE)
    isolate_tenants(op, "customer_reading")
