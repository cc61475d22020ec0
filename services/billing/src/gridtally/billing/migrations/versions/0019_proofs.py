"""The root of an invoice's proof, over all that it was computed from."""

from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """What was issued before has none: null, which takes no rewriting."""
    op.execute(
        "ALTER TABLE invoice ADD COLUMN proof_root text"
        " CONSTRAINT invoice_proof_root CHECK (proof_root ~ '^[0-9a-f]{64}$')"
    )
