"""Price series of 5 and 10 minutes, as markets settle since Australia's reform of 2021."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Let the constraint have all lengths that readings have."""
    op.execute(
        "ALTER TABLE price_series DROP CONSTRAINT price_series_minutes_check,"
        " ADD CONSTRAINT price_series_minutes_check CHECK (minutes IN (5, 10, 15, 30, 60))"
    )
