"""Runs of dunning that begin by themselves each day, where a tenant's rules say so."""

from alembic import op

revision = "0041"
down_revision = "0040"


def upgrade() -> None:
    """Nobody's runs do until somebody asks for it."""
    op.execute("ALTER TABLE dunning_rules ADD COLUMN runs_daily boolean NOT NULL DEFAULT false")
