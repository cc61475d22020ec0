"""Billing calendars of agreements."""

from alembic import op

revision = "0011"
down_revision = "0010"

_AGREEMENTS = """
ALTER TABLE agreement
  ADD COLUMN calendars jsonb NOT NULL
      DEFAULT '{"current": {"months": 1, "anchor_month": 1, "start_day": 1}, "earlier": []}'
"""


def upgrade() -> None:
    """Agreements that there are have calendar months."""
    op.execute(_AGREEMENTS)
