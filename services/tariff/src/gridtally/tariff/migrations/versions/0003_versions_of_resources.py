"""A stored resource has a `version`, as in every service, where it had a `revision`.

Renames the column and what names it; no value changes. (A tariff's and a calendar's versions are
distinguished by their `number`, a day's prices by the `version` in their key.)
"""

from alembic import op

revision = "0003"
down_revision = "0002"

RESOURCES = ("region", "tariff", "calendar", "calendar_version", "tariff_version", "price_series")

# As in 0002 but for the name of the column: what may change when a version is published, or when it
# is withdrawn, besides what its trigger names.
KEEP_VERSION = """
CREATE OR REPLACE FUNCTION keep_version() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    stamps CONSTANT text[] := '{status,version,updated_at}';
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


def upgrade() -> None:
    """Rename the column of every resource, and what the triggers let change."""
    for table in RESOURCES:
        op.execute(f"ALTER TABLE {table} RENAME COLUMN revision TO version")
    op.execute(KEEP_VERSION)
