"""Periods that an agreement no longer has, and agreements that were cancelled, and have no days."""

from alembic import op

revision = "0015"
down_revision = "0014"

# A period that is planned again, since its agreement changed, counts its revisions on.
_STATEMENTS = """
ALTER TABLE agreement DROP CONSTRAINT agreement_check;
ALTER TABLE agreement ADD CONSTRAINT agreement_dates CHECK (end_on >= start_on);
ALTER TABLE period DROP CONSTRAINT period_state_check;
ALTER TABLE period ADD CONSTRAINT period_state CHECK (state IN ('open', 'closed', 'cancelled'));
ALTER TABLE period DROP CONSTRAINT period_closed_has_revision;
ALTER TABLE period ADD CONSTRAINT period_closed_has_revision
    CHECK (CASE state WHEN 'open' THEN closed_by IS NULL ELSE revision > 0 END)
"""


def upgrade() -> None:
    """No period is cancelled yet."""
    for statement in _STATEMENTS.split(";\n"):
        op.execute(statement)
