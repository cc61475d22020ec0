"""Texts that may name people lie beside the chain, with a salt; they may be erased.

What is inserted from now on has a salt of its own, and its entry a commitment in place of its
texts. What is there has none and stays sealed with its texts: an erasure of it is an entry that
says what is left.
"""

from alembic import op

from gridtally.database.security import append_only, isolate_tenants

revision = "0022"
down_revision = "0021"

TEXTS = {
    "transaction": ("reference", "memo", "digest"),
    "reading_entry": ("note",),
    "removed_meter": ("name",),
    "invoice_note": ("reason",),
    "removed_property": ("name",),
    "property_version": ("name", "address"),
    "meter_version": ("name",),
}
"""The columns of each table that an erasure empties."""
# Two random ids are 244 random bits.
COLUMNS = """
ALTER TABLE {table} ADD COLUMN salt bytea, ADD COLUMN commitment bytea,
    ADD CONSTRAINT {table}_erased CHECK (salt IS NULL OR commitment IS NULL);
ALTER TABLE {table} ALTER COLUMN salt
    SET DEFAULT uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())"""
# The trigger that was there refuses every change; of two that are there now one refuses what names
# another column, and one whatever is no erasure.
TRIGGERS = """
DROP TRIGGER append_only ON {table};
CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE OR UPDATE OF {others} ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER erase_only BEFORE UPDATE ON {table}
    FOR EACH ROW EXECUTE FUNCTION refuse_all_but_erasure({texts});
GRANT UPDATE ({granted}) ON {table} TO CURRENT_USER"""
OTHERS = """
SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
 WHERE attrelid = '{table}'::regclass AND attnum > 0 AND NOT attisdropped
   AND attname <> ALL (ARRAY[{texts}, 'salt', 'commitment'])"""
REFUSE = """
CREATE FUNCTION refuse_all_but_erasure() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    erased text[] := TG_ARGV || ARRAY['salt', 'commitment'];
BEGIN
    IF NEW.salt IS NOT NULL OR (OLD.salt IS NULL) <> (NEW.commitment IS NULL)
       OR OLD.commitment IS NOT NULL OR to_jsonb(NEW) - erased <> to_jsonb(OLD) - erased
       OR EXISTS (SELECT FROM jsonb_each_text(to_jsonb(NEW)) AS text (name, value)
                   WHERE name = ANY (TG_ARGV) AND value NOT IN ('', '\\x' || repeat('00', 32))
                     AND value IS DISTINCT FROM to_jsonb(OLD) ->> name)
    THEN
        RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$
"""
ERASURES = """
CREATE TABLE erased_entry (
    tenant_id text NOT NULL,
    kind text NOT NULL,
    entry_id uuid NOT NULL,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    erased_at timestamptz NOT NULL,
    erased_by text NOT NULL,
    seq bigint,
    leaf bytea,
    rest bytea,
    PRIMARY KEY (tenant_id, kind, entry_id),
    CONSTRAINT erased_entry_entry UNIQUE (tenant_id, id),
    CONSTRAINT erased_entry_rest CHECK ((seq IS NULL) = (leaf IS NULL)
                                        AND (seq IS NULL) = (rest IS NULL))
);
CREATE INDEX erased_entry_by_id ON erased_entry (tenant_id, entry_id);
CREATE TABLE erased_customer (
    tenant_id text NOT NULL,
    customer_id uuid NOT NULL,
    erased_at timestamptz NOT NULL,
    checked_version bigint,
    checked_at timestamptz,
    PRIMARY KEY (tenant_id, customer_id)
);
CREATE INDEX property_version_by_customer ON property_version (tenant_id, customer_id)
    WHERE customer_id IS NOT NULL;
ALTER TABLE seal DROP CONSTRAINT seal_kind_check;
ALTER TABLE seal ADD CONSTRAINT seal_kind_check CHECK (kind IN ('transaction', 'booking',
    'reading', 'definition', 'meter_end', 'void_note', 'property', 'property_end', 'meter',
    'erasure'));
CREATE TRIGGER queue_for_sealing AFTER INSERT ON erased_entry REFERENCING NEW TABLE AS inserted
    FOR EACH STATEMENT EXECUTE FUNCTION queue_for_sealing('erasure')"""


def upgrade() -> None:
    """The columns, who may empty them, and what was erased."""
    op.execute(REFUSE)
    for table, texts in TEXTS.items():
        for statement in COLUMNS.format(table=table).split(";\n"):
            op.execute(statement)
        quoted = ", ".join(f"'{name}'" for name in texts)
        others = op.get_bind().exec_driver_sql(OTHERS.format(table=table, texts=quoted)).scalar()
        granted = ", ".join((*texts, "salt", "commitment"))
        triggers = TRIGGERS.format(table=table, others=others, texts=quoted, granted=granted)
        for statement in triggers.split(";\n"):
            op.execute(statement)
    for statement in ERASURES.split(";\n"):
        op.execute(statement)
    isolate_tenants(op, "erased_entry", "erased_customer")
    append_only(op, "erased_entry")
