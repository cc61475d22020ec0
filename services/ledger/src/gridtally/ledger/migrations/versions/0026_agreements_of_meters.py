"""Which agreements bill which meters, as billing publishes them."""

from alembic import op

from gridtally.database.security import isolate_tenants

revision = "0026"
down_revision = "0025"

_TABLE = """
CREATE TABLE meter_agreement (
    tenant_id text NOT NULL,
    id uuid NOT NULL,
    meter_id uuid NOT NULL,
    start_on date NOT NULL,
    end_on date,
    version bigint NOT NULL,
    PRIMARY KEY (tenant_id, id)
)
"""


def upgrade() -> None:
    """The topic is read from its beginning, so those that there are come by themselves."""
    op.execute(_TABLE)
    op.execute("CREATE INDEX meter_agreement_by_meter ON meter_agreement (tenant_id, meter_id)")
    isolate_tenants(op, "meter_agreement")
