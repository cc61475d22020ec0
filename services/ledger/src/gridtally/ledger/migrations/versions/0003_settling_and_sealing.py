"""Payments and what they settle, customers whose accounts are announced, and the sealed chain."""

from alembic import op

from gridtally.database.security import append_only, isolate_tenants

revision = "0003"
down_revision = "0002"

ACCOUNTS = """
ALTER TABLE account DROP CONSTRAINT account_class_check;
ALTER TABLE account ADD CONSTRAINT account_class_check CHECK (class IN ('receivable', 'prepaid',
    'export_payable', 'revenue', 'tax', 'cash', 'rounding', 'write_off'));
ALTER TABLE account DROP CONSTRAINT account_check;
ALTER TABLE account ADD CONSTRAINT account_of_customer CHECK
    ((customer_id IS NOT NULL) = (class IN ('receivable', 'prepaid', 'export_payable')));

ALTER TABLE transaction DROP CONSTRAINT transaction_kind_check;
ALTER TABLE transaction ADD CONSTRAINT transaction_kind_check CHECK (kind IN ('invoice',
    'credit_note', 'payment', 'refund', 'write_off', 'adjustment', 'allocation', 'release',
    'reversal'));
ALTER TABLE transaction DROP CONSTRAINT transaction_check;
ALTER TABLE transaction ADD CONSTRAINT transaction_reverses CHECK
    ((reverses_id IS NOT NULL) = (kind IN ('credit_note', 'reversal')));
ALTER TABLE transaction ADD COLUMN memo text NOT NULL DEFAULT '';
ALTER TABLE posting ADD COLUMN recorded_at timestamptz NOT NULL DEFAULT now()"""

SETTLING = """
-- The row that whoever changes a customer's books locks first. `announced` lags behind `version`
-- until account.changed has told of it.
CREATE TABLE customer (
    tenant_id text NOT NULL,
    id        uuid NOT NULL,
    version   bigint NOT NULL,
    announced bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX customer_to_announce ON customer (tenant_id, id) WHERE announced < version;

-- What is to be paid, with the sum of its allocations. A credit note that came before its invoice
-- makes the row without issued_at.
CREATE TABLE open_item (
    tenant_id    text NOT NULL,
    id           uuid NOT NULL,
    customer_id  uuid NOT NULL,
    currency     text NOT NULL,
    kind         text NOT NULL CHECK (kind IN ('invoice', 'charge')),
    number       text NOT NULL,
    total        numeric(38, 8) NOT NULL,
    settled      numeric(38, 8) NOT NULL,
    voided       boolean NOT NULL,
    issued_at    timestamptz,
    due_on       date CHECK ((due_on IS NULL) = (issued_at IS NULL)),
    overdue_told boolean NOT NULL DEFAULT false,
    CONSTRAINT open_item_settled CHECK (issued_at IS NULL
        OR (total >= 0 AND settled BETWEEN 0 AND total)
        OR (total < 0 AND settled BETWEEN total AND 0))
);
CREATE INDEX open_item_by_customer ON open_item (tenant_id, customer_id, issued_at, id);
CREATE INDEX open_item_open ON open_item (tenant_id, customer_id, currency, due_on)
    WHERE total <> settled;
CREATE INDEX open_item_overdue ON open_item (due_on) WHERE total > settled AND NOT overdue_told;
ALTER TABLE open_item ADD PRIMARY KEY (tenant_id, id);

-- That a transaction settles so much of an item; a negative amount takes back what `source_id`, the
-- transaction that had settled it, did (of an item below zero the signs are the other way round).
CREATE TABLE allocation (
    tenant_id      text NOT NULL,
    transaction_id uuid NOT NULL,
    line           smallint NOT NULL CHECK (line > 0),
    item_id        uuid NOT NULL,
    source_id      uuid NOT NULL,
    customer_id    uuid NOT NULL,
    currency       text NOT NULL,
    amount         numeric(38, 8) NOT NULL CHECK (amount <> 0),
    occurred_at    timestamptz NOT NULL,
    recorded_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, transaction_id, line)
);
CREATE INDEX allocation_by_item ON allocation (tenant_id, item_id);
CREATE INDEX allocation_by_source ON allocation (tenant_id, source_id);

CREATE TABLE payment_terms (
    tenant_id    text PRIMARY KEY,
    payment_days smallint NOT NULL CHECK (payment_days BETWEEN 0 AND 365),
    version      integer NOT NULL DEFAULT 1,
    updated_at   timestamptz NOT NULL DEFAULT now()
)"""

