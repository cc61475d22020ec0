"""Credit notes by hand that are given again on the invoice of a correction."""

from alembic import op

revision = "0025"
down_revision = "0024"

_REPEATED = """
ALTER TABLE credit_note
  ADD COLUMN repeat_on_correction boolean NOT NULL DEFAULT false,
  ADD COLUMN repeats uuid,
  ADD CONSTRAINT credit_note_repeats
      CHECK (extent = 'part' OR (repeats IS NULL AND NOT repeat_on_correction))
"""


def upgrade() -> None:
    """Those that there are end with their invoice, as was said when they were made."""
    op.execute(_REPEATED)
