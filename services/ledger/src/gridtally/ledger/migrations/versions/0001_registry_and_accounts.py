"""The registry, the accounts, and the rules that keep the books true."""

from alembic import op

import gridtally.http.keys
import gridtally.messaging.tables
from gridtally.database.security import append_only, isolate_tenants

revision = "0001"
down_revision = None

REGISTRY = """
CREATE TABLE property (
    tenant_id    text NOT NULL,
    id           uuid NOT NULL,
    name         text NOT NULL,
    address      text NOT NULL,
    zone         text NOT NULL,
    region_id    uuid,
    connected_kw numeric CHECK (connected_kw >= 0),
    parent_id    uuid CHECK (parent_id <> id),
    version      integer NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, parent_id) REFERENCES property
);
CREATE INDEX property_by_age ON property (tenant_id, created_at, id);
CREATE INDEX property_by_parent ON property (tenant_id, parent_id);

CREATE TABLE meter (
    tenant_id   text NOT NULL,
    id          uuid NOT NULL,
    property_id uuid NOT NULL,
    type        text NOT NULL CHECK (type IN
        ('gg', 'sg', 'total', 'unmetered', 'main', 'sub', 'solar', 'device')),
    name        text NOT NULL,
    version     integer NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT meter_of_property UNIQUE (tenant_id, property_id, id),
    FOREIGN KEY (tenant_id, property_id) REFERENCES property ON DELETE CASCADE
);
CREATE INDEX meter_by_age ON meter (tenant_id, created_at, id);
CREATE UNIQUE INDEX meter_one_of_each_type ON meter (tenant_id, property_id, type)
    WHERE type IN ('gg', 'sg', 'total', 'unmetered');

CREATE TABLE channel (
    tenant_id       text NOT NULL,
    meter_id        uuid NOT NULL,
    flow            text NOT NULL CHECK (flow IN ('import', 'export', 'load', 'generation')),
    minutes         smallint NOT NULL CHECK (minutes IN (5, 10, 15, 30, 60)),
    interval_wh_max integer NOT NULL CHECK (interval_wh_max > 0),
    PRIMARY KEY (tenant_id, meter_id, flow),
    FOREIGN KEY (tenant_id, meter_id) REFERENCES meter ON DELETE CASCADE
);

CREATE TABLE registry_user (
    tenant_id        text NOT NULL,
    id               uuid NOT NULL,
    name             text NOT NULL,
    email            text NOT NULL CHECK (email = lower(email)),
    phone            text,
    property_id      uuid NOT NULL,
    default_meter_id uuid,
    version          integer NOT NULL DEFAULT 1,
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT registry_user_email UNIQUE (tenant_id, email),
    FOREIGN KEY (tenant_id, property_id) REFERENCES property ON DELETE CASCADE,
    CONSTRAINT registry_user_default_meter FOREIGN KEY (tenant_id, property_id, default_meter_id)
        REFERENCES meter (tenant_id, property_id, id)
);
CREATE INDEX registry_user_by_age ON registry_user (tenant_id, created_at, id);
CREATE INDEX registry_user_by_property ON registry_user (tenant_id, property_id);
"""

