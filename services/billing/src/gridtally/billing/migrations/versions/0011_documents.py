"""Documents of invoices and credit notes, whose letterhead they have, and names to show in them."""

from alembic import op

from gridtally.database.security import append_only, isolate_tenants

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Names are null until their tariff or meter is published again. A document may be deleted, for
    the erasure of a person, but never changed."""
    op.execute("ALTER TABLE tariff_version ADD COLUMN name text")
    op.execute("ALTER TABLE meter ADD COLUMN name text")
    op.execute(
        """
        CREATE TABLE seller (
            tenant_id text NOT NULL,
            version integer NOT NULL,
            fields jsonb NOT NULL,
            logo bytea,
            created_at timestamptz NOT NULL,
            PRIMARY KEY (tenant_id, version),
            CONSTRAINT seller_version CHECK (version >= 1)
        )
        """
    )
    op.execute(
        """
        CREATE TABLE document (
            tenant_id text NOT NULL,
            id uuid NOT NULL,
            format text NOT NULL,
            customer_id uuid NOT NULL,
            sha256 text NOT NULL,
            content bytea NOT NULL,
            created_at timestamptz NOT NULL,
            PRIMARY KEY (tenant_id, id, format)
        )
        """
    )
    op.execute("ALTER TABLE document ALTER COLUMN content SET STORAGE EXTERNAL")
    op.execute("CREATE INDEX document_by_customer ON document (tenant_id, customer_id)")
    isolate_tenants(op, "seller", "document")
    append_only(op, "seller")
    op.execute("REVOKE UPDATE, TRUNCATE ON document FROM CURRENT_USER, PUBLIC")
