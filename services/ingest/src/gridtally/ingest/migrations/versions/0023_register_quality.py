"""How each reading of a register came to be: an estimate is not held against intervals."""

from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """Of readings that are stored already nobody knows it; they count as measured, as before."""
    op.execute("ALTER TABLE register_entry ADD COLUMN quality text")
