"""SEPA direct debits: mandates, the creditor, batches and their debits."""

from alembic import op

from gridtally.database.security import isolate_tenants

revision = "0034"
down_revision = "0033"

_TABLES = """
CREATE TABLE mandate (
    tenant_id text NOT NULL,
    customer_id uuid NOT NULL,
    mandate_id text NOT NULL,
    signed_on date NOT NULL,
    sequence text NOT NULL,
    scheme text NOT NULL,
    iban text NOT NULL,
    bic text,
    holder text NOT NULL,
    last_collected_on date,
    revoked_on date,
    version integer NOT NULL,
    PRIMARY KEY (tenant_id, customer_id),
    CONSTRAINT mandate_named_once UNIQUE (tenant_id, mandate_id),
    CONSTRAINT mandate_sequence CHECK (sequence IN ('first', 'recurrent', 'one_off')),
    CONSTRAINT mandate_scheme CHECK (scheme IN ('core', 'b2b'))
);
CREATE TABLE direct_debit_settings (
    tenant_id text NOT NULL PRIMARY KEY,
    creditor_id text NOT NULL,
    name text NOT NULL,
    iban text NOT NULL,
    bic text,
    lead_days smallint NOT NULL,
    version integer NOT NULL
);
CREATE TABLE direct_debit_batch (
    tenant_id text NOT NULL,
    id uuid NOT NULL,
    creditor_id text NOT NULL,
    creditor_name text NOT NULL,
    creditor_iban text NOT NULL,
    creditor_bic text,
    due_through date NOT NULL,
    collection_on date NOT NULL,
    created_at timestamptz NOT NULL,
    cancelled_at timestamptz,
    version integer NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX direct_debit_batch_by_age ON direct_debit_batch (tenant_id, created_at, id);
CREATE TABLE direct_debit (
    tenant_id text NOT NULL,
    id uuid NOT NULL,
    batch_id uuid NOT NULL,
    item_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    number text NOT NULL,
    amount numeric(38, 8) NOT NULL,
    mandate_id text NOT NULL,
    signed_on date NOT NULL,
    sequence text NOT NULL,
    scheme text NOT NULL,
    iban text,
    bic text,
    holder text,
    version integer NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT direct_debit_amount CHECK (amount > 0),
    CONSTRAINT direct_debit_account CHECK ((iban IS NULL) = (holder IS NULL))
);
CREATE INDEX direct_debit_by_batch ON direct_debit (tenant_id, batch_id);
CREATE INDEX direct_debit_by_item ON direct_debit (tenant_id, item_id);
CREATE INDEX direct_debit_by_customer ON direct_debit (tenant_id, customer_id)
"""


def upgrade() -> None:
    """A tenant that collects nothing has no row in any of them."""
    for statement in _TABLES.strip().split(";\n"):
        op.execute(statement)
    isolate_tenants(op, "mandate", "direct_debit_settings", "direct_debit_batch", "direct_debit")
