"""The tables in the words of the glossary; what they hold stays, but for two reasons' names."""

from alembic import op

revision = "0004"
down_revision = "0003"

STATEMENTS = """
ALTER TABLE usage_pending RENAME TO changed_day;
ALTER INDEX usage_pending_pkey RENAME TO changed_day_pkey;
ALTER INDEX usage_pending_due RENAME TO changed_day_due;
ALTER INDEX usage_pending_channel_day RENAME TO changed_day_channel_day;
ALTER SEQUENCE usage_pending_id_seq RENAME TO changed_day_id_seq;

ALTER TABLE waiting_block RENAME TO pending_block;
ALTER INDEX waiting_block_pkey RENAME TO pending_block_pkey;
ALTER SEQUENCE waiting_block_seq_seq RENAME TO pending_block_seq_seq;

ALTER TABLE tally RENAME TO intake_count;
ALTER TABLE intake_count RENAME COLUMN waiting TO pending;
ALTER INDEX tally_pkey RENAME TO intake_count_pkey;
ALTER TABLE intake_count RENAME CONSTRAINT tally_adds_up TO intake_count_adds_up;

ALTER TABLE meter RENAME COLUMN type TO meter_type;

ALTER TABLE register_channel RENAME COLUMN told_from TO reported_from;
ALTER TABLE register_channel RENAME COLUMN told_to TO reported_to;
ALTER TABLE register_channel
  RENAME CONSTRAINT register_channel_told TO register_channel_reported;

ALTER TABLE held_stretch RENAME TO register_exception;
ALTER INDEX held_stretch_pkey RENAME TO register_exception_pkey;
ALTER TABLE register_exception
  RENAME CONSTRAINT held_stretch_check TO register_exception_check;
ALTER TABLE register_exception DROP CONSTRAINT held_stretch_reason_check;
UPDATE register_exception SET reason = CASE reason WHEN 'fall' THEN 'decrease'
                                                   ELSE 'register_mismatch' END
 WHERE reason IN ('fall', 'other_dial');
ALTER TABLE register_exception ADD CONSTRAINT register_exception_reason_check
  CHECK (reason IN ('decrease', 'register_mismatch', 'too_old'))
"""


def upgrade() -> None:
    """Names and two values; no row is copied."""
    op.execute("SELECT set_config('gridtally.tenant', '*', true)")  # to see every tenant's rows
    for statement in STATEMENTS.split(";\n"):
        op.execute(statement)