# The keys that checks look rows up by are made last: while a table is new and without statistics
# every index on tenant_id costs the same, and the planner takes the youngest. With another one the
# checks of a first large batch would read all of the tenant's rows for each row (measured: 40 times
# slower).
ACCOUNTS = """
CREATE TABLE account (
    tenant_id   text NOT NULL,
    id          uuid NOT NULL,
    currency    text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    code        text NOT NULL,
    class       text NOT NULL CHECK (class IN ('receivable', 'revenue', 'tax', 'rounding')),
    customer_id uuid CHECK ((customer_id IS NOT NULL) = (class = 'receivable')),
    debits      numeric(38, 8) NOT NULL CHECK (debits >= 0),
    credits     numeric(38, 8) NOT NULL CHECK (credits >= 0),
    created_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT account_code UNIQUE (tenant_id, currency, code)
);
CREATE INDEX account_by_customer ON account (tenant_id, customer_id);
ALTER TABLE account ADD PRIMARY KEY (tenant_id, id),
    ADD CONSTRAINT account_currency UNIQUE (tenant_id, id, currency);

CREATE TABLE transaction (
    tenant_id      text NOT NULL,
    id             uuid NOT NULL,
    kind           text NOT NULL CHECK (kind IN ('invoice', 'credit_note')),
    document_id    uuid NOT NULL,
    reference      text NOT NULL,
    reverses_id    uuid CHECK ((reverses_id IS NOT NULL) = (kind = 'credit_note')),
    customer_id    uuid NOT NULL,
    currency       text NOT NULL,
    total          numeric(38, 8) NOT NULL,
    occurred_at    timestamptz NOT NULL,
    recorded_at    timestamptz NOT NULL DEFAULT now(),
    correlation_id text NOT NULL,
    digest         bytea NOT NULL CHECK (length(digest) = 32),
    postings       smallint NOT NULL,
    CONSTRAINT transaction_one_per_document UNIQUE (tenant_id, document_id),
    CONSTRAINT transaction_one_reversal UNIQUE (tenant_id, reverses_id)
);
CREATE INDEX transaction_by_age ON transaction (tenant_id, recorded_at, id);
CREATE INDEX transaction_by_customer ON transaction (tenant_id, customer_id, occurred_at);
ALTER TABLE transaction ADD PRIMARY KEY (tenant_id, id);

-- No foreign key to transaction: its check would need the UPDATE privilege that nobody has there.
-- The deferred trigger below looks for the transaction instead.
CREATE TABLE posting (
    tenant_id      text NOT NULL,
    transaction_id uuid NOT NULL,
    line           smallint NOT NULL CHECK (line > 0),
    account_id     uuid NOT NULL,
    currency       text NOT NULL,
    amount         numeric(38, 8) NOT NULL,
    occurred_at    timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, transaction_id, line),
    FOREIGN KEY (tenant_id, account_id, currency) REFERENCES account (tenant_id, id, currency)
);
CREATE INDEX posting_by_account ON posting (tenant_id, account_id, occurred_at) INCLUDE (amount);

CREATE TABLE invoice_note (
    tenant_id      text NOT NULL,
    invoice_id     uuid NOT NULL,
    credit_note_id uuid NOT NULL,
    reference      text NOT NULL,
    reason         text NOT NULL,
    voided_at      timestamptz NOT NULL,
    recorded_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, invoice_id)
)"""

REFUSE_IMBALANCE = """
-- At commit a transaction has all its postings and no more, of its own currency and moment, and
-- they add up to nothing.
CREATE FUNCTION refuse_imbalance() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT sum(amount) = 0 AND count(*) = NEW.postings
               AND bool_and(currency = NEW.currency AND occurred_at = NEW.occurred_at)
          FROM posting
         WHERE tenant_id = NEW.tenant_id AND transaction_id = NEW.id) IS NOT TRUE
    THEN
        RAISE EXCEPTION 'transaction % is not balanced', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'balanced';
    END IF;
    RETURN NULL;
END $$
"""
REFUSE_ADDITIONS = """
-- The postings of a transaction come in one statement, balanced, and take the lines from 1 to their
-- number: so nothing is added to it later, where every line is taken. One query for thousands of
-- rows, where a trigger for each would be most of the work.
CREATE FUNCTION refuse_additions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM posted n
                 LEFT JOIN transaction t ON t.tenant_id = n.tenant_id AND t.id = n.transaction_id
                GROUP BY n.tenant_id, n.transaction_id
               HAVING (sum(n.amount) = 0 AND count(*) = min(t.postings)
                       AND max(n.line) = min(t.postings)) IS NOT TRUE)
    THEN
        RAISE EXCEPTION 'a posted transaction is not balanced'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'balanced';
    END IF;
    RETURN NULL;
END $$
"""


def upgrade() -> None:
    """Tables, each tenant's isolation, and what the books refuse."""
    gridtally.messaging.tables.create(op.get_bind())
    gridtally.http.keys.create(op.get_bind())
    for statement in (REGISTRY + ACCOUNTS).split(";\n"):
        op.execute(statement)
    op.execute(REFUSE_IMBALANCE)
    op.execute(REFUSE_ADDITIONS)
    op.execute(
        "CREATE CONSTRAINT TRIGGER balanced AFTER INSERT ON transaction "
        "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse_imbalance()"
    )
    op.execute(
        "CREATE TRIGGER balanced AFTER INSERT ON posting REFERENCING NEW TABLE AS posted "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_additions()"
    )
    append_only(op, "transaction", "posting", "invoice_note")
    registry = ("property", "meter", "channel", "registry_user")
    isolate_tenants(op, *registry, "account", "transaction", "posting", "invoice_note")
