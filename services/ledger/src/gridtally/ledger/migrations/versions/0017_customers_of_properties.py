"""A property may name the customer whose site it is.

Null where it names nobody, and sealed only where it names somebody, so that what was sealed before
is sealed the same.
"""

from alembic import op

revision = "0017"
down_revision = "0016"

COLUMNS = """
ALTER TABLE property ADD COLUMN customer_id uuid;
ALTER TABLE property_version ADD COLUMN customer_id uuid"""
PROPERTY_NOW = """
CREATE OR REPLACE VIEW property_now WITH (security_invoker) AS
SELECT tenant_id, id AS property_id, created_at, version, updated_at, name, address, zone,
       region_id, connected_kw, parent_id, customer_id FROM property"""
# As 0006 has made it, with one more column.
NOTE_PROPERTIES = """
CREATE OR REPLACE FUNCTION note_properties() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO property_version (tenant_id, property_id, created_at, version, updated_at, name,
                                  address, zone, region_id, connected_kw, parent_id, customer_id)
        SELECT n.tenant_id, n.id, n.created_at, n.version, n.updated_at, n.name, n.address, n.zone,
               n.region_id, n.connected_kw, n.parent_id, n.customer_id FROM changed n;
    RETURN NULL;
END $$
"""


def upgrade() -> None:
    """The columns, the registry in the shape of its versions, and who notes them."""
    for statement in COLUMNS.split(";\n"):
        op.execute(statement)
    op.execute(PROPERTY_NOW)
    op.execute(NOTE_PROPERTIES)
