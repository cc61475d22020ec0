"""Dead letters have an id, a tenant, and what became of them."""

from alembic import op

from gridtally.messaging.tables import extend_dead_letters

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """The columns, and row-level security: what names no tenant is seen by workers alone."""
    extend_dead_letters(op)
