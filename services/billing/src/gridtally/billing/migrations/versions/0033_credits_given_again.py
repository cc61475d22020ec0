"""Credits by hand that are given again on collective invoices: where each lives by now."""

from alembic import op

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    """An index; few notes repeat another."""
    op.execute(
        "CREATE INDEX credit_note_by_repeated ON credit_note (tenant_id, repeats) "
        "WHERE repeats IS NOT NULL"
    )
