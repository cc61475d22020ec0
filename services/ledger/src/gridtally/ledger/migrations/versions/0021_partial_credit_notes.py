"""Credit notes of a part of an invoice, which reverse nothing."""

from alembic import op

revision = "0021"
down_revision = "0020"

# What is there fits the narrower rule, so it is looked at without keeping writers out.
_REVERSES = """
ALTER TABLE transaction DROP CONSTRAINT transaction_reverses;
ALTER TABLE transaction ADD CONSTRAINT transaction_reverses CHECK (CASE kind
    WHEN 'reversal' THEN reverses_id IS NOT NULL
    WHEN 'credit_note' THEN true
    ELSE reverses_id IS NULL END) NOT VALID;
ALTER TABLE transaction VALIDATE CONSTRAINT transaction_reverses;
"""


def upgrade() -> None:
    """A credit note need not cancel its invoice."""
    for statement in _REVERSES.strip().rstrip(";").split(";"):
        op.execute(statement)
