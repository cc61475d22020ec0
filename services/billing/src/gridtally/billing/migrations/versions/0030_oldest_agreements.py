"""Agreements by their age, for the list of those whose meter or tariff nobody knows yet."""

from alembic import op

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    """The oldest come first."""
    op.execute("CREATE INDEX agreement_by_age ON agreement (tenant_id, created_at, id)")
