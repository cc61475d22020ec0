"""Regions are published, also those that there are."""

from alembic import op

revision = "0006"
down_revision = "0005"

PUBLISHED = """
ALTER TABLE region ADD COLUMN published_version integer NOT NULL DEFAULT 0;
CREATE INDEX region_to_publish ON region (tenant_id, id) WHERE published_version < version"""


def upgrade() -> None:
    """The column; the loop publishes what is not."""
    for statement in PUBLISHED.split(";\n"):
        op.execute(statement)
