"""Held periods that somebody has dismissed: of which nothing is billed."""

from alembic import op

revision = "0029"
down_revision = "0028"

_STATEMENTS = """
ALTER TABLE held_period ADD COLUMN dismissed_at timestamptz, ADD COLUMN dismissed_by text,
  ADD COLUMN dismissal text, ADD CONSTRAINT held_period_dismissed
      CHECK (num_nonnulls(dismissed_at, dismissed_by, dismissal) IN (0, 3));
DROP INDEX held_period_due;
CREATE INDEX held_period_due ON held_period (tenant_id) WHERE due AND dismissed_at IS NULL
"""


def upgrade() -> None:
    """Nothing is dismissed yet."""
    for statement in _STATEMENTS.split(";\n"):
        op.execute(statement)
