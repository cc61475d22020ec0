"""Pending blocks have a quota and an age: what goes beyond is dropped, and counted."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """The count, which belongs to the sum of outcomes, and the index that finds the oldest blocks.

    The old version may run meanwhile: it drops nothing, so that its rows still add up."""
    op.execute("ALTER TABLE intake_count ADD COLUMN dropped bigint NOT NULL DEFAULT 0")
    op.execute("ALTER TABLE intake_count DROP CONSTRAINT intake_count_adds_up")
    op.execute(
        "ALTER TABLE intake_count ADD CONSTRAINT intake_count_adds_up "
        "CHECK (received = stored + duplicates + quarantined + pending + dropped)"
    )
    op.execute("CREATE INDEX pending_block_by_age ON pending_block (recorded_at)")
