"""What documents of accounts name: customers by name and address, and letterheads.

Customers are read again from their compacted topic, since what is stored of them has no names.
"""

from alembic import op

from gridtally.database.security import (
    append_only,
    isolate_tenants,
    show_common_rows,
    show_own_rows,
)

revision = "0032"
down_revision = "0031"

_TABLES = """
CREATE TABLE addressee (
    tenant_id text NOT NULL,
    customer_id uuid NOT NULL,
    name text NOT NULL,
    number text NOT NULL,
    street text,
    postcode text,
    city text,
    country text,
    language text,
    version bigint NOT NULL,
    PRIMARY KEY (tenant_id, customer_id)
);
CREATE TABLE seller (
    tenant_id text NOT NULL,
    version bigint NOT NULL,
    published jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, version)
);
DELETE FROM consumed WHERE topic = 'customer.changed.v1'
"""


def upgrade() -> None:
    """A customer's name is open to who is bound to that customer, letterheads are to all."""
    for statement in _TABLES.strip().split(";\n"):
        op.execute(statement)
    isolate_tenants(op, "addressee", "seller")
    append_only(op, "seller")
    show_own_rows(op, "addressee")
    show_common_rows(op, "seller")
