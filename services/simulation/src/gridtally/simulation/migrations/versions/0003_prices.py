"""The published prices that runs bill by, as they were when these were started."""

from alembic import op

from gridtally.database.security import isolate_tenants

revision = "0003"
down_revision = "0002"

PRICES = """
CREATE TABLE run_price_day (
    tenant_id text NOT NULL,
    run_id    uuid NOT NULL,
    code      text NOT NULL,
    day       date NOT NULL,
    zone      text NOT NULL,
    minutes   smallint NOT NULL,
    currency  text NOT NULL,
    version   integer NOT NULL,
    prices    jsonb NOT NULL,
    PRIMARY KEY (tenant_id, run_id, code, day)
)"""


def upgrade() -> None:
    """Prices by run, and on a run what is told of them."""
    op.execute("ALTER TABLE run ADD COLUMN prices jsonb")
    op.execute(PRICES)
    isolate_tenants(op, "run_price_day")
