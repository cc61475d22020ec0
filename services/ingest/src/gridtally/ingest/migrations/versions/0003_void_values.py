"""Blocks of registers can take values back; what registers cannot tell is held where it is seen."""

from alembic import op

from gridtally.database.security import isolate_tenants

revision = "0003"
down_revision = "0002"

STATEMENTS = """
-- 'R': of a register; estimated, and what older ones told of its intervals counts no more.
ALTER TABLE reading_block DROP CONSTRAINT reading_block_quality_check;
ALTER TABLE reading_block
  ADD CONSTRAINT reading_block_quality_check CHECK (quality IN ('A', 'E', 'S', 'R'));

-- A day may have lost all of its values.
ALTER TABLE channel_day DROP CONSTRAINT channel_day_present_check;
ALTER TABLE channel_day ADD CONSTRAINT channel_day_present_check CHECK (present >= 0);

-- When what is due can be gone on with (NULL: at once), and where any interval was ever told.
ALTER TABLE register_channel
  ADD COLUMN due_at timestamptz, ADD COLUMN told_from timestamptz, ADD COLUMN told_to timestamptz,
  ADD CONSTRAINT register_channel_told CHECK ((told_from IS NULL) = (told_to IS NULL));

CREATE TABLE held_stretch (
    tenant_id   text NOT NULL,
    meter_id    uuid NOT NULL,
    flow        text NOT NULL,
    start_at    timestamptz NOT NULL,
    end_at      timestamptz NOT NULL CHECK (end_at > start_at),
    reason      text NOT NULL CHECK (reason IN ('fall', 'other_dial', 'too_old')),
    start_value numeric NOT NULL,
    end_value   numeric NOT NULL,
    PRIMARY KEY (tenant_id, meter_id, flow, start_at)
)
"""


def upgrade() -> None:
    """Wider rules for what is there, and one table."""
    for statement in STATEMENTS.split(";\n"):
        op.execute(statement)
    isolate_tenants(op, "held_stretch")
