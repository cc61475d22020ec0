"""What fleet costs need of others: sites and their customers, regions, and names of meters.

Meters and tariff versions are read again from their compacted topics, since what is stored of them
lacks the new columns.
"""

from alembic import op

from gridtally.database.security import isolate_tenants

revision = "0013"
down_revision = "0012"

TABLES = """
CREATE TABLE site (
    tenant_id text NOT NULL,
    id uuid NOT NULL,
    customer_id uuid,
    version integer NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX site_by_customer ON site (tenant_id, customer_id);
CREATE TABLE region (
    tenant_id text NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    kind text NOT NULL,
    parent_id uuid,
    version integer NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
ALTER TABLE meter ADD COLUMN meter_type text, ADD COLUMN property_id uuid,
    ADD COLUMN region_id uuid;
CREATE INDEX meter_by_property ON meter (tenant_id, property_id);
ALTER TABLE tariff_version ADD COLUMN code text, ADD COLUMN region_id uuid;
CREATE INDEX tariff_version_by_region ON tariff_version (tenant_id, region_id);
DELETE FROM consumed WHERE topic IN ('meter.registered.v1', 'tariff.published.v1')"""


def upgrade() -> None:
    """Two tables under row-level security, and columns for what comes again."""
    for statement in TABLES.split(";\n"):
        op.execute(statement)
    isolate_tenants(op, "site")
    isolate_tenants(op, "region")
