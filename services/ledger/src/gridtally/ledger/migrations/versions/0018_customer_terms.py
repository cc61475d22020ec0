"""Customers may have days of their own until an invoice is due, as billing publishes them."""

from alembic import op

from gridtally.database.security import isolate_tenants

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """The table; a customer without a row has the tenant's payment terms."""
    op.execute(
        """
        CREATE TABLE customer_terms (
            tenant_id text NOT NULL,
            customer_id uuid NOT NULL,
            payment_days integer,
            version bigint NOT NULL,
            PRIMARY KEY (tenant_id, customer_id),
            CONSTRAINT customer_terms_payment_days CHECK (payment_days BETWEEN 0 AND 365)
        )
        """
    )
    isolate_tenants(op, "customer_terms")
