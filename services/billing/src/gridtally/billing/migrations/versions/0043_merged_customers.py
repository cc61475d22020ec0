"""Customers who were merged into another one, and who did that and why."""

from alembic import op

from gridtally.database.security import append_only, isolate_tenants

revision = "0043"
down_revision = "0042"

# The survivor is no foreign key: after a restore customers come back in any order.
_STATEMENTS = """
ALTER TABLE customer ADD COLUMN merged_into uuid;
ALTER TABLE customer ADD CONSTRAINT customer_merged CHECK (merged_into <> id) NOT VALID;
ALTER TABLE customer VALIDATE CONSTRAINT customer_merged;
CREATE INDEX customer_by_survivor ON customer (tenant_id, merged_into, name, id)
    WHERE merged_into IS NOT NULL;
CREATE TABLE customer_merge (
    tenant_id text NOT NULL,
    id uuid NOT NULL,
    duplicate_id uuid NOT NULL,
    survivor_id uuid NOT NULL,
    reason text NOT NULL,
    merged_by text NOT NULL,
    merged_at timestamptz NOT NULL,
    correlation_id text NOT NULL,
    agreement_ids jsonb NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX customer_merge_newest ON customer_merge (tenant_id, merged_at, id)
"""


def upgrade() -> None:
    """Nobody was merged yet."""
    for statement in _STATEMENTS.strip().split(";\n"):
        op.execute(statement)
    isolate_tenants(op, "customer_merge")
    append_only(op, "customer_merge")
