"""What marks days as due costs one row per agreement, and their days are marked later."""

from alembic import op

from gridtally.database.security import isolate_tenants

revision = "0004"
down_revision = "0003"

DUE_AGREEMENT = """
CREATE TABLE due_agreement (
    tenant_id text NOT NULL,
    agreement_id uuid NOT NULL,
    first_on date NOT NULL,
    last_on date NOT NULL,
    PRIMARY KEY (tenant_id, agreement_id),
    CONSTRAINT due_agreement_dates CHECK (last_on >= first_on)
)
"""


def upgrade() -> None:
    """One table, under row-level security."""
    op.execute(DUE_AGREEMENT)
    isolate_tenants(op, "due_agreement")
