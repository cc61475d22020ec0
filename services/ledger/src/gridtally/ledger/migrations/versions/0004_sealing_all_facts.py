"""Into the chain come definitions, ends of meters, notes on invoices and what transactions open."""

from alembic import op

revision = "0004"
down_revision = "0003"

# First, in the order in which writers take them, so that none is waited for that waits for us.
LOCK = """
LOCK TABLE transaction, posting, reading_entry, removed_meter, definition, invoice_note
    IN SHARE ROW EXCLUSIVE MODE"""
ENTRIES = """
ALTER TABLE definition ADD COLUMN id uuid NOT NULL DEFAULT gen_random_uuid(),
    ADD CONSTRAINT definition_entry UNIQUE (tenant_id, id);
ALTER TABLE removed_meter ADD COLUMN id uuid NOT NULL DEFAULT gen_random_uuid(),
    ADD CONSTRAINT removed_meter_entry UNIQUE (tenant_id, id)"""
# The view is for a process of the version before that still runs: it would seal as gone what it
# does not know. A later migration drops it.
SEALING = """
ALTER TABLE unsealed RENAME TO seal_queue;
ALTER TABLE seal_queue ADD COLUMN queued_at timestamptz NOT NULL DEFAULT now();
CREATE VIEW unsealed AS SELECT tenant_id, position, kind, entry_id FROM seal_queue
    WHERE kind IN ('transaction', 'reading');
ALTER TABLE seal DROP CONSTRAINT seal_kind_check;
ALTER TABLE seal ADD CONSTRAINT seal_kind_check CHECK (kind IN ('transaction', 'booking',
    'reading', 'definition', 'meter_end', 'void_note'))"""
QUEUE = """
CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO chain_head (tenant_id) SELECT DISTINCT tenant_id FROM inserted
        ON CONFLICT DO NOTHING;
    INSERT INTO seal_queue (tenant_id, kind, entry_id)
        SELECT tenant_id, TG_ARGV[0], {id_column} FROM inserted;
    RETURN NULL;
END $$
"""
TRIGGER = """
CREATE OR REPLACE TRIGGER queue_for_sealing AFTER INSERT ON {table}
    REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION {function}('{kind}')"""
QUEUED = {
    "transaction": ("booking", "queue_for_sealing"),
    "definition": ("definition", "queue_for_sealing"),
    "removed_meter": ("meter_end", "queue_for_sealing"),
    "invoice_note": ("void_note", "queue_note_for_sealing"),
}
"""What each table's rows are from now on; what was a transaction when it was sealed stays one."""
BACKFILL = """
INSERT INTO chain_head (tenant_id)
    SELECT tenant_id FROM definition
     UNION SELECT tenant_id FROM removed_meter UNION SELECT tenant_id FROM invoice_note
    ON CONFLICT DO NOTHING;
INSERT INTO seal_queue (tenant_id, kind, entry_id)
    SELECT tenant_id, 'definition', id FROM definition ORDER BY created_at, id;
INSERT INTO seal_queue (tenant_id, kind, entry_id)
    SELECT tenant_id, 'meter_end', id FROM removed_meter ORDER BY removed_at, id;
INSERT INTO seal_queue (tenant_id, kind, entry_id)
    SELECT tenant_id, 'void_note', invoice_id FROM invoice_note ORDER BY recorded_at, invoice_id"""
# Postings from before 0003 had the moment of that migration instead of their transaction's. A line
# that contradicts its transaction counts as tampered with from now on.
RECORDED = """
ALTER TABLE posting DISABLE TRIGGER append_only;
GRANT UPDATE ON posting TO CURRENT_USER;
UPDATE posting p SET recorded_at = t.recorded_at FROM transaction t
 WHERE t.tenant_id = p.tenant_id AND t.id = p.transaction_id AND t.recorded_at <> p.recorded_at;
REVOKE UPDATE ON posting FROM CURRENT_USER;
ALTER TABLE posting ENABLE TRIGGER append_only"""


def upgrade() -> None:
    """Ids for what had none, the queue with its times, and everything that is there queued."""
    op.execute("SELECT set_config('gridtally.tenant', '*', true)")
    for statement in ";\n".join((LOCK, ENTRIES, SEALING)).split(";\n"):
        op.execute(statement)
    op.execute(QUEUE.format(name="queue_for_sealing", id_column="id"))
    op.execute(QUEUE.format(name="queue_note_for_sealing", id_column="invoice_id"))
    for table, (kind, function) in QUEUED.items():
        op.execute(TRIGGER.format(table=table, kind=kind, function=function))
    for statement in ";\n".join((BACKFILL, RECORDED)).split(";\n"):
        op.execute(statement)
