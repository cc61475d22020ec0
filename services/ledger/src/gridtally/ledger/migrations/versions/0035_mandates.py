"""Find the debits by a mandate, whoever's it is: what was signed under an id stays that."""

from alembic import op

revision = "0035"
down_revision = "0034"


def upgrade() -> None:
    """An index of debits by mandate."""
    op.execute("CREATE INDEX direct_debit_by_mandate ON direct_debit (tenant_id, mandate_id)")
