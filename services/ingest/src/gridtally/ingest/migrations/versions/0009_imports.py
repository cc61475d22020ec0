"""Files of readings that were imported: what came, how it was read, and how far it is published."""

from alembic import op

from gridtally.database.security import isolate_tenants

revision = "0009"
down_revision = "0008"

TABLES = """
CREATE TABLE file_import (
    tenant_id   text COLLATE "C" NOT NULL,
    id          uuid NOT NULL,
    name        text NOT NULL,
    zone        text NOT NULL,
    sha256      text NOT NULL,
    content     bytea NOT NULL,
    size_bytes  integer NOT NULL CHECK (size_bytes > 0),
    status      text NOT NULL,
    proposal    jsonb NOT NULL,
    declaration jsonb,
    runs        integer NOT NULL CHECK (runs >= 0),
    run_at      timestamptz,
    correlation_id text NOT NULL,
    blocks      integer NOT NULL CHECK (blocks >= 0),
    done        integer NOT NULL CHECK (done BETWEEN 0 AND blocks),
    accepted    integer NOT NULL CHECK (accepted BETWEEN 0 AND done),
    refusals    jsonb NOT NULL,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT file_import_content UNIQUE (tenant_id, sha256),
    CONSTRAINT file_import_status CHECK (
        status IN ('proposed', 'unreadable', 'running', 'done', 'undoing', 'undone')),
    CONSTRAINT file_import_declared CHECK (
        status IN ('proposed', 'unreadable')
        OR (declaration IS NOT NULL AND run_at IS NOT NULL))
);
CREATE INDEX file_import_by_age ON file_import (tenant_id, created_at, id);
CREATE INDEX file_import_at_work ON file_import (updated_at) WHERE status IN ('running', 'undoing')
"""


def upgrade() -> None:
    """A table of its own; nothing else changes."""
    for statement in TABLES.split(";\n"):
        op.execute(statement)
    isolate_tenants(op, "file_import")
