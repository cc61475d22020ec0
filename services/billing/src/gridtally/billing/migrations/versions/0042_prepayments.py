"""Who pays in advance, and the ledger's budget plans, which go with no prepayment."""

from alembic import op

from gridtally.database.security import isolate_tenants, show_own_rows, show_to_customers

revision = "0042"
down_revision = "0041"

_TABLES = """
CREATE TABLE prepayment (
    tenant_id text NOT NULL,
    customer_id uuid NOT NULL,
    is_active boolean NOT NULL,
    alert_amount numeric,
    alert_days smallint,
    alert text,
    alert_since timestamptz,
    alert_balance numeric,
    version integer NOT NULL,
    look_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, customer_id),
    CONSTRAINT prepayment_alert CHECK (alert IN ('prepayment_low', 'prepayment_empty')),
    CONSTRAINT prepayment_alerted
        CHECK (num_nonnulls(alert, alert_since, alert_balance) IN (0, 3)),
    CONSTRAINT prepayment_ended CHECK (is_active OR alert IS NULL),
    CONSTRAINT prepayment_alert_days CHECK (alert_days BETWEEN 0 AND 366),
    CONSTRAINT prepayment_version CHECK (version >= 1)
);
CREATE INDEX prepayment_to_look_at ON prepayment (look_at) WHERE is_active;
CREATE TABLE budget_plan (
    tenant_id text NOT NULL,
    id uuid NOT NULL,
    customer_id uuid NOT NULL,
    currency text NOT NULL,
    start_on date NOT NULL,
    end_on date NOT NULL,
    settle_on date NOT NULL,
    agreed_at timestamptz NOT NULL,
    settled_at timestamptz,
    version integer NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX budget_plan_by_customer ON budget_plan (tenant_id, customer_id)
"""


def upgrade() -> None:
    """Nobody is on prepayment yet. A bound customer sees its own, and what it is worked out of."""
    for statement in _TABLES.strip().split(";\n"):
        op.execute(statement)
    isolate_tenants(op, "prepayment", "budget_plan")
    show_own_rows(op, "prepayment", "budget_plan", "customer_balance", "issued_total")
    for table in ("daily_cost", "adopted_invoice"):
        show_to_customers(op, table, "sees_agreement(tenant_id, agreement_id)")
