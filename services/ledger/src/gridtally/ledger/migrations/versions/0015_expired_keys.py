"""Expired idempotency keys are found by age alone, of all tenants."""

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """The index that the sweep of expired keys reads; a new database has it since 0002."""
    op.execute("DROP INDEX idempotency_key_by_age")
    op.execute("CREATE INDEX idempotency_key_by_age ON idempotency_key (created_at)")
