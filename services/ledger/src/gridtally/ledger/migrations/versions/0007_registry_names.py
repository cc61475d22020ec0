"""Columns of the registry get the names that its API has: `meter_type` and `phone_number`.

What is sealed keeps its name: an entry of a meter says `type` for ever, and reads this column.
"""

from alembic import op

revision = "0007"
down_revision = "0006"

# In the order in which a removal takes them; every query that is under way holds its tables, too.
LOCK = """
LOCK TABLE meter, removed_meter, registry_user, meter_version IN ACCESS EXCLUSIVE MODE"""
# Indexes, constraints and the view's query follow by themselves.
NAMES = """
ALTER TABLE meter RENAME COLUMN type TO meter_type;
ALTER TABLE meter RENAME CONSTRAINT meter_type_check TO meter_meter_type_check;
ALTER TABLE removed_meter RENAME COLUMN type TO meter_type;
ALTER TABLE meter_version RENAME COLUMN type TO meter_type;
ALTER VIEW meter_now RENAME COLUMN type TO meter_type;
ALTER TABLE registry_user RENAME COLUMN phone TO phone_number"""
METER = (
    "tenant_id, meter_id, created_at, version, updated_at, property_id, meter_type, name, "
    "channels, channel_minutes, channel_wh_max, registers, register_digits, register_decimals, "
    "register_multipliers"
)
# As 0006 has made it; a function's text does not follow the names of columns.
NOTE_METERS = f"""
CREATE OR REPLACE FUNCTION note_meters() RETURNS trigger LANGUAGE plpgsql AS $$
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


def upgrade() -> None:
    """Rename the columns, and what names them in its text."""
    for statement in ";\n".join((LOCK, NAMES)).split(";\n"):
        op.execute(statement)
    op.execute(NOTE_METERS)
