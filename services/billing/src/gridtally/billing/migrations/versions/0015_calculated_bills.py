"""Bills that are calculated on demand and stored, for ever."""

from alembic import op

from gridtally.database.security import append_only, isolate_tenants

revision = "0015"
down_revision = "0014"

TABLE = """
CREATE TABLE calculated_bill (
    tenant_id text NOT NULL,
    id uuid NOT NULL,
    customer_id uuid NOT NULL,
    start_on date NOT NULL,
    end_on date NOT NULL,
    tariff_version_id uuid NOT NULL,
    checksum text NOT NULL,
    currency text NOT NULL,
    net numeric NOT NULL,
    tax numeric NOT NULL,
    total numeric NOT NULL,
    expected_intervals integer NOT NULL,
    present_intervals integer NOT NULL,
    lines jsonb NOT NULL,
    calculated_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT calculated_bill_dates CHECK (end_on > start_on),
    CONSTRAINT calculated_bill_total CHECK (total = net + tax),
    CONSTRAINT calculated_bill_currency CHECK (currency ~ '^[A-Z]{3}$')
);
CREATE INDEX calculated_bill_newest ON calculated_bill
    (tenant_id, customer_id, start_on, end_on, tariff_version_id, calculated_at)"""


def upgrade() -> None:
    """One table, under row-level security and append-only."""
    for statement in TABLE.split(";\n"):
        op.execute(statement)
    isolate_tenants(op, "calculated_bill")
    append_only(op, "calculated_bill")
