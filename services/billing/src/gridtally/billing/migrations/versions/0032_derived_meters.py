"""What derived meters are the sum of, for fleet costs and previews of corrections."""

from alembic import op

from gridtally.database.security import isolate_tenants

revision = "0032"
down_revision = "0031"

TABLES = """
CREATE TABLE meter_definition (
    tenant_id   text NOT NULL,
    meter_id    uuid NOT NULL,
    version     integer NOT NULL,
    definitions jsonb NOT NULL,
    PRIMARY KEY (tenant_id, meter_id)
);
CREATE TABLE meter_part (
    tenant_id text NOT NULL,
    part_id   uuid NOT NULL,
    meter_id  uuid NOT NULL,
    PRIMARY KEY (tenant_id, part_id, meter_id)
);
CREATE INDEX meter_part_of_meter ON meter_part (tenant_id, meter_id)
"""


def upgrade() -> None:
    """Two tables under row-level security, filled from the topic's beginning."""
    for statement in TABLES.split(";\n"):
        op.execute(statement)
    isolate_tenants(op, "meter_definition", "meter_part")