SEALING = """
-- What waits for its seal. A row leaves when its entry is sealed, so that no entry is passed over,
-- in whatever order transactions commit.
CREATE TABLE unsealed (
    tenant_id text NOT NULL,
    position  bigint GENERATED ALWAYS AS IDENTITY,
    kind      text NOT NULL,
    entry_id  uuid NOT NULL,
    PRIMARY KEY (tenant_id, position)
);
ALTER TABLE unsealed SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);

CREATE TABLE chain_head (
    tenant_id text PRIMARY KEY,
    size      bigint NOT NULL DEFAULT 0 CHECK (size >= 0),
    head      bytea CHECK (length(head) = 32 AND (head IS NOT NULL OR size = 0)),
    peaks     bytea NOT NULL DEFAULT '' CHECK (length(peaks) % 32 = 0)
);

CREATE TABLE seal (
    tenant_id text NOT NULL,
    seq       bigint NOT NULL CHECK (seq > 0),
    kind      text NOT NULL CHECK (kind IN ('transaction', 'reading')),
    entry_id  uuid NOT NULL,
    leaf      bytea NOT NULL CHECK (length(leaf) = 32),
    head      bytea NOT NULL CHECK (length(head) = 32),
    PRIMARY KEY (tenant_id, seq),
    CONSTRAINT seal_one_per_entry UNIQUE (tenant_id, kind, entry_id)
);

-- Every 1024 entries: the tree so far, and the root of these 1024, which shortens proofs.
CREATE TABLE checkpoint (
    tenant_id  text NOT NULL,
    size       bigint NOT NULL CHECK (size % 1024 = 0),
    head       bytea NOT NULL CHECK (length(head) = 32),
    peaks      bytea NOT NULL CHECK (length(peaks) % 32 = 0),
    chunk_root bytea NOT NULL CHECK (length(chunk_root) = 32),
    made_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, size)
)"""

# A trigger, because a CHECK would look at the row that ON CONFLICT is about to merge.
REFUSE_OVERDRAFT = """
-- A customer's credit is never spent twice, whoever writes.
CREATE FUNCTION refuse_overdraft() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'account % has not so much credit', NEW.code
        USING ERRCODE = 'check_violation', CONSTRAINT = 'overdraft';
END $$
"""
QUEUE = """
CREATE FUNCTION queue_for_sealing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO chain_head (tenant_id) SELECT DISTINCT tenant_id FROM inserted
        ON CONFLICT DO NOTHING;
    INSERT INTO unsealed (tenant_id, kind, entry_id)
        SELECT tenant_id, TG_ARGV[0], id FROM inserted;
    RETURN NULL;
END $$
"""
BACKFILL = """
INSERT INTO customer (tenant_id, id, version)
    SELECT DISTINCT tenant_id, customer_id, 1 FROM transaction;
INSERT INTO allocation (tenant_id, transaction_id, line, item_id, source_id, customer_id, currency,
                        amount, occurred_at, recorded_at)
    SELECT n.tenant_id, n.id, 1, i.document_id, n.id, n.customer_id, n.currency, n.total,
           n.occurred_at, n.recorded_at
      FROM transaction n JOIN transaction i ON i.tenant_id = n.tenant_id AND i.id = n.reverses_id
     WHERE n.kind = 'credit_note' AND n.total <> 0;
INSERT INTO open_item (tenant_id, id, customer_id, currency, kind, number, total, settled, voided,
                       issued_at, due_on)
    SELECT i.tenant_id, i.document_id, i.customer_id, i.currency, 'invoice', i.reference, i.total,
           coalesce(n.total, 0), n.id IS NOT NULL, i.occurred_at,
           (i.occurred_at AT TIME ZONE 'UTC')::date + 14
      FROM transaction i
      LEFT JOIN transaction n ON n.tenant_id = i.tenant_id AND n.reverses_id = i.id
     WHERE i.kind = 'invoice';
INSERT INTO chain_head (tenant_id) SELECT DISTINCT tenant_id FROM transaction;
INSERT INTO unsealed (tenant_id, kind, entry_id)
    SELECT tenant_id, 'transaction', id FROM transaction ORDER BY recorded_at, id;
INSERT INTO chain_head (tenant_id) SELECT DISTINCT tenant_id FROM reading_entry
    ON CONFLICT DO NOTHING;
INSERT INTO unsealed (tenant_id, kind, entry_id)
    SELECT tenant_id, 'reading', id FROM reading_entry ORDER BY created_at, id"""


def upgrade() -> None:
    """Tables, each tenant's isolation, what is never changed, and the queue of what to seal."""
    for statement in ";\n".join((ACCOUNTS, SETTLING, SEALING)).split(";\n"):
        op.execute(statement)
    op.execute("SELECT set_config('gridtally.tenant', '*', true)")
    for statement in BACKFILL.split(";\n"):
        op.execute(statement)
    op.execute(REFUSE_OVERDRAFT)
    op.execute(
        "CREATE TRIGGER overdraft AFTER INSERT OR UPDATE ON account FOR EACH ROW "
        "WHEN (NEW.class = 'prepaid' AND NEW.debits > NEW.credits) "
        "EXECUTE FUNCTION refuse_overdraft()"
    )
    op.execute(QUEUE)
    for table, kind in (("transaction", "transaction"), ("reading_entry", "reading")):
        op.execute(
            f"CREATE TRIGGER queue_for_sealing AFTER INSERT ON {table} "
            "REFERENCING NEW TABLE AS inserted "
            f"FOR EACH STATEMENT EXECUTE FUNCTION queue_for_sealing('{kind}')"
        )
    append_only(op, "allocation", "seal", "checkpoint")
    isolate_tenants(op, "customer", "open_item", "allocation", "payment_terms")
    isolate_tenants(op, "unsealed", "chain_head", "seal", "checkpoint")
