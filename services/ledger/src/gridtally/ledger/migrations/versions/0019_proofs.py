"""The root of an invoice's proof is booked with it, and so sealed."""

from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """What was booked before has none: null, which takes no rewriting and is not sealed."""
    op.execute(
        "ALTER TABLE transaction ADD COLUMN proof_root text"
        " CONSTRAINT transaction_proof_root CHECK (proof_root ~ '^[0-9a-f]{64}$')"
    )
