"""Into the chain comes the registry: each version of a property and of a meter, and their ends."""

from alembic import op

from gridtally.database.security import append_only, isolate_tenants

revision = "0006"
down_revision = "0005"

# First, in the order in which writers take them: of the queue, and then of the registry.
WRITERS = """
LOCK TABLE transaction, posting, reading_entry, removed_meter, definition, invoice_note
    IN SHARE ROW EXCLUSIVE MODE"""
REGISTRY = "LOCK TABLE property, meter, channel, register IN SHARE ROW EXCLUSIVE MODE"
# The view is for a process of the version before that still runs, which knows no more kinds: it
# would fail at what it does not know. A later migration drops it.
QUEUE = """
ALTER TABLE seal_queue RENAME TO entry_queue;
CREATE VIEW seal_queue WITH (security_invoker) AS
    SELECT tenant_id, position, kind, entry_id, queued_at FROM entry_queue
    WHERE kind IN ('transaction', 'booking', 'reading', 'definition', 'meter_end', 'void_note');
ALTER TABLE seal DROP CONSTRAINT seal_kind_check;
ALTER TABLE seal ADD CONSTRAINT seal_kind_check CHECK (kind IN ('transaction', 'booking',
    'reading', 'definition', 'meter_end', 'void_note', 'property', 'property_end', 'meter'))"""
QUEUE_FUNCTION = """
CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO chain_head (tenant_id) SELECT DISTINCT tenant_id FROM inserted
        ON CONFLICT DO NOTHING;
    INSERT INTO entry_queue (tenant_id, kind, entry_id)
        SELECT tenant_id, TG_ARGV[0], {id_column} FROM inserted;
    RETURN NULL;
END $$
"""
# `created_at` is that of the thing itself: one that is made again with the same id begins anew.
VERSIONS = """
CREATE TABLE property_version (
    tenant_id    text NOT NULL,
    property_id  uuid NOT NULL,
    created_at   timestamptz NOT NULL,
    version      integer NOT NULL,
    id           uuid NOT NULL DEFAULT gen_random_uuid(),
    updated_at   timestamptz NOT NULL,
    name         text NOT NULL,
    address      text NOT NULL,
    zone         text NOT NULL,
    region_id    uuid,
    connected_kw numeric,
    parent_id    uuid,
    PRIMARY KEY (tenant_id, property_id, created_at, version),
    CONSTRAINT property_version_entry UNIQUE (tenant_id, id)
);
CREATE TABLE removed_property (
    tenant_id   text NOT NULL,
    property_id uuid NOT NULL,
    removed_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    name        text NOT NULL,
    id          uuid NOT NULL DEFAULT gen_random_uuid(),
    PRIMARY KEY (tenant_id, property_id, removed_at),
    CONSTRAINT removed_property_entry UNIQUE (tenant_id, id)
);
CREATE TABLE meter_version (
    tenant_id          text NOT NULL,
    meter_id           uuid NOT NULL,
    created_at         timestamptz NOT NULL,
    version            integer NOT NULL,
    id                 uuid NOT NULL DEFAULT gen_random_uuid(),
    updated_at         timestamptz NOT NULL,
    property_id        uuid NOT NULL,
    type               text NOT NULL,
    name               text NOT NULL,
    channels           text[] NOT NULL,
    channel_minutes    smallint[] NOT NULL,
    channel_wh_max     integer[] NOT NULL,
    registers          text[] NOT NULL,
    register_digits    smallint[] NOT NULL,
    register_decimals  smallint[] NOT NULL,
    register_multipliers numeric[] NOT NULL,
    PRIMARY KEY (tenant_id, meter_id, created_at, version),
    CONSTRAINT meter_version_entry UNIQUE (tenant_id, id)
)"""
PROPERTY = (
    "tenant_id, property_id, created_at, version, updated_at, name, address, zone, region_id, "
    "connected_kw, parent_id"
)
METER = (
    "tenant_id, meter_id, created_at, version, updated_at, property_id, type, name, channels, "
    "channel_minutes, channel_wh_max, registers, register_digits, register_decimals, "
    "register_multipliers"
)
# What is registered now, in the shape of its versions, to whoever may see its tables.
NOW = """
CREATE VIEW property_now WITH (security_invoker) AS
SELECT tenant_id, id AS property_id, created_at, version, updated_at, name, address, zone,
       region_id, connected_kw, parent_id FROM property;
CREATE VIEW meter_now WITH (security_invoker) AS
SELECT m.tenant_id, m.id AS meter_id, m.created_at, m.version, m.updated_at, m.property_id, m.type,
       m.name, c.channels, c.channel_minutes, c.channel_wh_max, r.registers, r.register_digits,
       r.register_decimals, r.register_multipliers
  FROM meter m
 CROSS JOIN LATERAL (
       SELECT coalesce(array_agg(flow ORDER BY flow), '{}') AS channels,
              coalesce(array_agg(minutes ORDER BY flow), '{}') AS channel_minutes,
              coalesce(array_agg(interval_wh_max ORDER BY flow), '{}') AS channel_wh_max
         FROM channel WHERE (tenant_id, meter_id) = (m.tenant_id, m.id)) AS c
 CROSS JOIN LATERAL (
       SELECT coalesce(array_agg(flow ORDER BY flow), '{}') AS registers,
              coalesce(array_agg(digits ORDER BY flow), '{}') AS register_digits,
              coalesce(array_agg(decimals ORDER BY flow), '{}') AS register_decimals,
              coalesce(array_agg(multiplier ORDER BY flow), '{}') AS register_multipliers
         FROM register WHERE (tenant_id, meter_id) = (m.tenant_id, m.id)) AS r"""
