"""Channels of reactive flows; registers count active energy alone."""

from alembic import op

revision = "0009"
down_revision = "0008"

FLOWS = "('import', 'export', 'load', 'generation', 'reactive_import', 'reactive_export')"
STATEMENTS = f"""
ALTER TABLE channel DROP CONSTRAINT channel_flow_check;
ALTER TABLE channel ADD CONSTRAINT channel_flow_check CHECK (flow IN {FLOWS})
"""


def upgrade() -> None:
    """Every channel that is there satisfies the new rule as it did the old."""
    for statement in STATEMENTS.split(";\n"):
        op.execute(statement)
