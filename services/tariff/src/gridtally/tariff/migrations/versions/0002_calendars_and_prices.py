"""Calendars, price series, regions within regions; who published and withdrew what, and why."""

from alembic import op

from gridtally.database.security import append_only, isolate_tenants

revision = "0002"
down_revision = "0001"

CATALOGUE = """
ALTER TABLE region
    ADD kind text NOT NULL DEFAULT 'municipality' CHECK (kind IN ('municipality', 'grid_area')),
    ADD parent_id uuid CHECK (parent_id <> id),
    ADD CONSTRAINT region_parent FOREIGN KEY (tenant_id, parent_id) REFERENCES region;
CREATE INDEX region_by_parent ON region (tenant_id, parent_id);

ALTER TABLE tariff ADD last_number integer NOT NULL DEFAULT 0;
UPDATE tariff t SET last_number = (
    SELECT coalesce(max(v.number), 0) FROM tariff_version v
     WHERE v.tenant_id = t.tenant_id AND v.tariff_id = t.id);

CREATE TABLE calendar (
    tenant_id   text NOT NULL,
    id          uuid NOT NULL,
    code        text NOT NULL,
    name        text NOT NULL,
    last_number integer NOT NULL DEFAULT 0,
    revision    integer NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT calendar_code UNIQUE (tenant_id, code)
);
CREATE INDEX calendar_by_age ON calendar (tenant_id, created_at, id);

CREATE TABLE calendar_version (
    tenant_id    text NOT NULL,
    id           uuid NOT NULL,
    calendar_id  uuid NOT NULL,
    number       integer NOT NULL CHECK (number >= 1),
    status       text NOT NULL CHECK (status IN ('draft', 'published')),
    document     jsonb NOT NULL,
    published_at timestamptz,
    published_by text,
    revision     integer NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT calendar_version_number UNIQUE (tenant_id, calendar_id, number),
    CONSTRAINT calendar_version_calendar FOREIGN KEY (tenant_id, calendar_id) REFERENCES calendar,
    CHECK ((status = 'draft') = (published_at IS NULL)),
    CHECK ((published_at IS NULL) = (published_by IS NULL))
)"""

VERSIONS = """
ALTER TABLE tariff_version
    ADD note text,
    ADD calendar_id uuid,
    ADD calendar_number integer,
    ADD published_at timestamptz,
    ADD published_by text,
    ADD withdrawn_at timestamptz,
    ADD withdrawn_by text,
    ADD withdrawn_from date,
    ADD withdrawal_reason text,
    ADD CONSTRAINT tariff_version_calendar FOREIGN KEY (tenant_id, calendar_id, calendar_number)
        REFERENCES calendar_version (tenant_id, calendar_id, number);
DROP TRIGGER keep_version ON tariff_version;
UPDATE tariff_version SET published_at = updated_at, published_by = 'unknown'
 WHERE status <> 'draft';
UPDATE tariff_version
   SET withdrawn_at = updated_at, withdrawn_by = 'unknown', withdrawn_from = effective_from,
       withdrawal_reason = 'unknown'
 WHERE status = 'withdrawn';
ALTER TABLE tariff_version
    ADD CHECK ((status = 'draft') = (published_at IS NULL)),
    ADD CHECK ((published_at IS NULL) = (published_by IS NULL)),
    ADD CHECK ((calendar_id IS NULL) = (calendar_number IS NULL)),
    ADD CHECK (withdrawn_from >= effective_from),
    ADD CHECK (num_nulls(withdrawn_at, withdrawn_by, withdrawn_from, withdrawal_reason)
               = CASE status WHEN 'withdrawn' THEN 0 ELSE 4 END)"""

PRICES = """
CREATE TABLE price_series (
    tenant_id  text NOT NULL,
    id         uuid NOT NULL,
    code       text NOT NULL,
    name       text NOT NULL,
    currency   text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    zone       text NOT NULL,
    minutes    smallint NOT NULL CHECK (minutes IN (15, 30, 60)),
    revision   integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT price_series_code UNIQUE (tenant_id, code)
);
CREATE INDEX price_series_by_age ON price_series (tenant_id, created_at, id);

CREATE TABLE price_day (
    tenant_id   text NOT NULL,
    series_id   uuid NOT NULL,
    day         date NOT NULL,
    version     integer NOT NULL CHECK (version >= 1),
    prices      bigint[] NOT NULL CHECK (cardinality(prices) > 0),
    recorded_at timestamptz NOT NULL,
    recorded_by text NOT NULL,
    PRIMARY KEY (tenant_id, series_id, day, version)
)"""

KEEP_VERSION = """
CREATE OR REPLACE FUNCTION keep_version() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    stamps CONSTANT text[] := '{status,revision,updated_at}';
    drafted CONSTANT text[] := stamps || '{published_at,published_by}' || TG_ARGV[0]::text[];
    withdrawn CONSTANT text[] :=
        stamps || '{withdrawn_at,withdrawn_by,withdrawn_from,withdrawal_reason}'::text[];
BEGIN
    IF TG_OP = 'DELETE' AND TG_LEVEL = 'ROW' THEN
        IF OLD.status = 'draft' THEN
            RETURN OLD;
        END IF;
    ELSIF TG_OP = 'UPDATE' THEN
        IF OLD.status = 'draft' AND NEW.status IN ('draft', 'published')
           AND to_jsonb(NEW) - drafted = to_jsonb(OLD) - drafted
           OR OLD.status = 'published' AND NEW.status = 'withdrawn'
           AND to_jsonb(NEW) - withdrawn = to_jsonb(OLD) - withdrawn
        THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'a version is kept as it is: % refused', TG_OP
        USING ERRCODE = 'restrict_violation';
END $$
"""
DRAFTED = {
    "tariff_version": "effective_from,effective_to,document,note,calendar_id,calendar_number",
    "calendar_version": "document",
}
"""What may change in a draft, besides its stamps."""


def upgrade() -> None:
    """Tables and columns, each tenant's isolation, and what may never change."""
    op.execute("SELECT set_config('gridtally.tenant', '*', true)")
    for statement in ";\n".join((CATALOGUE, VERSIONS, PRICES)).split(";\n"):
        op.execute(statement)
    op.execute(KEEP_VERSION)
    for table, drafted in DRAFTED.items():
        op.execute(
            f"CREATE TRIGGER keep_version BEFORE UPDATE OR DELETE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION keep_version('{{{drafted}}}')"
        )
    op.execute(
        "CREATE TRIGGER keep_versions BEFORE TRUNCATE ON calendar_version "
        "FOR EACH STATEMENT EXECUTE FUNCTION keep_version('{}')"
    )
    append_only(op, "price_day")
    isolate_tenants(op, "calendar", "calendar_version", "price_series", "price_day")
