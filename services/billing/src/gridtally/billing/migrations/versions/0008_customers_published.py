"""Customers are published, also those that there are."""

from alembic import op

revision = "0008"
down_revision = "0007"

PUBLISHED = """
ALTER TABLE customer ADD COLUMN published boolean NOT NULL DEFAULT false;
CREATE INDEX customer_to_publish ON customer (tenant_id, id) WHERE NOT published"""


def upgrade() -> None:
    """The column; the loop publishes whoever is not."""
    for statement in PUBLISHED.split(";\n"):
        op.execute(statement)