NOTE_PROPERTIES = f"""
CREATE FUNCTION note_properties() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO property_version ({PROPERTY})
        SELECT n.tenant_id, n.id, n.created_at, n.version, n.updated_at, n.name, n.address, n.zone,
               n.region_id, n.connected_kw, n.parent_id FROM changed n;
    RETURN NULL;
END $$
"""  # noqa: S608 - constants
NOTE_REMOVED = """
CREATE FUNCTION note_removed_properties() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO removed_property (tenant_id, property_id, name)
        SELECT tenant_id, id, name FROM removed;
    RETURN NULL;
END $$
"""
# A new meter's channels and registers come after it, so it is looked at when all is done. The first
# of a transaction's new meters, or of a property's changed ones, notes the others too: one query
# for thousands of them.
NOTE_METER = f"""
CREATE FUNCTION note_meters() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM meter_version
                WHERE (tenant_id, meter_id, created_at, version)
                    = (NEW.tenant_id, NEW.id, NEW.created_at, NEW.version))
    THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'INSERT' THEN
        INSERT INTO meter_version ({METER})
            SELECT {METER} FROM meter_now
             WHERE tenant_id = NEW.tenant_id AND created_at = NEW.created_at
            ON CONFLICT (tenant_id, meter_id, created_at, version) DO NOTHING;
    ELSE
        INSERT INTO meter_version ({METER})
            SELECT {METER} FROM meter_now
             WHERE tenant_id = NEW.tenant_id AND property_id = NEW.property_id
               AND updated_at = NEW.updated_at
            ON CONFLICT (tenant_id, meter_id, created_at, version) DO NOTHING;
    END IF;
    RETURN NULL;
END $$
"""  # noqa: S608 - constants
TRIGGERS = """
CREATE TRIGGER note_new AFTER INSERT ON property REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_properties();
CREATE TRIGGER note_changed AFTER UPDATE ON property REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_properties();
CREATE TRIGGER note_removed AFTER DELETE ON property REFERENCING OLD TABLE AS removed
    FOR EACH STATEMENT EXECUTE FUNCTION note_removed_properties();
CREATE CONSTRAINT TRIGGER note_version AFTER INSERT OR UPDATE ON meter
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note_meters()"""
KINDS = {
    "property_version": "property",
    "removed_property": "property_end",
    "meter_version": "meter",
}
QUEUED = """
CREATE TRIGGER queue_for_sealing AFTER INSERT ON {table}
    REFERENCING NEW TABLE AS inserted
    FOR EACH STATEMENT EXECUTE FUNCTION queue_for_sealing('{kind}')"""
BACKFILL = f"""
INSERT INTO property_version ({PROPERTY}) SELECT {PROPERTY} FROM property_now
    ORDER BY updated_at, property_id;
INSERT INTO meter_version ({METER}) SELECT {METER} FROM meter_now ORDER BY updated_at, meter_id"""  # noqa: S608 - constants


def upgrade() -> None:
    """The versions, who notes them, and what is registered already as the first of them."""
    op.execute("SELECT set_config('gridtally.tenant', '*', true)")
    for statement in ";\n".join((WRITERS, QUEUE, REGISTRY, VERSIONS, NOW)).split(";\n"):
        op.execute(statement)
    op.execute(QUEUE_FUNCTION.format(name="queue_for_sealing", id_column="id"))
    op.execute(QUEUE_FUNCTION.format(name="queue_note_for_sealing", id_column="invoice_id"))
    for function in (NOTE_PROPERTIES, NOTE_REMOVED, NOTE_METER):
        op.execute(function)
    for statement in TRIGGERS.split(";\n"):
        op.execute(statement)
    for table, kind in KINDS.items():
        op.execute(QUEUED.format(table=table, kind=kind))
    isolate_tenants(op, *KINDS)
    for statement in BACKFILL.split(";\n"):
        op.execute(statement)
    append_only(op, *KINDS)
