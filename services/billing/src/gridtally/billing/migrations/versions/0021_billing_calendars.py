"""Billing calendars of agreements and, for those that are made later, of customers."""

from alembic import op

revision = "0021"
down_revision = "0020"

_AGREEMENTS = """
ALTER TABLE agreement
  ADD COLUMN billing_calendar jsonb NOT NULL
      DEFAULT '{"months": 1, "anchor_month": 1, "start_day": 1}',
  ADD COLUMN earlier_calendars jsonb NOT NULL DEFAULT '[]'
"""


def upgrade() -> None:
    """Agreements that there are have been billed by calendar months."""
    op.execute(_AGREEMENTS)
    op.execute("ALTER TABLE customer ADD COLUMN billing_calendar jsonb")
