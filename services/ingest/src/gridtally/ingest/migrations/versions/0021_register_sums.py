"""Registers whose sums of intervals are to be looked at, and how many decimals they show."""

from alembic import op

revision = "0021"
down_revision = "0020"

STATEMENTS = (
    "ALTER TABLE register_entry ADD COLUMN decimals smallint",
    """
CREATE TABLE register_check (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id      text COLLATE "C" NOT NULL,
    meter_id       uuid NOT NULL,
    flow           text COLLATE "C" NOT NULL,
    from_at        timestamptz NOT NULL,
    to_at          timestamptz NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000,
        autovacuum_vacuum_cost_delay = 0)""",
    "CREATE INDEX register_check_of_register ON register_check (tenant_id, meter_id, flow)",
)


def upgrade() -> None:
    """Of readings that are stored already nobody knows the decimals; their values show some."""
    for statement in STATEMENTS:
        op.execute(statement)
