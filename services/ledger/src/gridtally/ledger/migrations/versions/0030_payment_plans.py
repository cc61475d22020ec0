"""Payment plans: debts in instalments."""

from alembic import op

from gridtally.database.security import isolate_tenants

revision = "0030"
down_revision = "0029"

_TABLE = """
CREATE TABLE payment_plan (
    tenant_id text NOT NULL,
    id uuid NOT NULL,
    customer_id uuid NOT NULL,
    currency text NOT NULL,
    item_ids uuid[] NOT NULL,
    item_amounts numeric(38, 8)[] NOT NULL,
    item_reductions numeric(38, 8)[] NOT NULL,
    due_days date[] NOT NULL,
    due_amounts numeric(38, 8)[] NOT NULL,
    grace_days smallint NOT NULL,
    agreed_at timestamptz NOT NULL,
    cancelled_at timestamptz,
    cancel_reason text,
    version integer NOT NULL,
    look_on date,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT payment_plan_reason CHECK ((cancelled_at IS NULL) = (cancel_reason IS NULL))
);
CREATE INDEX payment_plan_by_customer ON payment_plan (tenant_id, customer_id, agreed_at, id);
CREATE INDEX payment_plan_by_age ON payment_plan (tenant_id, agreed_at, id);
CREATE INDEX payment_plan_to_look_at ON payment_plan (look_on) WHERE cancelled_at IS NULL
"""


def upgrade() -> None:
    """A tenant that has agreed none has no row."""
    for statement in _TABLE.strip().split(";\n"):
        op.execute(statement)
    isolate_tenants(op, "payment_plan")
