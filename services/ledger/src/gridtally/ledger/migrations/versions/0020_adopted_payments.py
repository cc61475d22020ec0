"""Payments that were taken over from their topic, until what they pay is posted again."""

from alembic import op

from gridtally.database.security import isolate_tenants

revision = "0020"
down_revision = "0019"

_ADOPTED_PAYMENT = """
CREATE TABLE adopted_payment (
    tenant_id text NOT NULL,
    transaction_id uuid NOT NULL,
    payment_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    event bytea NOT NULL,
    correlation_id text NOT NULL,
    occurred_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, transaction_id)
)
"""


def upgrade() -> None:
    """Empty, but after a restore."""
    op.execute(_ADOPTED_PAYMENT)
    op.execute("CREATE INDEX adopted_payment_by_payment ON adopted_payment (tenant_id, payment_id)")
    isolate_tenants(op, "adopted_payment")
