"""Regions, tariffs and their versions, which never change once they are published."""

from alembic import op

import gridtally.http.keys
import gridtally.messaging.tables
from gridtally.database.security import isolate_tenants

revision = "0001"
down_revision = None

TABLES = """
CREATE TABLE region (
    tenant_id  text NOT NULL,
    id         uuid NOT NULL,
    code       text NOT NULL,
    name       text NOT NULL,
    zone       text NOT NULL,
    revision   integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT region_code UNIQUE (tenant_id, code)
);
CREATE INDEX region_by_age ON region (tenant_id, created_at, id);

CREATE TABLE tariff (
    tenant_id  text NOT NULL,
    id         uuid NOT NULL,
    code       text NOT NULL,
    name       text NOT NULL,
    currency   text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    zone       text NOT NULL,
    region_id  uuid,
    revision   integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT tariff_code UNIQUE (tenant_id, code),
    CONSTRAINT tariff_region FOREIGN KEY (tenant_id, region_id) REFERENCES region
);
CREATE INDEX tariff_by_age ON tariff (tenant_id, created_at, id);
CREATE INDEX tariff_by_region ON tariff (tenant_id, region_id);

CREATE TABLE tariff_version (
    tenant_id      text NOT NULL,
    id             uuid NOT NULL,
    tariff_id      uuid NOT NULL,
    number         integer NOT NULL CHECK (number >= 1),
    status         text NOT NULL CHECK (status IN ('draft', 'published', 'withdrawn')),
    effective_from date NOT NULL,
    effective_to   date CHECK (effective_to > effective_from),
    document       jsonb NOT NULL,
    revision       integer NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT tariff_version_number UNIQUE (tenant_id, tariff_id, number),
    FOREIGN KEY (tenant_id, tariff_id) REFERENCES tariff
);
CREATE INDEX tariff_version_in_force ON tariff_version (tenant_id, tariff_id, effective_from)"""

KEEP_VERSION = """
CREATE FUNCTION keep_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF (NEW.tenant_id, NEW.id, NEW.tariff_id, NEW.number, NEW.created_at)
         = (OLD.tenant_id, OLD.id, OLD.tariff_id, OLD.number, OLD.created_at)
           AND (OLD.status = 'draft' AND NEW.status IN ('draft', 'published')
                OR OLD.status = 'published' AND NEW.status = 'withdrawn'
                   AND (NEW.effective_from, NEW.effective_to, NEW.document)
                       IS NOT DISTINCT FROM (OLD.effective_from, OLD.effective_to, OLD.document))
        THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'a tariff version is kept as it is: % refused', TG_OP
        USING ERRCODE = 'restrict_violation';
END $$
"""


def upgrade() -> None:
    """Tables, each tenant's isolation, and the life of a version."""
    gridtally.messaging.tables.create(op.get_bind())
    gridtally.http.keys.create(op.get_bind())
    for statement in TABLES.split(";\n"):
        op.execute(statement)
    op.execute(KEEP_VERSION)
    op.execute(
        "CREATE TRIGGER keep_version BEFORE UPDATE OR DELETE ON tariff_version "
        "FOR EACH ROW EXECUTE FUNCTION keep_version()"
    )
    op.execute(
        "CREATE TRIGGER keep_versions BEFORE TRUNCATE ON tariff_version "
        "FOR EACH STATEMENT EXECUTE FUNCTION keep_version()"
    )
    isolate_tenants(op, "region", "tariff", "tariff_version")
