"""Readings of reactive flows: wider rules for what a channel may be."""

from alembic import op

revision = "0005"
down_revision = "0004"

FLOWS = "('import', 'export', 'load', 'generation', 'reactive_import', 'reactive_export')"
STATEMENTS = f"""
ALTER TABLE reading_block DROP CONSTRAINT reading_block_flow_check;
ALTER TABLE reading_block ADD CONSTRAINT reading_block_flow_check CHECK (flow IN {FLOWS});
ALTER TABLE channel_day DROP CONSTRAINT channel_day_flow_check;
ALTER TABLE channel_day ADD CONSTRAINT channel_day_flow_check CHECK (flow IN {FLOWS})
"""


def upgrade() -> None:
    """Every row that is there satisfies the new rules as it did the old."""
    for statement in STATEMENTS.split(";\n"):
        op.execute(statement)
