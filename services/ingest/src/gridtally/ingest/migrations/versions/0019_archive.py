"""The archive: which shards of months have left for files, what was recalled, tenants' limits.

A block may be deleted, in the transaction that records the shard in which it is archived, and in no
other. Nothing else about blocks changes.
"""

from alembic import op

from gridtally.database.security import isolate_tenants

revision = "0019"
down_revision = "0018"

STATEMENTS = (
    """
CREATE TABLE archive_settings (
    tenant_id text COLLATE "C" PRIMARY KEY,
    months    smallint CHECK (months BETWEEN 3 AND 600),
    version   integer NOT NULL CHECK (version > 0)
)""",
    """
CREATE TABLE archived_shard (
    tenant_id    text COLLATE "C" NOT NULL,
    month_on     date NOT NULL CHECK (extract(day FROM month_on) = 1),
    shard        smallint NOT NULL CHECK (shard >= 0),
    meter_from   uuid NOT NULL,
    meter_to     uuid NOT NULL,
    generation   integer NOT NULL CHECK (generation > 0),
    days         integer NOT NULL,
    day_bytes    bigint NOT NULL,
    day_sha256   text NOT NULL CHECK (day_sha256 ~ '^[0-9a-f]{64}$'),
    blocks       integer NOT NULL,
    block_bytes  bigint NOT NULL,
    block_sha256 text NOT NULL CHECK (block_sha256 ~ '^[0-9a-f]{64}$'),
    events       integer NOT NULL,
    energy       jsonb NOT NULL,
    archived_at  timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, month_on, shard)
)""",
    """
CREATE TABLE recalled_day (
    tenant_id   text COLLATE "C" NOT NULL,
    meter_id    uuid NOT NULL,
    flow        text COLLATE "C" NOT NULL,
    minutes     smallint NOT NULL,
    day         date NOT NULL,
    events      integer NOT NULL,
    present     integer NOT NULL,
    energy_wh   bigint NOT NULL,
    recalled_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, meter_id, flow, minutes, day)
)""",
    "DROP TRIGGER append_only ON reading_block",
    """
CREATE TRIGGER append_only BEFORE UPDATE OR TRUNCATE ON reading_block
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()""",
    """
CREATE FUNCTION refuse_unarchived() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM archived_shard s
                    WHERE s.tenant_id = OLD.tenant_id
                      AND s.month_on = date_trunc('month', OLD.day)::date
                      AND OLD.meter_id BETWEEN s.meter_from AND s.meter_to
                      AND s.xmin = pg_current_xact_id()::xid) THEN
        RAISE EXCEPTION 'reading_block is append-only: DELETE refused'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN OLD;
END $$""",
    """
CREATE TRIGGER leaves_for_the_archive BEFORE DELETE ON reading_block
    FOR EACH ROW EXECUTE FUNCTION refuse_unarchived()""",
    "GRANT DELETE ON reading_block TO CURRENT_USER",
)


def upgrade() -> None:
    """Three tables, and the one door through which blocks leave."""
    for statement in STATEMENTS:
        op.execute(statement)
    isolate_tenants(op, "archive_settings", "archived_shard", "recalled_day")
