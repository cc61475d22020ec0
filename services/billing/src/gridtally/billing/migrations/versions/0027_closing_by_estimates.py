"""Agreements whose periods close with estimates of what they lack."""

from alembic import op

revision = "0027"
down_revision = "0026"

_CLOSING = """
ALTER TABLE agreement
  DROP CONSTRAINT agreement_closing,
  ADD CONSTRAINT agreement_closing CHECK (closing IN ('wait', 'bill_present', 'estimate'))
"""


def upgrade() -> None:
    """No agreement that there is closes so."""
    op.execute(_CLOSING)
