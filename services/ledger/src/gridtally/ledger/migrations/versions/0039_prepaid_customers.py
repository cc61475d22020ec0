"""Customers on prepayment, as billing says: they have no budget plan, and their credit pays."""

from alembic import op

from gridtally.database.security import isolate_tenants

revision = "0039"
down_revision = "0038"

_TABLE = """
CREATE TABLE prepaid_customer (
    tenant_id text NOT NULL,
    customer_id uuid NOT NULL,
    is_active boolean NOT NULL,
    version integer NOT NULL,
    PRIMARY KEY (tenant_id, customer_id)
)
"""


def upgrade() -> None:
    """Nobody is on prepayment until billing has said so."""
    op.execute(_TABLE)
    isolate_tenants(op, "prepaid_customer")
