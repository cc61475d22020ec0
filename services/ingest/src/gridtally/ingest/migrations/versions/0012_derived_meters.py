"""Derived meters: their definitions, what they are made of, and the days to add up."""

from alembic import op

from gridtally.database.security import isolate_tenants

revision = "0012"
down_revision = "0011"

TABLES = """
CREATE TABLE meter_definition (
    tenant_id   text NOT NULL,
    meter_id    uuid NOT NULL,
    version     integer NOT NULL,
    definitions jsonb NOT NULL,
    PRIMARY KEY (tenant_id, meter_id)
);

-- What a derived meter that is billed is made of, sums within it among them.
CREATE TABLE meter_input (
    tenant_id text NOT NULL,
    input_id  uuid NOT NULL,
    meter_id  uuid NOT NULL,
    PRIMARY KEY (tenant_id, input_id, meter_id)
);
CREATE INDEX meter_input_of_meter ON meter_input (tenant_id, meter_id);

-- Days of derived meters to be added up again; no unique key, so nobody waits for it.
CREATE TABLE due_summed_day (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id      text NOT NULL,
    meter_id       uuid NOT NULL,
    day            date NOT NULL,
    correlation_id text NOT NULL
);
CREATE INDEX due_summed_day_of_meter ON due_summed_day (tenant_id, meter_id, day);

CREATE TABLE summed_day (
    tenant_id text NOT NULL,
    meter_id  uuid NOT NULL,
    day       date NOT NULL,
    parts     jsonb NOT NULL,
    PRIMARY KEY (tenant_id, meter_id, day)
)
"""


def upgrade() -> None:
    """Tables of their own; nothing else changes."""
    for statement in TABLES.split(";\n"):
        op.execute(statement)
    isolate_tenants(op, "meter_definition", "meter_input", "summed_day")
